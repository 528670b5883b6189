"""The rules: one module per gRPC service, one method per RPC. Nothing here knows gRPC or SQL."""
