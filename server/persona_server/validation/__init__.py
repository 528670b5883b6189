"""What a message must be: pure checks, which the command line makes too, without a server."""
