"""Databases of every age and state, what is in them, and what is done to them from outside."""
