"""Copy personas from one group into another."""

from collections.abc import Sequence
from typing import Any

from persona.v1 import persona_service_pb2 as pb
from persona.v1 import project_service_pb2 as projects_pb
from persona.v1.persona_pb2 import Persona
from persona.v1.project_pb2 import PersonaGroup
from support.data import Place


def copied(place: Place, source: Place, *persona_ids: str) -> list[Persona]:
    """Copy personas of another group into this one."""
    request = pb.CopyPersonasRequest(
        **place.ids,
        source_project_id=source.project,
        source_group_id=source.group,
        persona_ids=persona_ids,
    )
    return list(place.caller.personas.CopyPersonas(request).personas)


def copying(stub: Any, place: Any, persona_ids: Sequence[str]) -> pb.CopyPersonasRequest:
    """Return the request that copies personas of a place into a new group of its project."""
    request = projects_pb.CreatePersonaGroupRequest(
        project_id=place.project, persona_group=PersonaGroup(name="Others")
    )
    return pb.CopyPersonasRequest(
        project_id=place.project,
        group_id=stub.CreatePersonaGroup(request).persona_group.id,
        source_project_id=place.project,
        source_group_id=place.group,
        persona_ids=persona_ids,
    )
