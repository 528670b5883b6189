"""What knows gRPC: the method table, the call pipeline and the error table."""
