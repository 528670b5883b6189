"""The commands that look after the file of a database."""
