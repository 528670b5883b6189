"""Callers that mean no good: bounded attacks over raw HTTP/2, each for some seconds."""
