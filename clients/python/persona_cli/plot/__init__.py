"""Pictures of answers over time."""
