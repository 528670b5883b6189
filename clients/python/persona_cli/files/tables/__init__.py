"""Rows from any file: what a file is, is found by its content."""
