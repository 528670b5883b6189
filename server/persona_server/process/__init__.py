"""What a process has of its machine: files, memory, threads, signals, the gateway as its child."""
