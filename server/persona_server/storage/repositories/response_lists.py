"""The lists of recorded answers. Each walks one index, and looks there for what else is wanted.

By when they occurred, the index is that of the filter that mostly lets the fewest through; by when
they were recorded it is always the same one, whatever else is wanted.
"""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

from peewee import SQL, Case, Expression, Select, Value, fn

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import BYTES, TEXT, exists, optional, varint
from persona_server.storage.engine.statements import Statement, param
from persona_server.storage.repositories.pages import (
    START,
    VISITED,
    FilteredPages,
    Page,
    matching,
    only_if,
)

FOREVER = b"\xff"  # after every position

Columns = Callable[[Any], Sequence[Any]]  # of a table's alias

# The last byte of every response on its way out: the value of its bool field persona_deleted.
SHOWN, DELETED = b"\0", b"\1"
LONGEST_MARK = 1100  # bytes that a void response has more: 255 characters, a time, and tags

# Filters that are one column → the column. Beside them there is the library persona.
_COLUMNS = {
    "persona": "persona_id",
    "simulation": "simulation_id",
    "group": "group_id",
    "question": "question_key",
    "project": "project_id",
}
# The filters whose index is walked, the one that mostly lets the fewest through first.
WALKED = ("persona", "simulation", "library", "group", "question", "project")
RECORDED = "recorded"  # the walk of all responses of a tenant, as they were recorded
# Answers of an individual of the library: as its origin, and as a copy.
_OWN, _COPIES = tables.Response.alias("own_answer"), tables.Response.alias("copy_answer")


class WantedResponses(NamedTuple):
    """What a list asks for; None is no filter.

    `library` comes with `origin`, the persona that was promoted. Bounds of time stand between
    positions: after `occurred_from` and `recorded_after`, before `occurred_before`.
    """

    persona: bytes | None = None
    simulation: bytes | None = None
    library: bytes | None = None
    origin: bytes | None = None
    group: bytes | None = None
    question: str | None = None
    project: bytes | None = None
    occurred_from: bytes | None = None
    occurred_before: bytes | None = None
    recorded_after: bytes | None = None


class Order(NamedTuple):
    """By when responses were recorded, or else by when they occurred; equals by id."""

    recorded: bool = False
    descending: bool = False


BY_TIME = Order()


class ListStatements:
    """The statements of every walk in both directions."""

    def __init__(self, database: Database) -> None:
        self.walks = {
            (name, descending): WalkStatements(database, name, descending=descending)
            for name in (*WALKED, RECORDED)
            for descending in (False, True)
        }


class WalkStatements:
    """The pages of one walk. Its parameters are what is wanted, and where it begins and ends."""

    def __init__(self, database: Database, name: str, *, descending: bool) -> None:
        entries = _entries(name, descending=descending)
        lengths = entries(lambda one: (only_if(_matches(one), one.length).alias("length"),))
        page = matching(lengths, "length", descending=descending).alias("lengths")
        self.longest = Statement(
            database, Select((page,), (fn.max(page.c.length) + most_added(param("tenant")),))
        )
        framed = entries(lambda one: (only_if(_matches(one), whole(one)).alias("framed"),))
        self.pages = FilteredPages(database, entries(lambda _: ()), framed, descending=descending)


def _entries(name: str, *, descending: bool) -> Callable[[Columns], Any]:
    """Return the function that reads columns of a walk, behind the place of each entry."""

    def within(response: Any, scope: Sequence[Any], columns: Columns) -> Any:
        place = response.recorded if name == RECORDED else response.position
        after, until = param("after"), param("until")
        here = (
            (place < after) & (place > until) if descending else (place > after) & (place < until)
        )
        where = (response.tenant_id == param("tenant")) & here
        return response.select(place.alias("position"), *columns(response)).where(where, *scope)

    def entries(columns: Columns) -> Any:
        first = SQL("1").desc() if descending else SQL("1")  # the place
        if name == "library":
            of_origin = within(_OWN, [_OWN.persona_id == param("origin")], columns)
            of_copies = within(_COPIES, [_COPIES.library_persona_id == param("library")], columns)
            # Both are in order by an index of their own, and merged as they are read.
            return of_origin.union_all(of_copies).order_by(first)
        response = tables.Response
        scope = [getattr(response, _COLUMNS[name]) == param(name)] if name in _COLUMNS else []
        return within(response, scope, columns).order_by(first)

    return entries


@cache  # every walk has the same
def _matches(response: Any) -> Any:
    """Return the condition that a response is wanted: every filter that is bound."""
    condition = optional(
        "library",
        (response.library_persona_id == param("library"))
        | (response.persona_id == param("origin")),
        BYTES,
    )
    for name, column in _COLUMNS.items():
        kind = TEXT if name == "question" else BYTES
        condition &= optional(name, getattr(response, column) == param(name), kind)
    for name, bound in (
        ("occurred_from", response.position > param("occurred_from")),
        ("occurred_before", response.position < param("occurred_before")),
        ("recorded_after", response.recorded > param("recorded_after")),
    ):
        condition &= optional(name, bound, BYTES)
    return condition


