"""Between gRPC's core and the pools: who is let in, and what a call may hold."""
