"""The settings: what they are, where they are read, and what changes while the service runs."""
