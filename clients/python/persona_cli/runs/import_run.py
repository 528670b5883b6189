"""One run of an import: from lines to acknowledged batches."""

import uuid
from collections.abc import Iterator
from itertools import islice

from persona.v1.persona_pb2 import Persona
from persona_cli.files.inputs import InputFile, Line, LineReader
from persona_cli.files.persona_files import PersonaRow
from persona_cli.runs.held_personas import HeldPersonas, content_digest
from persona_cli.runs.journal import Journal
from persona_cli.runs.refusals import OnRefused, Refusals, violations_by_index
from persona_cli.runs.resuming import batches, how_to_resume
from persona_cli.terminal.failures import CommandError
from persona_cli.terminal.output import counted, counted_done
from persona_cli.terminal.progress import ProgressBar
from persona_client import (
    ImportConflict,
    ImportPersonasResponse,
    PersonaClient,
    PersonaError,
)
from persona_client.transfer.batches import Batches
from persona_client.transfer.window import Batch

# Each costs a new stream. So it is soon read what the group holds, by which others are refused
# here; and a file of which most is taken elsewhere is given up.
READ_GROUP_AFTER = 10
MAX_REFUSED_BY_SERVICE = 100
MOST_COMPARED = 100  # personas of one name


class SentBatch(list[Persona]):
    """A batch that knows where its personas stand."""

    def __init__(self, lines: list[Line[PersonaRow]]) -> None:
        super().__init__(line.item.persona for line in lines)
        self.lines = lines


