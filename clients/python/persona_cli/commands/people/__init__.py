"""Commands on personas: list, import, export and copy."""
