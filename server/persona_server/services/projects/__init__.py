"""ProjectService, and the messages of projects and persona groups."""
