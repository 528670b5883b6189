"""What knows the driver: connections, locks, errors, compiled statements, and the dialect."""
