"""ResponseService, and the one way by which answers are recorded."""
