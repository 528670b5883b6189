"""One run of an import: from lines to acknowledged batches."""

import re
import sys
from collections.abc import Iterator
from itertools import chain

from persona.v1.persona_pb2 import Persona
from persona_client import (
    ImportConflict,
    ImportPersonasResponse,
    PersonaClient,
    PersonaError,
)
from persona_client.batches import split_items
from persona_client.importing import Batch
from persona_server.cli.failures import CommandError
from persona_server.cli.journal import Journal
from persona_server.cli.meter import Meter
from persona_server.cli.output import printable
from persona_server.cli.sources import Line, Place, Reader, Source

# Each costs a new stream, so they are not for a file whose ids are all taken.
MAX_REFUSED_BY_SERVICE = 100
_INDEX = re.compile(r"personas\[(\d+)\]")


class SentBatch(list[Persona]):
    """A batch that knows where its personas stand."""

    def __init__(self, lines: list[Line]) -> None:
        super().__init__(line.persona for line in lines)
        self.lines = lines


class ImportRun:
    """One run of an import: what went in, what was refused, how far the reading is."""

    def __init__(self, sources: list[Source], ids: tuple[str, str], journal: Journal) -> None:
        self._sources = sources
        self._ids = ids
        self._journal = journal
        self.refused = 0
        self.imported = 0
        self._refused_by_service = 0

    def run(self, client: PersonaClient, reader: Reader, meter: Meter) -> None:
        """Import everything. Raises PersonaError, and CommandError if it can't be resumed."""
        for place, reason in self._journal.refused.items():
            self._list(place, reason)
        lines = reader.lines(self._list, meter.read)
        wanted = (line for line in lines if line.place not in self._journal.refused)
        client.import_personas(
            *self._ids,
            self._batches(wanted),
            self._journal.import_id,
            on_acknowledged=lambda answer: self._acknowledged(answer, meter),
            on_refused=self._without_refused,
        )
        self._journal.remove()

    def ended(self, client: PersonaClient) -> bool:
        """Whether the service has ended this import, as opposed to another run's having it."""
        try:
            client.import_personas(*self._ids, (), self._journal.import_id)
        except ImportConflict:
            return True
        return False

    def forget(self) -> None:
        """Let the next run begin anew."""
        self._journal.remove()

    def how_to_go_on(self) -> str:
        """Return what is done so far, and what the user can do."""
        done = f"{self.imported} personas are in."
        if self._journal.is_kept:
            return f"{done} The same command goes on from there."
        return (
            f"{done} Standard input and pipes can't be read again, so nothing can go on from there."
        )

    def _batches(self, lines: Iterator[Line]) -> Iterator[SentBatch]:
        """Yield the batches of the run before, then new ones, noted before they are sent."""
        ahead = next(lines, None)
        for last in tuple(self._journal.boundaries):
            batch = []
            while ahead is not None and ahead.place <= last:
                batch.append(ahead)
                ahead = next(lines, None)
            if batch:
                yield SentBatch(batch)
        rest = chain((ahead,), lines) if ahead is not None else lines
        for batch in split_items(rest, lambda line: line.persona):
            self._journal.batch(batch[-1].place)
            yield SentBatch(batch)

    def _acknowledged(self, answer: ImportPersonasResponse, meter: Meter) -> None:
        if answer.committed_sequence < self._journal.acknowledged:
            self._journal.remove()
            raise CommandError(
                "The service no longer knows the import that broke off. What it took then may be "
                "in the group; the same command now imports everything anew."
            )
        self._journal.acknowledge(answer.committed_sequence)
        self.imported = answer.persona_count
        meter.imported(self.imported)

    def _without_refused(self, batch: Batch, error: PersonaError) -> SentBatch:
        """Take what the service names out of a batch, and list it."""
        assert isinstance(batch, SentBatch)
        bad = _named_items(error)
        if not bad:
            raise error
        for index, reason in bad.items():
            place = batch.lines[index].place
            self._journal.refuse(place, reason)
            self._list(place, reason)
        self._refused_by_service += len(bad)
        if self._refused_by_service >= MAX_REFUSED_BY_SERVICE:
            raise CommandError(
                f"The service has refused {self._refused_by_service} personas; {self.imported} are "
                "in. --new-ids imports all as new ones."
            )
        return SentBatch([line for i, line in enumerate(batch.lines) if i not in bad])

    def _list(self, place: Place, reason: str) -> None:
        self.refused += 1
        where = f"{self._sources[place.source].name}:{place.line}"
        print(printable(f"{where}: {reason}"), file=sys.stderr)


def _named_items(error: PersonaError) -> dict[int, str]:
    """Return what an error says of each item of a batch, by the item's index."""
    said = [(v.field, f"{v.field} {v.description}") for v in error.violations]
    said = said or [(error.metadata.get("field", ""), error.message)]
    return {
        int(found[1]): text.removeprefix(found[0]).lstrip(".")
        for field, text in said
        if (found := _INDEX.match(field))
    }
