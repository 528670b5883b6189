"""The lines that did not go in, each listed once with the reason."""

import re
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

from persona_cli.files.inputs import InputFile, Item, Line, Position
from persona_cli.files.json_lines import LineError
from persona_cli.runs.journal import Journal
from persona_cli.terminal.output import printable, say
from persona_client import PersonaError

OnRefused: TypeAlias = Callable[[int, str, Any], None]  # is told file, reason and row


class Refusals:
    """Lists lines on stderr, and notes in the journal what the service would not take.

    `keep` is given each with the reason and what it was made of, None where that is not known.
    """

    def __init__(
        self,
        inputs: Sequence[InputFile],
        journal: Journal,
        keep: OnRefused | None = None,
    ) -> None:
        self._inputs = inputs
        self._journal = journal
        self._keep = keep
        self._lock = threading.Lock()  # one thread may read lines while another sends them
        self.count = 0

    def list_previous(self) -> None:
        """List what the service refused in the runs before."""
        for position, reason in self._journal.refused.items():
            self._count(position, reason)

    def add(self, position: Position, reason: LineError) -> None:
        """List a line that was refused, and count it."""
        said = str(reason) if reason.count == 1 else f"{reason} ({reason.count} answers)"
        self._count(position, said, reason.count)
        self._keep_row(position, str(reason), reason.source)

    def note(self, position: Position, text: str) -> None:
        """Say something of a line."""
        where = self._inputs[position.file].place(position.line)
        say(printable(f"{where}: {text}"))

    def add_from_service(self, line: Line[Any], reason: str) -> None:
        """List a line that the service would not take, in the runs that follow as well."""
        self._journal.note_refusal(line.position, reason)
        self._count(line.position, reason)
        self._keep_row(line.position, reason, line.item.cells)

    def add_known(self, line: Line[Any], reason: str) -> None:
        """List a line that the service would not take either, as others before it."""
        self._journal.note_refusal(line.position, reason, sync=False)
        self._count(line.position, reason)
        self._keep_row(line.position, reason, line.item.cells)

    def without_refused(self, lines: Iterator[Line[Item]]) -> Iterator[Line[Item]]:
        """Leave out the lines that the service has refused before."""
        if not self._journal.refused:
            yield from lines
        for line in lines:
            if (reason := self._journal.refused.get(line.position)) is None:
                yield line
            else:
                self._keep_row(line.position, reason, line.item.cells)

    def _count(self, position: Position, reason: str, count: int = 1) -> None:
        with self._lock:
            self.count += count
        self.note(position, reason)

    def _keep_row(self, position: Position, reason: str, source: Any) -> None:
        if self._keep is not None and position.line:
            where = self._inputs[position.file].place(position.line)
            self._keep(position.file, f"{where}: {reason}", source)


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
