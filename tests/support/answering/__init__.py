"""Individuals that answer: made, recorded, measured, and what is then said of them."""
