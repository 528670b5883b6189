"""Where those stand who answered, or which of them are not there."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from persona.v1 import errors_pb2
from persona.v1.response_pb2 import Response
from persona_server.errors import ServiceError
from persona_server.services.indexes import ranges, violations_of
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.repositories.personas import Ancestry
from persona_server.storage.repositories.response_lists import DELETED, SHOWN
from persona_server.storage.store import Repositories
from persona_server.validation.violations import MAX_VIOLATIONS


class Answerer(NamedTuple):
    """Where the persona of a response stands: its keys, its parents as text, its last byte."""

    persona: bytes
    parents: Ancestry
    project_id: str
    group_id: str
    library_persona_id: str | None
    flag: bytes


def answerers_of(repositories: Repositories, responses: Sequence[Response]) -> dict[str, Answerer]:
    """Return where each persona named stands, by its id. Raises PERSONA_NOT_FOUND."""
    texts = {text: id_bytes(text) for text in {response.persona_id for response in responses}}
    found = repositories.personas.ancestry(list(texts.values()))
    names = {raw: id_text(raw) for parents in found.values() for raw in parents[:2]}
    answerers = {
        text: Answerer(
            raw,
            found[raw],
            names[found[raw].project_id],
            names[found[raw].group_id],
            _source(found[raw]),
            SHOWN if found[raw].visible else DELETED,
        )
        for text, raw in texts.items()
        if raw in found
    }
    if len(answerers) < len(texts):
        missing = [i for i, one in enumerate(responses) if one.persona_id not in answerers]
        ids = [response.persona_id for response in responses]
        raise ids_not_found(missing, ids, "responses")
    return answerers


def _source(parents: Ancestry) -> str | None:
    """Return the library persona that a reused copy was sourced from."""
    library_persona_id = parents.library_persona_id if parents.is_copy else None
    return None if library_persona_id is None else id_text(library_persona_id)


class Unknown(NamedTuple):
    """Answers whose persona is not there by what they name it with.

    `field` is that of an answer, `what` says what its value is not. `indexes` are those of the
    answers, ascending; `values` are of all answers.
    """

    field: str
    what: str
    indexes: Sequence[int]
    values: Sequence[str]

    @property
    def first(self) -> str:
        """The value of the first of them."""
        return self.values[self.indexes[0]]


def unknown_ids(missing: Sequence[int], ids: Sequence[str], where: str = "") -> Unknown:
    """Return the answers whose persona has no id of these."""
    return Unknown("persona_id", f"is not the id of a persona{where}", missing, ids)


def ids_not_found(
    missing: Sequence[int], ids: Sequence[str], path: str, where: str = ""
) -> ServiceError:
    """PERSONA_NOT_FOUND for answers that name their persona by these ids."""
    unknown = unknown_ids(missing, ids, where)
    said = f"There is no persona {unknown.first}{where}."
    return personas_not_found(said, {"persona_id": unknown.first}, path, unknown)


def personas_not_found(
    said: str, metadata: Mapping[str, str], path: str, *unknown: Unknown
) -> ServiceError:
    """PERSONA_NOT_FOUND, naming every answer to drop: as violations, and as ranges of indexes.

    `said` and `metadata` are of the first one. The answers are called `path` in the request.
    """
    missing = sorted(i for each in unknown for i in each.indexes)
    violations = [
        violation
        for each in unknown
        for violation in violations_of(
            f"{path}[{{}}].{each.field}", each.what, each.indexes, each.values
        )
    ]
    total, answers = len(unknown[0].values), path.replace("_", " ")
    return ServiceError(
        errors_pb2.ERROR_REASON_PERSONA_NOT_FOUND,
        f"{said} Nothing was recorded. Remove the {len(missing)} of {total} {answers} whose "
        "persona does not exist, and send the others again.",
        metadata={**metadata, "indexes": ranges(missing)},
        violations=violations[:MAX_VIOLATIONS],
        violations_total=len(missing),
    )
