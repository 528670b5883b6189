"""Who calls: tokens, API keys and an identity provider, and what each may do."""
