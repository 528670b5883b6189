"""Reliabilities of a group: a compact row for each persona, a page at a time or in an order."""

from collections.abc import Iterator, Sequence

from persona.v1.library_service_pb2 import ListReliabilitiesRequest
from persona.v1.measures_pb2 import PersonaReliability
from persona.v1.persona_pb2 import Persona
from persona.v1.persona_service_pb2 import ListPersonasResponse
from persona_server import patience
from persona_server.errors import ServiceError, invalid_field
from persona_server.measures.individual.explanation import explanation
from persona_server.measures.individual.policy import Policy
from persona_server.services.library.individuals import TOO_MANY_ANSWERS, measure_reliability
from persona_server.services.library.reliability_messages import row_message
from persona_server.services.paging import page_limit
from persona_server.services.parents import require_shown
from persona_server.storage.derived.crowds import KnownCrowds
from persona_server.storage.derived.repository import TooManyAnswersError
from persona_server.storage.derived.series import Series
from persona_server.storage.keys import id_bytes
from persona_server.storage.repositories.pages import START
from persona_server.storage.repositories.personas import Ancestry
from persona_server.storage.store import Repositories
from persona_server.validation.library import library_order

MOST_LISTED = 100  # rows of a page: each costs what some milliseconds of measuring do
MOST_SORTED = 1000  # personas of a group that is answered whole


class GroupReliabilities:
    """The reliabilities of the personas that a group shows, measured as they are asked for.

    `repositories` must be one snapshot. Raises PROJECT_NOT_FOUND and PERSONA_GROUP_NOT_FOUND.
    """

    def __init__(
        self, repositories: Repositories, request: ListReliabilitiesRequest, policy: Policy
    ) -> None:
        self._repositories = repositories
        self._policy = policy
        self._group = id_bytes(request.group_id)
        self._set_id, self._longest, _ = require_shown(
            repositories, request.project_id, request.group_id
        )
        self._known: KnownCrowds = {}

    def page(self, after: bytes, size: int) -> tuple[list[PersonaReliability], bytes | None]:
        """Return at most `size` rows after a position, oldest first; 0 is as many as a page has.

        The second value is the position of the last row if others follow.
        """
        limit = page_limit(min(size or MOST_LISTED, MOST_LISTED), self._longest)
        page = self._repositories.personas.page(self._group, self._set_id, after, limit)
        personas = ListPersonasResponse.FromString(page.framed).personas
        return list(self._rows(personas)), page.last if page.more else None

    def ordered(self, order_by: str) -> list[PersonaReliability]:
        """Return all rows in an order; those without its figure last. Raises INVALID_FIELD."""
        self._require_small()
        rows: list[PersonaReliability] = []
        after: bytes | None = START
        while after is not None:
            page, after = self.page(after, MOST_LISTED)
            rows += page
        name, descending = library_order(order_by)
        return sorted(rows, key=lambda row: _place(row, name, descending=descending))

    def _rows(self, personas: Sequence[Persona]) -> Iterator[PersonaReliability]:
        ids = [id_bytes(one.id) for one in personas]
        parents = self._repositories.personas.ancestry(ids) if ids else {}
        for persona in personas:
            patience.require()
            yield self._row(persona, parents[id_bytes(persona.id)])

    def _row(self, persona: Persona, parents: Ancestry) -> PersonaReliability:
        try:
            series, told = self._repositories.derived.series_of(parents.individual), ""
        except TooManyAnswersError:  # others of the group have theirs all the same
            series, told = Series({}, {}), f"It {TOO_MANY_ANSWERS}."
        found = measure_reliability(self._repositories, series, self._policy, self._known)
        told = told or explanation(found, self._policy)
        return row_message(persona, found, told, parents.library_persona_id)

    def _require_small(self) -> None:
        """Refuse an order of a group that no answer should hold as a whole."""
        found = self._repositories.groups.find(self._group)
        assert found is not None  # its set was found in this snapshot
        if found.persona_count > MOST_SORTED:
            raise _too_large(found.persona_count)


def _place(row: PersonaReliability, name: str, *, descending: bool) -> tuple[bool, float]:
    """Return where a row comes in an order: last without the figure; equals stay as they are."""
    value = getattr(row, name)
    if not isinstance(value, int):
        if not row.HasField(name):  # type: ignore[arg-type]  # one of the wrapped figures
            return True, 0.0
        value = value.value
    return False, -value if descending else value


def _too_large(count: int) -> ServiceError:
    return invalid_field(
        "order_by",
        f"is for groups of up to {MOST_SORTED} personas, this one has {count}: leave it out, and "
        "sort what the pages have",
    )
