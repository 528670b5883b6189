"""What knows gRPC: the method table, the interceptors and the error table."""
