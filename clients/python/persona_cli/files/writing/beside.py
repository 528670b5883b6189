"""The fields of personas beside their answers."""

from persona.v1.persona_pb2 import Persona
from persona.v1.response_pb2 import Response
from persona_cli.files.writing.personas import persona_cells, persona_columns
from persona_cli.files.writing.sheet import Cell, Column
from persona_cli.files.writing.spool import PersonaSpool
from persona_client import PersonaClient

_PREFIX = "persona."


class PersonasBeside:
    """The personas that gave answers. Without a client there are none, and no columns."""

    def __init__(self, spool: PersonaSpool, client: PersonaClient | None) -> None:
        self._spool = spool
        self._client = client
        self._groups: set[tuple[str, str]] = set()

    def fetch(self, response: Response) -> None:
        """Have the persona of an answer: with its whole group, or alone if it is deleted."""
        if self._client is None or response.persona_id in self._spool:
            return
        group = (response.project_id, response.group_id)
        if not response.persona_deleted and group not in self._groups:
            self._groups.add(group)
            for persona in self._client.export_personas(*group):
                self._spool.add(persona)
        if response.persona_id not in self._spool:
            self._spool.add(self._client.get_response_persona(response.id))

    def fetched(self, response: Response) -> Persona | None:
        """Return the persona that gave an answer, None without a client."""
        self.fetch(response)
        return self._found(response)

    @property
    def columns(self) -> list[Column]:
        """The columns of personas but the id, which every answer has itself."""
        if self._client is None:
            return []
        return [Column(_PREFIX + name, kind) for name, kind in persona_columns(self._spool)[1:]]

    def cells(self, response: Response) -> list[Cell]:
        """Return the cells of the persona that gave an answer."""
        found = self._found(response)
        return persona_cells(found, self._spool)[1:] if found else []

    def _found(self, response: Response) -> Persona | None:
        return None if self._client is None else self._spool.find(response.persona_id)
