"""The filters that lists of personas and of library personas share."""

from typing import Any, NamedTuple

from persona_server.storage.engine.dialect import INTEGER, TEXT, contains, optional
from persona_server.storage.engine.statements import param


class Filters(NamedTuple):
    """Conditions on a page, folded as the key columns are; None is no condition."""

    gender: str | None = None
    income_level: str | None = None
    location: str | None = None
    occupation: str | None = None
    age_min: int | None = None
    age_max: int | None = None


NO_FILTERS = Filters()


def matches(persona: Any) -> Any:
    """Return the conditions of all filters; one bound to None lets every row through.

    Age 0 means unknown and matches no age bound.
    """
    known_age = persona.age > 0
    return (
        optional("gender", persona.gender_key == param("gender"), TEXT)
        & optional("income_level", persona.income_level_key == param("income_level"), TEXT)
        & optional("age_min", known_age & (persona.age >= param("age_min")), INTEGER)
        & optional("age_max", known_age & (persona.age <= param("age_max")), INTEGER)
        & optional("location", contains(persona.location_key, param("location")), TEXT)
        & optional("occupation", contains(persona.occupation_key, param("occupation")), TEXT)
    )
