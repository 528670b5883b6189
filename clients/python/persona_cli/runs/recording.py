"""A whole recording of answers: its journal, its run, and what is said of files."""

from collections.abc import Callable
from typing import Any

from persona_cli.files.answers.answer import Tally, id_of
from persona_cli.files.answers.answer_files import AnswerFiles
from persona_cli.files.inputs import LineReader
from persona_cli.files.tables.table import FileError
from persona_cli.runs.looking import say_titles
from persona_cli.runs.record_run import RecordRun
from persona_cli.runs.refusals import OnRefused
from persona_cli.runs.resuming import explain_interruption, open_journal, total_bytes
from persona_cli.terminal.failures import CommandError
from persona_cli.terminal.output import counted, say
from persona_cli.terminal.progress import ProgressBar
from persona_client import PersonaClient

_REPEATS = "repeats the answer of {where}; ids of their own would record both (this is {id})"


class Recording:
    """Records the answers of files, each once. `into` has the ids of simulation and group."""

    def __init__(
        self,
        answers: AnswerFiles,
        into: dict[str, str],
        options: dict[str, Any],
        keep: OnRefused | None = None,
    ) -> None:
        self._answers = answers
        self._inputs = list(answers.inputs)
        self._journal = open_journal(self._inputs, into, options)
        self._run = RecordRun(self._inputs, into["group_id"], self._journal, keep)

    def run(self, patient_client: Callable[[], PersonaClient], address: str) -> None:
        """Record everything. Raises PersonaError, CommandError."""
        reader = LineReader(self._inputs, self._answers.items, id_of, _REPEATS)
        with (
            explain_interruption(address, self._journal, lambda _: self._run.how_to_resume()),
            patient_client() as client,
            ProgressBar(total_bytes(self._inputs), "answers") as progress,
        ):
            self._run.run(client, reader, progress)

    @property
    def recorded(self) -> int:
        """How many answers are new to the service."""
        return self._run.recorded

    @property
    def known(self) -> int:
        """How many it had before."""
        return self._run.known

    @property
    def void(self) -> int:
        """How many of these are void, as far as this run has sent them."""
        return self._run.void

    @property
    def refused(self) -> int:
        """How many answers and rows were not recorded."""
        return self._run.refused

    @property
    def warned(self) -> int:
        """How many are suspicious."""
        return self._run.warned

    @property
    def skipped(self) -> int:
        """How many cells of questions say nothing."""
        return self._answers.tally.skipped


def look_at(answers: AnswerFiles) -> None:
    """Say what files are. Raises CommandError if one can't be read."""
    titled = []
    for index, file in enumerate(answers.inputs):
        try:
            titled.append((file.name, answers.look(index).title))
        except FileError as error:
            raise CommandError(f"{file.name} {error}") from None
    say_titles(titled)


def say_notes(tally: Tally) -> None:
    """Say what of the answers was not taken as it stood, each thing once."""
    for note, count in tally.notes.most_common():
        say(f"{note}: {counted(count, 'answer')}.")
