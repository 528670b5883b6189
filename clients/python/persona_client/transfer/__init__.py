"""What is sent and read piece by piece, from sources and to readers that may be slow."""
