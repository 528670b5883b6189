"""Who calls: tokens and their key, principals, scopes."""
