"""The lines that did not go in, each listed once with the reason."""

import re
import threading
from collections.abc import Iterator, Sequence

from persona_cli.files.inputs import InputFile, Line, Position
from persona_cli.files.json_lines import Item
from persona_cli.runs.journal import Journal
from persona_cli.terminal.output import printable, say
from persona_client import PersonaError


class Refusals:
    """Lists lines on stderr, and notes in the journal what the service would not take."""

    def __init__(self, inputs: Sequence[InputFile], journal: Journal) -> None:
        self._inputs = inputs
        self._journal = journal
        self._lock = threading.Lock()  # one thread may read lines while another sends them
        self.count = 0

    def list_previous(self) -> None:
        """List what the service refused in the runs before."""
        for position, reason in self._journal.refused.items():
            self.add(position, reason)

    def add(self, position: Position, reason: str) -> None:
        """List a line that was refused, and count it."""
        with self._lock:
            self.count += 1
        self.note(position, reason)

    def note(self, position: Position, text: str) -> None:
        """Say something of a line."""
        where = f"{self._inputs[position.file].name}:{position.line}"
        say(printable(f"{where}: {text}"))

    def add_from_service(self, position: Position, reason: str) -> None:
        """List a line that the service would not take, in the runs that follow as well."""
        self._journal.note_refusal(position, reason)
        self.add(position, reason)

    def without_refused(self, lines: Iterator[Line[Item]]) -> Iterator[Line[Item]]:
        """Leave out the lines that the service has refused before."""
        return (line for line in lines if line.position not in self._journal.refused)


def violations_by_index(error: PersonaError, things: str) -> dict[int, str]:
    """Return what an error says of each item of the list `things` of a request, by its index."""
    said = [(v.field, f"{v.field} {v.description}") for v in error.violations]
    said = said or [(error.metadata.get("field", ""), error.message)]
    index = re.compile(rf"{re.escape(things)}\[(\d+)\]")
    return {
        int(found[1]): text.removeprefix(found[0]).lstrip(".")
        for field, text in said
        if (found := index.match(field))
    }
