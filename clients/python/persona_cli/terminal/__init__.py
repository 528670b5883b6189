"""What commands share at the terminal: options, tables, words, and how they fail."""
