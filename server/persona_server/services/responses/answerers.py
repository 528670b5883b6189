"""Where those stand who answered, or which of them are not there."""

from collections.abc import Sequence
from typing import NamedTuple

from persona.v1 import errors_pb2
from persona.v1.response_pb2 import Response
from persona_server.errors import ServiceError
from persona_server.services.indexes import ranges, violations_of
from persona_server.storage.keys import id_bytes, id_text
from persona_server.storage.repositories.personas import Ancestry
from persona_server.storage.repositories.response_lists import DELETED, SHOWN
from persona_server.storage.store import Repositories


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
        raise personas_not_found(missing, ids, "responses")
    return answerers


def _source(parents: Ancestry) -> str | None:
    """Return the library persona that a reused copy was sourced from."""
    library_persona_id = parents.library_persona_id if parents.is_copy else None
    return None if library_persona_id is None else id_text(library_persona_id)


def personas_not_found(
    missing: Sequence[int], ids: Sequence[str], field: str, where: str = ""
) -> ServiceError:
    """PERSONA_NOT_FOUND, naming every answer to drop: as violations, and as ranges of indexes.

    `ids` are those of the personas of all answers, which are called `field` in the request.
    """
    persona_id, answers = ids[missing[0]], field.replace("_", " ")
    what = f"is not the id of a persona{where}"
    return ServiceError(
        errors_pb2.ERROR_REASON_PERSONA_NOT_FOUND,
        f"There is no persona {persona_id}{where}. Nothing was recorded. Remove the {len(missing)} "
        f"of {len(ids)} {answers} whose persona does not exist, and send the others again.",
        metadata={"persona_id": persona_id, "indexes": ranges(missing)},
        violations=violations_of(f"{field}[{{}}].persona_id", what, missing, ids),
        violations_total=len(missing),
    )
