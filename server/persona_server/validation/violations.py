"""What is wrong with a message, field by field."""

from collections.abc import Callable
from typing import NamedTuple

MAX_VIOLATIONS = 20  # as many as an error lists


class Violation(NamedTuple):
    """One bad field: its path in the request, and what to do about it."""

    field: str
    description: str


class Enough(Exception):  # noqa: N818 (it is no error: what has been found is all that is shown)
    """As many violations have been found as an error lists."""


class Violations(list[Violation]):
    """Bad fields in the order in which they were found, at most MAX_VIOLATIONS of them."""

    def add(self, field: str, description: str) -> None:
        """Note a bad field. Raises Enough with the last one that there is room for.

        So a check of whatever is nested how deep ends at once: a message can hold a million bad
        fields, and its sender reads of twenty.
        """
        self.append(Violation(field, description))
        if len(self) >= MAX_VIOLATIONS:
            raise Enough


def found_by(check: Callable[[Violations], None]) -> Violations:
    """Return what a check finds until it has found enough."""
    found = Violations()
    try:  # every call comes here, and suppress() costs half as much as the checks of a Get
        check(found)
    except Enough:
        return found
    return found
