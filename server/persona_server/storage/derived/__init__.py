"""What is computed from answers, in their transaction: the one wing of storage that measures."""