class ImportRun:
    """One run of an import: what went in, what was refused, how far the reading is.

    With `dry_run` the service checks everything and takes nothing. `may_repeat` says that what was
    imported before may be imported again, since it is known by ids; `as_new`, that people of the
    same content are meant to be others. `keep` takes refused rows.
    """

    def __init__(
        self,
        inputs: list[InputFile],
        ids: tuple[str, str],
        journal: Journal,
        *,
        dry_run: bool = False,
        may_repeat: bool = True,
        as_new: bool = False,
        keep: OnRefused | None = None,
    ) -> None:
        self._ids = ids
        self._dry_run = dry_run
        self._is_resumed = bool(journal.boundaries)
        self._may_repeat = may_repeat or self._is_resumed
        self._as_new = as_new
        self._is_open = False  # whether the service has said how much of the import it has
        self._journal = journal
        self._refusals = Refusals(inputs, journal, keep)
        self._held: HeldPersonas | None = None  # once the service has refused some
        self.imported = 0
        self.added = 0  # of those imported, what the group did not show before
        self._refused_by_service = 0

    @property
    def refused(self) -> int:
        """How many lines did not go in."""
        return self._refusals.count

    def run(
        self, client: PersonaClient, reader: LineReader[PersonaRow], progress: ProgressBar
    ) -> None:
        """Import everything.

        Raises PersonaError, and CommandError if it can't be resumed, or was imported before.
        """
        self._refusals.list_previous()
        lines = self._refusals.without_refused(reader.lines(self._refusals.add, progress.advance))
        lines = self._not_taken(lines)
        if not (self._may_repeat or self._as_new):
            lines = self._not_repeated(client, lines)
        try:
            self._import(client, self._batches(lines), progress)
        except ImportConflict:
            if self._is_resumed or self._is_open or not self.ended(client):
                raise
            # The same content was here before, and the group has been emptied since.
            self._journal.begin_anew(str(uuid.uuid4()))
            self._import(client, self._batches(lines), progress)
        finally:
            if self._held is not None:
                self._held.close()
        self._journal.remove()

    def _not_taken(self, lines: Iterator[Line[PersonaRow]]) -> Iterator[Line[PersonaRow]]:
        """Leave out, and list, those whose ids are known to be others' in the group."""
        for line in lines:
            why = self._held.refusal(line.item.persona) if self._held is not None else ""
            if why:
                self._refusals.add_known(line, why)
            else:
                yield line

    def _not_repeated(
        self, client: PersonaClient, lines: Iterator[Line[PersonaRow]]
    ) -> Iterator[Line[PersonaRow]]:
        """Give up if the first row without an id is in the group, as the others may be, too.

        The service knows the content of a whole file, not that of one with more rows, or packed;
        and what comes through a pipe can't be known beforehand.
        """
        is_known = False
        for line in lines:
            persona = line.item.persona
            if not (is_known or persona.id or persona.external_id):
                if self._is_there(client, persona):
                    self._journal.remove()  # else the next run would go on
                    raise _there_before(persona.full_name)
                is_known = True
            yield line

    def _is_there(self, client: PersonaClient, persona: Persona) -> bool:
        """Whether the group shows a persona of the same content, among the first of its name."""
        named = client.list_personas(*self._ids, full_name=persona.full_name)
        wanted = content_digest(persona)
        return any(content_digest(one) == wanted for one in islice(named, MOST_COMPARED))

    def _import(
        self, client: PersonaClient, batches: Iterator[SentBatch], progress: ProgressBar
    ) -> None:
        client.import_personas(
            *self._ids,
            batches,
            self._journal.import_id,
            validate_only=self._dry_run,
            on_acknowledged=lambda answer: self._acknowledged(answer, progress),
            on_refused=lambda batch, error: self._without_refused(client, batch, error),
        )

    def _batches(self, lines: Iterator[Line[PersonaRow]]) -> Iterator[SentBatch]:
        """Return the same batches in every run; from a pipe, some that may be sent early."""
        if self._journal.is_kept:
            return map(SentBatch, batches(lines, self._journal, lambda row: row.persona))
        return Batches(lines, lambda line: line.item.persona, SentBatch)

    def ended(self, client: PersonaClient) -> bool:
        """Whether the service has ended this import, as opposed to another run's having it."""
        try:
            client.import_personas(
                *self._ids, (), self._journal.import_id, validate_only=self._dry_run
            )
        except ImportConflict:
            return True
        return False

    def forget(self) -> None:
        """Let the next run begin anew."""
        self._journal.remove()

    def how_to_resume(self) -> str:
        """Return what is done so far, and what the user can do."""
        if self._dry_run:
            return "This was a dry run: nothing is imported."
        return how_to_resume(f"{counted_done(self.imported, 'persona')} imported.", self._journal)

    def _acknowledged(self, answer: ImportPersonasResponse, progress: ProgressBar) -> None:
        if answer.committed_sequence < self._journal.acknowledged and self._journal.is_old:
            self._journal.remove()
            raise CommandError(
                "The service no longer knows the interrupted import. What it had accepted may be "
                "in the group; the same command now imports everything anew."
            )
        if answer.committed_sequence and not self._may_repeat:
            self._journal.remove()
            raise _imported_before(answer.persona_count)
        self._may_repeat = self._is_open = True
        self._journal.note_acknowledged(answer.committed_sequence)
        self.imported, self.added = answer.persona_count, answer.added_count
        progress.set_count(self.imported)

    def _without_refused(
        self, client: PersonaClient, batch: Batch, error: PersonaError
    ) -> SentBatch:
        """Take what the service names out of a batch, and what is known by now, and list it."""
        assert isinstance(batch, SentBatch)
        bad = violations_by_index(error, "batch.personas")
        if not bad:
            raise error
        for index, reason in bad.items():
            self._refusals.add_from_service(batch.lines[index], reason)
        self._refused_by_service += len(bad)
        if self._refused_by_service >= max(MAX_REFUSED_BY_SERVICE, self.imported):
            there = "would be" if self._dry_run else "is" if self.imported == 1 else "are"
            raise CommandError(
                f"The service has refused {counted(self._refused_by_service, 'persona')}; "
                f"{self.imported} {there} imported. --new-ids imports those with ids of this "
                "service as new personas."
            )
        if self._held is None and self._refused_by_service >= READ_GROUP_AFTER:
            self._held = HeldPersonas(client.export_personas(*self._ids))
        left = (line for i, line in enumerate(batch.lines) if i not in bad)
        return SentBatch(list(self._not_taken(left)))


def _imported_before(count: int) -> CommandError:
    people = counted(count, "persona")
    return CommandError(
        f"{people} of the same content came into this group by an import before, and would be "
        "there twice, having no ids of their own. --again imports all of it once more."
    )


def _there_before(name: str) -> CommandError:
    return CommandError(
        f'"{name}", who comes first and has no id, is in this group already with the same content, '
        "and would be there twice, as others may. --again imports all of it."
    )