def standing(response: Any) -> Expression:
    """Return the condition that a response is not void."""
    condition: Expression = ~exists(_own_mark(response)) & ~exists(_simulations(response))
    return condition


def is_counted(response: Any) -> Expression:
    """Return the condition that a response is among what is derived from answers.

    It stands, or is of a void simulation and has not been taken out yet.
    """
    voiding = tables.Voiding.alias("waiting")
    waits = exists(
        voiding.select(SQL("1")).where(
            (voiding.tenant_id == param("tenant"))
            & (voiding.simulation_id == response.simulation_id)
            & (voiding.after < response.position)
        )
    )
    here = ~exists(_simulations(response)) | waits
    condition: Expression = ~exists(_own_mark(response)) & here
    return condition


def _mark(response: Any) -> Any:
    """Return the expression of what a void response has at its end; NULL of one that stands."""
    return fn.COALESCE(_own_mark(response), _simulations(response))


def _own_mark(response: Any) -> Any:
    void = tables.ResponseVoid.alias("void")
    mine = void.tenant_id == param("tenant")
    return void.select(void.mark).where(mine & (void.response_id == response.id))


def _simulations(response: Any) -> Any:
    void = tables.SimulationVoid.alias("void_simulation")
    mine = void.tenant_id == param("tenant")
    return void.select(void.mark).where(mine & (void.simulation_id == response.simulation_id))


@cache
def whole(response: Any) -> Any:
    """Return the expression of a framed response as of now: with persona_deleted, its last byte.

    Behind that a void one has its mark, and for that another length in front.
    """
    plain = response.framed.concat(_flag(response))
    return Case(None, [(standing(response), plain)], _marked(response))


def _marked(response: Any) -> Any:
    """Return the expression of a framed response with its mark."""
    # With five ids, none is so short that its length would be one byte.
    start = Case(None, [(response.length > 16386, SQL("4"))], SQL("3"))
    length = varint(response.length - start + fn.LENGTH(_mark(response)))
    body = fn.SUBSTR(response.framed, start + SQL("1")).concat(_flag(response))
    return _constant(b"\x0a").concat(length).concat(body).concat(_mark(response))


def _flag(response: Any) -> Any:
    """Return the expression of the value of persona_deleted.

    A persona is shown if its group shows the set it is in; deleting a project marks its groups too.
    """
    persona, group = tables.Persona.alias("answerer"), tables.PersonaGroup.alias("shown")
    shown = exists(
        persona.select(SQL("1"))
        .join(group, on=(group.tenant_id == param("tenant")) & (group.set_id == persona.set_id))
        .where(
            (persona.tenant_id == param("tenant"))
            & (persona.id == response.persona_id)
            & (group.id == response.group_id)
            & group.deleted_at.is_null()
        )
    )
    return Case(None, [(shown, _constant(SHOWN))], _constant(DELETED))


def most_added(tenant: Any) -> Any:
    """Return the expression of how much longer void responses of a tenant are, at most."""
    keys = (tables.ResponseVoid.response_id, tables.SimulationVoid.simulation_id)
    some = [
        exists(
            key.model.select(SQL("1")).where(
                (key.model.tenant_id == tenant) & (key > _constant(b""))
            )
        )
        for key in keys
    ]
    return Case(None, [(some[0] | some[1], LONGEST_MARK)], 0)


def _constant(value: bytes) -> Value:
    return Value(value, converter=False)


class Pages:
    """One list of responses, which begins at `start`."""

    def __init__(
        self, statements: ListStatements, tenant: int, wanted: WantedResponses, order: Order
    ) -> None:
        bounds = _bounds(wanted, order)
        self.start, until = reversed(bounds) if order.descending else bounds
        self._do = statements.walks[_walk(wanted, order), order.descending]
        self._where: dict[str, Any] = {"tenant": tenant, "until": until, **wanted._asdict()}

    def longest(self, after: bytes, limit: int) -> int:
        """Return the length of the longest of the next `limit` responses, 0 if there are none."""
        row = self._do.longest.first(after=after, limit=limit, window=VISITED, **self._where)
        assert row is not None
        return int(row[0] or 0)

    def page(self, after: bytes, limit: int) -> Page:
        """Return at most `limit` responses behind a place."""
        return self._do.pages.read(after=after, limit=limit, **self._where)


def _walk(wanted: WantedResponses, order: Order) -> str:
    if order.recorded:
        return RECORDED
    return next(name for name in WALKED if getattr(wanted, name) is not None)


def _bounds(wanted: WantedResponses, order: Order) -> tuple[bytes, bytes]:
    """Return between which places a list lies."""
    if order.recorded:
        return wanted.recorded_after or START, FOREVER
    return wanted.occurred_from or START, wanted.occurred_before or FOREVER
