"""What commands share that read files in batches, and resume where they were interrupted."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import typer
from google.protobuf.message import Message

from persona_cli.files.inputs import InputFile, Item, Line
from persona_cli.runs.journal import Journal, RunKey, default_folder
from persona_cli.terminal.failures import error_text, print_error
from persona_cli.terminal.output import compact_json, say
from persona_cli.terminal.signals import stopped
from persona_client import PersonaError
from persona_client.transfer.batches import split_items

# Of the ids of imports that are to be known again.
_NAMESPACE = uuid.UUID("0d6bb1f2-5a3e-5c1c-9a55-1f6f0e7a3c21")


def content_id(inputs: list[InputFile], into: dict[str, str], options: dict[str, Any]) -> str:
    """Return the id that every import of the same content into the same place has."""
    said = [into, [file.sha256 for file in inputs], options]
    return str(uuid.uuid5(_NAMESPACE, compact_json(said)))


def open_journal(
    inputs: list[InputFile], into: dict[str, str], options: dict[str, Any], import_id: str = ""
) -> Journal:
    """Open the journal of these inputs, or one in memory where they can't be read again.

    A new one begins an import of `import_id`, or of an id that no other has.
    """
    import_id = import_id or str(uuid.uuid4())
    hashes = [file.sha256 for file in inputs if file.sha256 is not None]
    if len(hashes) < len(inputs):
        say("Standard input and pipes can't be resumed if this is interrupted.")
        return Journal(str(uuid.uuid4()))
    journal = _opened(RunKey(into, hashes, options), import_id)
    if journal.boundaries:
        say("Resuming what was interrupted.")
    return journal


def _opened(key: RunKey, import_id: str) -> Journal:
    """Open the journal that is kept, or one in memory where this user can't keep any."""
    try:
        return Journal.opened(default_folder(), key, import_id)
    except (OSError, RuntimeError) as error:
        say(f"What is interrupted can't be resumed, as nothing can be kept: {error}")
        return Journal(import_id)


@contextmanager
def explain_interruption(
    address: str, journal: Journal, advice: Callable[[PersonaError | None], str]
) -> Iterator[None]:
    """Say what the user can do when the work in a block breaks off."""
    try:
        yield
    except KeyboardInterrupt as interrupt:
        raise stopped(interrupt, advice(None)) from None
    except PersonaError as error:
        print_error(error_text(error, address))
        say(advice(error))
        raise typer.Exit(1) from None
    finally:
        journal.close()


def how_to_resume(done: str, journal: Journal) -> str:
    """Return what is done so far, and what the user can do."""
    if journal.is_kept:
        return f"{done} The same command resumes from there."
    return f"{done} There is no resuming from there."


def batches(
    lines: Iterator[Line[Item]], journal: Journal, message_of: Callable[[Item], Message]
) -> Iterator[list[Line[Item]]]:
    """Yield the batches of the run before, then new ones, noted before they are sent."""
    ahead = next(lines, None)
    for last in tuple(journal.boundaries):
        batch = []
        while ahead is not None and ahead.position <= last:
            batch.append(ahead)
            ahead = next(lines, None)
        if batch:
            yield batch
    rest = chain((ahead,), lines) if ahead is not None else lines
    for batch in split_items(rest, lambda line: message_of(line.item)):
        journal.note_batch(batch[-1].position)
        yield batch


def total_bytes(inputs: list[InputFile]) -> int | None:
    """Return how many bytes there are to read; None if that can't be known."""
    sizes = [file.size for file in inputs if file.size is not None]
    return sum(sizes) if len(sizes) == len(inputs) else None
