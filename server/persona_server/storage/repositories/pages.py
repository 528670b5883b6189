"""A page of framed messages, as every list of personas and responses is read.

No call looks at more than MOST_VISITED entries of a list, however few of them match: a filtered
page may end early, or be empty, and the next one continues where it stopped.
"""

from typing import Any, NamedTuple

from peewee import SQL, Case, Select, fn

from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import page_in_one_row
from persona_server.storage.engine.statements import Statement, param

START = b""  # before every position
MOST_VISITED = 10_000  # entries that a call looks at
AHEAD = 1_000  # of these, at most, to see whether anything follows a full page that matches
VISITED = MOST_VISITED - AHEAD  # of these, at most, for the page itself


class Page(NamedTuple):
    """Framed messages end to end, where the next page begins, how many, and whether more follow.

    `last` is the position of the last message, or of the last entry that was looked at. If only
    some match, more may be said to follow although none of what is left does.
    """

    framed: bytes
    last: bytes
    size: int
    more: bool


EMPTY_PAGE = Page(b"", START, 0, False)


def only_if(condition: Any, value: Any) -> Any:
    """Return the column of an entry that is a value where it matches, else NULL.

    As a column, so that the entries which do not match count among those looked at. The value is
    read only where it is wanted.
    """
    return Case(None, [(condition, value)])


def matching(entries: Any, column: str, *, descending: bool = False) -> Select:
    """Return the query of at most `limit` that match among the first `window` entries.

    `entries` are in order of their position, and this column of theirs is of `only_if`. Nothing
    beyond is looked at.
    """
    visited = entries.limit(param("window")).alias("visited")
    value = getattr(visited.c, column)
    return (
        Select((visited,), (value, visited.c.position))
        .where(value.is_null(False))
        .order_by(visited.c.position.desc() if descending else visited.c.position)
        .limit(param("limit"))
    )


class HitCount(NamedTuple):
    """How many matched, and the position where counting stopped; None at the end."""

    number: int
    stopped: bytes | None


class HitCounts:
    """How many entries of a list match, MOST_VISITED looked at in a call."""

    def __init__(self, database: Database, positions: Any, entries: Any) -> None:
        """Compile the statement of a list: `entries` have a column `hit`, NULL if they don't match.

        `positions` are as for FilteredPages.
        """
        visited = entries.limit(param("window")).alias("visited")
        last = positions.limit(1).offset(param("skip"))
        self.counted = Statement(database, Select((visited,), (fn.count(visited.c.hit), last)))

    def read(self, after: bytes, **where: Any) -> HitCount:
        """Count those that match after a position."""
        row = self.counted.first(after=after, window=MOST_VISITED, skip=MOST_VISITED - 1, **where)
        assert row is not None
        return HitCount(*row)


class FilteredPages:
    """The pages of a list of which only some entries match."""

    def __init__(
        self,
        database: Database,
        positions: Any,
        entries: Any,
        *,
        descending: bool = False,
    ) -> None:
        """Compile the statements of a list.

        `positions` are those after the parameter `after`, in order; `entries` the same with
        `framed`, the message of those that match.
        """
        found = matching(entries, "framed", descending=descending)
        beyond = positions.limit(1).offset(param("skip"))
        # In one statement, so of one moment: entries that vanish in between can't move the end.
        stopped = Case(None, [(fn.count(SQL("*")) < param("limit"), beyond)])
        self.page = Statement(database, page_in_one_row(found, stopped, descending=descending))
        follows = Case(None, [(fn.EXISTS(found), SQL("1")), (fn.EXISTS(beyond), SQL("1"))])
        self.ahead = Statement(database, Select(columns=[follows]))

    def read(self, after: bytes, limit: int, **where: Any) -> Page:
        """Return at most `limit` messages after a position, of those that match."""
        row = self.page.first(after=after, limit=limit, window=VISITED, skip=VISITED - 1, **where)
        assert row is not None
        framed, last, count, stopped = row
        if stopped is not None:
            return Page(framed or b"", stopped, count, True)
        if not count:
            return EMPTY_PAGE
        return Page(framed, last, count, count == limit and self._follows(last, where))

    def _follows(self, last: bytes, where: dict[str, Any]) -> bool:
        row = self.ahead.first(after=last, limit=1, window=AHEAD, skip=AHEAD, **where)
        assert row is not None
        return row[0] is not None
