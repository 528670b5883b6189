"""Pictures of what is measured: answers over time, shares as bars, estimates as forests."""
