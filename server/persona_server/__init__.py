"""persona-service: the system of record for synthetic consumers."""
