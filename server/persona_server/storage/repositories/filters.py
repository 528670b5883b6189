"""The filters that lists of personas and of library personas share, in SQL."""

from functools import reduce
from operator import and_
from typing import Any

from peewee import fn

from persona_server.storage.engine.statements import hole, optional
from persona_server.validation.filters import FILTERS, Filter, Filters, Match

__all__ = ["NO_FILTERS", "Filters", "matches", "parameters"]

NO_FILTERS: Filters = {}


def parameters(filters: Filters) -> dict[str, str | int | None]:
    """Return what the conditions of `matches` are bound to."""
    return {each.name: filters.get(each.name) for each in FILTERS}


def matches(persona: Any) -> Any:
    """Return the conditions of all filters; one bound to None lets every row through."""
    return reduce(and_, (_condition(persona, each) for each in FILTERS))


def _condition(persona: Any, each: Filter) -> Any:
    """Return one filter's condition. A number 0 is unknown and matches no bound."""
    bound = hole(each.name)
    if each.is_text:
        key = getattr(persona, each.column)
        holds = key == bound if each.match is Match.WHOLE else fn.instr(key, bound) > 0
        return optional(each.name, holds, "text")
    number = getattr(persona, each.column)
    within = number >= bound if each.match is Match.AT_LEAST else number <= bound
    return optional(each.name, (number > 0) & within, "integer")
