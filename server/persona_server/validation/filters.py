"""The fields by which personas can be filtered: one table, from which everything else follows.

Another filterable field is a row here, a field of the requests that filter, and a column of the
tables that are searched.
"""

from enum import Enum
from operator import attrgetter
from typing import NamedTuple, TypeAlias

from persona.v1.library_service_pb2 import ListLibraryPersonasRequest
from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import (
    CountPersonasRequest,
    ExportPersonasRequest,
    ListPersonasRequest,
)
from persona_server.validation.fields import check_ages, check_line, fold
from persona_server.validation.limits import LINES
from persona_server.validation.violations import Violations

FilteredRequest: TypeAlias = (
    ListPersonasRequest | ExportPersonasRequest | CountPersonasRequest | ListLibraryPersonasRequest
)
# The conditions of a request by the names of its filters, texts folded; an absent one, or None,
# is no condition.
Filters: TypeAlias = dict[str, str | int | None]


class Match(Enum):
    """How a persona's value must compare with a filter's."""

    WHOLE = "the whole text"
    PART = "contains"
    AT_LEAST = "at least"
    AT_MOST = "at most"


class Filter(NamedTuple):
    """A filter: its name in requests, the field of a persona that it is about, how, and in words.

    `help` is what the command line says of it.
    """

    name: str
    field: str
    match: Match
    help: str

    @property
    def column(self) -> str:
        """The column of storage that it compares: texts are kept once more, folded."""
        return f"{self.field}_key" if self.is_text else self.field

    @property
    def is_text(self) -> bool:
        """Whether it compares folded texts, and not whole numbers of which 0 is unknown."""
        return self.match in {Match.WHOLE, Match.PART}


# In the order in which storage compares: what is cheap first.
FILTERS = (
    Filter("gender", "gender", Match.WHOLE, "Gender."),
    Filter("income_level", "income_level", Match.WHOLE, "Income level: Low, Middle or High."),
    Filter("age_min", "age", Match.AT_LEAST, "Minimum age in years."),
    Filter("age_max", "age", Match.AT_MOST, "Maximum age in years."),
    Filter("location", "location", Match.PART, "Location, or a part of it."),
    Filter("occupation", "occupation", Match.PART, "Occupation, or a part of it."),
)
_TEXTS = tuple(each for each in FILTERS if each.is_text)
# What every list asks of the table: names and whether they are texts, and texts with their limits.
_NAMES = tuple((each.name, each.is_text) for each in FILTERS)
_values = attrgetter(*(each.name for each in FILTERS))
_LIMITS = tuple((each.name, LINES[each.field]) for each in _TEXTS)
_keyed = attrgetter(*(each.field for each in _TEXTS))
KEY_COLUMNS = tuple(each.column for each in _TEXTS)


def check_filters(found: Violations, request: FilteredRequest) -> None:
    """The texts of filters have the limits of the fields, and the ages are a range."""
    if not any(_values(request)):  # as of most lists
        return
    for name, characters in _LIMITS:
        if value := getattr(request, name):
            check_line(found, name, value, characters)
    check_ages(found, request, "")


def filters_of(request: FilteredRequest) -> Filters:
    """Return a request's filters, folded; "" and 0 are none."""
    values = _values(request)
    if not any(values):
        return {}
    return {
        name: fold(value) if is_text else value
        for (name, is_text), value in zip(_NAMES, values, strict=True)
        if value
    }


def search_keys(persona: Persona) -> tuple[str, ...]:
    """Return the folded texts that filters compare with, in the order of KEY_COLUMNS."""
    return tuple(map(fold, _keyed(persona)))
