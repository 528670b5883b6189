"""A whole import: its journal, its run, and what there was before."""

import uuid
from collections.abc import Callable
from typing import Any

from persona_cli.files.inputs import LineReader
from persona_cli.files.persona_files import PersonaFiles, PersonaRow
from persona_cli.runs.import_run import ImportRun
from persona_cli.runs.journal import Journal
from persona_cli.runs.looking import all_keyed
from persona_cli.runs.refusals import OnRefused
from persona_cli.runs.resuming import content_id, explain_interruption, open_journal, total_bytes
from persona_cli.terminal.progress import ProgressBar
from persona_client import AlreadyExists, ImportConflict, PersonaClient, PersonaError


class Importing:
    """Imports files into a group, once: what has keys by them, anything else by its content."""

    def __init__(
        self,
        personas: PersonaFiles,
        ids: tuple[str, str],
        keep: OnRefused | None,
        *,
        again: bool,
        as_new: bool,
        dry_run: bool,
    ) -> None:
        self._personas = personas
        self._inputs = list(personas.inputs)
        self._ids = ids
        self._keep = keep
        self._again = again or all_keyed(personas)
        self._as_new = as_new
        self.is_dry_run = dry_run
        self.into = {"project_id": ids[0], "group_id": ids[1]}
        self.imported = 0  # personas that were not there before
        self.refused = 0
        self.already_there = 0

    def run(
        self,
        client: PersonaClient,
        patient_client: Callable[[], PersonaClient],
        address: str,
        options: dict[str, Any],
    ) -> None:
        """Import everything. Raises PersonaError, CommandError."""
        journal = self._journal(options)
        run = ImportRun(
            self._inputs,
            self._ids,
            journal,
            dry_run=self.is_dry_run,
            may_repeat=self._again,
            as_new=self._as_new,
            keep=self._keep,
        )
        with (
            explain_interruption(address, journal, lambda error: _advice(error, client, run)),
            patient_client() as patient,
            ProgressBar(total_bytes(self._inputs), "personas") as progress,
        ):
            run.run(patient, self._reader(), progress)
        self.imported, self.refused = run.added, run.refused
        self.already_there = run.imported - run.added

    def _journal(self, options: dict[str, Any]) -> Journal:
        if self.is_dry_run:
            return Journal(str(uuid.uuid4()))
        known = "" if self._again else content_id(self._inputs, self.into, options)
        return open_journal(self._inputs, self.into, options, known)

    def _reader(self) -> LineReader[PersonaRow]:
        return LineReader(
            self._inputs, self._personas.items, _key, "repeats the id {id} of {where}"
        )


def _advice(error: PersonaError | None, client: PersonaClient, run: ImportRun) -> str:
    """Return what the user can do after an import failed."""
    if isinstance(error, ImportConflict) and run.ended(client):
        run.forget()
        return (
            "All personas of the group have been deleted in the meantime, including those of this "
            "import. The same command imports everything anew."
        )
    if isinstance(error, AlreadyExists):
        return f"{run.how_to_resume()} --new-ids imports all of them as new personas."
    return run.how_to_resume()


def _key(row: PersonaRow) -> str:
    return row.persona.id or row.persona.external_id
