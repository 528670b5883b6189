"""The calls of each gRPC service, and what several of them make together."""
