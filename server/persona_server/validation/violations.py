"""What is wrong with a message, field by field."""

from typing import NamedTuple


class Violation(NamedTuple):
    """One bad field: its path in the request, and what to do about it."""

    field: str
    description: str
