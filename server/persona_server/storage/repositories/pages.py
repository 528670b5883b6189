"""A page of framed messages, as every list of personas and responses is read.

No call looks at more than MOST_VISITED entries of a list, however few of them match: a filtered
page may end early, or be empty, and the next one continues where it stopped.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from peewee import SQL, Case, Query, Select, fn

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


def hit(condition: Any) -> Any:
    """Return the column of an entry that says whether it matches: 1, or NULL.

    As a column, so that the entries which do not match count among those looked at.
    """
    return Case(None, [(condition, SQL("1"))]).alias("hit")


def matching(entries: Any, *columns: str, by: str = "position") -> Select:
    """Return the query of at most `limit` that match among the first `window` entries.

    `entries` are in order of `by`; these columns of theirs are read. Nothing beyond is looked at.
    """
    visited = entries.limit(param("window")).alias("visited")
    return (
        Select((visited,), [getattr(visited.c, name) for name in columns])
        .where(visited.c.hit.is_null(False))
        .order_by(getattr(visited.c, by))
        .limit(param("limit"))
    )


class FilteredPages:
    """The pages of a list of which only some entries match."""

    def __init__(
        self,
        database: Database,
        positions: Any,
        entries: Any,
        rows: Callable[[Any], Query],
    ) -> None:
        """Compile the statements of a list.

        `positions` are those after the parameter `after`, in order; `entries` the same with `hit`.
        `rows` makes of a query of positions that of the framed messages there, in order.
        """
        found = matching(entries, "position")
        beyond = positions.limit(1).offset(param("skip"))
        # In one statement, so of one moment: entries that vanish in between can't move the end.
        stopped = Case(None, [(fn.count(SQL("*")) < param("limit"), beyond)])
        self.page = Statement(database, page_in_one_row(rows(found.alias("found")), stopped))
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
