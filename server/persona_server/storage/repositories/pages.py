"""A page of framed messages, as every list of personas and responses is read."""

from typing import NamedTuple

START = b""  # before every position


class Page(NamedTuple):
    """Framed messages end to end, the position of the last, how many, and whether more follow."""

    framed: bytes
    last: bytes
    size: int
    more: bool


EMPTY_PAGE = Page(b"", START, 0, False)
