"""How tenants share a server: whose turn a thread is, and what each may use of it."""
