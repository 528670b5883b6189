"""Requests in their bytes: fields told apart and counted before anything of them is parsed."""
