"""The filters that lists of personas and of library personas share, in SQL."""

from functools import reduce
from operator import and_
from typing import Any

from persona_server.storage.engine.dialect import INTEGER, TEXT, contains, optional
from persona_server.storage.engine.statements import param
from persona_server.validation.filters import FILTERS, KEY_COLUMNS, Filter, Filters, Match

__all__ = ["KEY_COLUMNS", "NO_FILTERS", "Filters", "matches", "parameters"]

NO_FILTERS: Filters = {}


def parameters(filters: Filters) -> dict[str, str | int | None]:
    """Return what the conditions of `matches` are bound to."""
    return {each.name: filters.get(each.name) for each in FILTERS}


def matches(persona: Any) -> Any:
    """Return the conditions of all filters; one bound to None lets every row through."""
    return reduce(and_, (_condition(persona, each) for each in FILTERS))


def _condition(persona: Any, each: Filter) -> Any:
    """Return one filter's condition. A number 0 is unknown and matches no bound."""
    column, bound = getattr(persona, each.column), param(each.name)
    if each.match is Match.WHOLE:
        return optional(each.name, column == bound, TEXT)
    if each.match is Match.PART:
        return optional(each.name, contains(column, bound), TEXT)
    within = column >= bound if each.match is Match.AT_LEAST else column <= bound
    return optional(each.name, (column > 0) & within, INTEGER)
