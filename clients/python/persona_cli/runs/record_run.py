"""One run of recording answers: from lines to recorded batches."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice

from persona_cli.files.answers.answer import SimulationResponse, id_of
from persona_cli.files.answers.rows import is_exported
from persona_cli.files.inputs import InputFile, Line, LineReader
from persona_cli.runs.journal import Journal
from persona_cli.runs.refusals import OnRefused, Refusals, violations_by_index
from persona_cli.runs.resuming import batches, how_to_resume
from persona_cli.terminal.failures import CommandError
from persona_cli.terminal.output import counted_done
from persona_cli.terminal.progress import ProgressBar
from persona_client import (
    AlreadyExists,
    InvalidField,
    PersonaClient,
    PersonaError,
    PersonaNotFound,
    RecordedResponses,
    ResponseNotFound,
)
from persona_client.transfer.batches import Batches
from persona_client.transfer.sending import send_in_time
from persona_client.transfer.streams import STREAM_TIMEOUT

# Each costs a request, and the service names few answers at a time: a file of which more is refused
# than is there is given up.
MAX_REFUSED_REQUESTS = 100
MAX_WARNINGS_LISTED = 100  # of a run; the others are only counted


class RecordRun:
    """One run: a batch of lines is recorded simulation by simulation, then noted as done.

    Every answer has an id, so that one that is sent again is recorded once.
    """

    def __init__(
        self,
        inputs: list[InputFile],
        group_id: str,
        journal: Journal,
        keep: OnRefused | None = None,
    ) -> None:
        self._group_id = group_id  # of the personas that are named by their external ids
        self._journal = journal
        self._refusals = Refusals(inputs, journal, keep)
        self._refused_requests = 0
        self.recorded = 0
        self.known = 0  # that the service had before
        self.void = 0  # of these
        self.warned = 0

    @property
    def refused(self) -> int:
        """How many lines were not recorded."""
        return self._refusals.count

    def run(
        self, client: PersonaClient, reader: LineReader[SimulationResponse], progress: ProgressBar
    ) -> None:
        """Record everything. Raises PersonaError."""
        self._refusals.list_previous()
        lines = self._refusals.without_refused(reader.lines(self._refusals.add, progress.advance))
        if self._journal.is_kept:
            self._record_kept(client, lines, progress)
        else:
            found = Batches(lines, lambda line: line.item.response, list)
            send_in_time(found, lambda batch: self._record_batch(client, batch, progress))
        self._journal.remove()

    def _record_kept(
        self,
        client: PersonaClient,
        lines: Iterator[Line[SimulationResponse]],
        progress: ProgressBar,
    ) -> None:
        """Record the same batches in every run, but for those that an earlier one has recorded."""
        done = self._recorded_before(client)
        if done:  # they are among the batches that are counted below
            self.known, self.recorded = self._journal.known, -self._journal.known
        found = batches(lines, self._journal, lambda answer: answer.response)
        for sequence, batch in enumerate(found, 1):
            if sequence > done:
                self._record_batch(client, batch, progress)
                self._journal.note_acknowledged(sequence, id_of(batch[-1].item), self.known)
            else:
                self.recorded += len(batch)
                progress.set_count(self.recorded)

    def _recorded_before(self, client: PersonaClient) -> int:
        """Return how many batches an earlier run has recorded.

        None if the service lacks the last of them, since it has been restored: then all are sent
        once more, and those that are there stay as they are.
        """
        if not self._journal.last_id:
            return 0
        try:
            client.get_response(self._journal.last_id)
        except ResponseNotFound:
            return 0
        return self._journal.acknowledged

    def _record_batch(
        self, client: PersonaClient, batch: list[Line[SimulationResponse]], progress: ProgressBar
    ) -> None:
        for simulation_id, part in _by_simulation(batch).items():
            self.recorded += self._record(client, simulation_id, part)
        progress.set_count(self.recorded)

    def how_to_resume(self) -> str:
        """Return what is done so far, and what the user can do."""
        return how_to_resume(f"{counted_done(self.recorded, 'answer')} recorded.", self._journal)

    def _record(
        self, client: PersonaClient, simulation_id: str, lines: list[Line[SimulationResponse]]
    ) -> int:
        """Record what the service takes, list the others, and return how many are new."""
        newest = self._newest_before(client, simulation_id)
        lines, done = self._taken(client, simulation_id, lines)
        self._warn(lines, done)
        known = sum(one.recorded_at.ToMicroseconds() <= newest for one in done)
        self.known += known
        self.void += sum(one.HasField("voided_at") for one in done)
        return len(lines) - known

    def _taken(
        self,
        client: PersonaClient,
        simulation_id: str,
        lines: list[Line[SimulationResponse]],
        *,
        validate_only: bool = False,
    ) -> tuple[list[Line[SimulationResponse]], RecordedResponses]:
        """Return the lines that the service takes, with what it answers; the others are listed."""
        if not self._group_id and any(line.item.response.persona_external_id for line in lines):
            raise CommandError(
                "Answers name personas by external ids: --project and --group say in which group "
                "to look them up."
            )
        while lines:
            try:
                return lines, client.record_responses(
                    simulation_id,
                    [line.item.response for line in lines],
                    group_id=self._group_id,
                    validate_only=validate_only,
                    timeout=STREAM_TIMEOUT,
                )
            except (AlreadyExists, InvalidField, PersonaNotFound) as error:
                lines = self._without_refused(lines, error)
        return lines, RecordedResponses()

    def _newest_before(self, client: PersonaClient, simulation_id: str) -> int:
        """Return when the last answer that is none of this run was recorded in a simulation.

        In microseconds, -1 for never; a run that goes on counts what it has recorded before.
        """
        newest = self._journal.newest
        if simulation_id not in newest:
            last = client.list_responses(
                simulation_id=simulation_id, order_by="recorded_at desc", page_size=1
            )
            times = [one.recorded_at.ToMicroseconds() for one in islice(last, 1)]
            self._journal.note_newest(simulation_id, *times or [-1])
        return newest[simulation_id]

    def _warn(self, lines: list[Line[SimulationResponse]], done: RecordedResponses) -> None:
        for warning in done.warnings:
            self.warned += 1
            if self.warned <= MAX_WARNINGS_LISTED:
                self._refusals.note(lines[warning.index].position, f"warning: {warning.message}")

    def _without_refused(
        self, lines: list[Line[SimulationResponse]], error: PersonaError
    ) -> list[Line[SimulationResponse]]:
        bad = violations_by_index(error, "responses")
        if isinstance(error, PersonaNotFound):
            bad |= _of_same_personas(lines, bad)
        else:
            self._refused_requests += 1
        if not bad:
            raise error
        bad = {i: why for i, why in bad.items() if not _set_apart(lines[i].item, error, why)}
        for index, reason in sorted(bad.items()):
            self._refusals.add_from_service(lines[index], reason)
        if self._refused_requests >= max(MAX_REFUSED_REQUESTS, self.recorded + self.known):
            raise CommandError(
                f"The service has refused {self._refused_requests} batches; "
                f"{self.recorded} are recorded."
            )
        return [line for i, line in enumerate(lines) if i not in bad]


def _set_apart(answer: SimulationResponse, error: PersonaError, why: str) -> bool:
    """Part an exported answer from the one that it took the place of, and return whether it was so.

    That one was void, and is not here.
    """
    response = answer.response
    about = isinstance(error, AlreadyExists) or why.startswith("supersedes")
    if not (about and response.supersedes and is_exported(answer.row)):
        return False
    response.ClearField("supersedes")
    return True


def _by_simulation(
    batch: list[Line[SimulationResponse]],
) -> dict[str, list[Line[SimulationResponse]]]:
    found = defaultdict(list)
    for line in batch:
        found[line.item.simulation_id].append(line)
    return found


def _of_same_personas(lines: list[Line[SimulationResponse]], bad: dict[int, str]) -> dict[int, str]:
    """Return all answers of the personas that are not there: an error names the first few."""
    missing = {_answerer(lines[index]): reason for index, reason in bad.items()}
    named = ((i, _answerer(line)) for i, line in enumerate(lines))
    return {i: missing[answerer] for i, answerer in named if answerer in missing}


def _answerer(line: Line[SimulationResponse]) -> tuple[str, str]:
    """Return what an answer names its persona by."""
    return line.item.response.persona_id, line.item.response.persona_external_id
