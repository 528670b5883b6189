"""Several processes that serve at one port, and their parent, which serves nobody itself."""
