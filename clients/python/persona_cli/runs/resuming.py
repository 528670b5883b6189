"""What commands share that read files in batches, and go on where they broke off."""

import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import typer
from google.protobuf.message import Message

from persona_cli.files.json_lines import Item
from persona_cli.files.sources import Line, Source
from persona_cli.runs.journal import Journal, Key, default_folder
from persona_cli.terminal.failures import complain, explained
from persona_client import PersonaError
from persona_client.batches import split_items


def open_journal(
    address: str, sources: list[Source], into: dict[str, str], options: dict[str, Any]
) -> Journal:
    """Open the journal of these sources, or one in memory where they can't be read again."""
    import_id = str(uuid.uuid4())
    hashes = [source.sha256 for source in sources if source.sha256 is not None]
    if len(hashes) < len(sources):
        print("Standard input and pipes can't be resumed if the import breaks.", file=sys.stderr)
        return Journal(import_id)
    journal = Journal.opened(default_folder(), Key(address, into, hashes, options), import_id)
    if journal.boundaries:
        print("Going on with the import that broke off.", file=sys.stderr)
    return journal


@contextmanager
def broken_off(
    address: str, journal: Journal, advice: Callable[[PersonaError | None], str]
) -> Iterator[None]:
    """Say what the user can do when the work in a block breaks off."""
    try:
        yield
    except KeyboardInterrupt:
        print(f"\nInterrupted. {advice(None)}", file=sys.stderr)
        raise
    except PersonaError as error:
        complain(explained(error, address))
        print(advice(error), file=sys.stderr)
        raise typer.Exit(1) from None
    finally:
        journal.close()


def how_to_go_on(done: str, journal: Journal) -> str:
    """Return what is done so far, and what the user can do."""
    if journal.is_kept:
        return f"{done} The same command goes on from there."
    return f"{done} Standard input and pipes can't be read again, so nothing can go on from there."


def batches(
    lines: Iterator[Line[Item]], journal: Journal, message_of: Callable[[Item], Message]
) -> Iterator[list[Line[Item]]]:
    """Yield the batches of the run before, then new ones, noted before they are sent."""
    ahead = next(lines, None)
    for last in tuple(journal.boundaries):
        batch = []
        while ahead is not None and ahead.place <= last:
            batch.append(ahead)
            ahead = next(lines, None)
        if batch:
            yield batch
    rest = chain((ahead,), lines) if ahead is not None else lines
    for batch in split_items(rest, lambda line: message_of(line.item)):
        journal.batch(batch[-1].place)
        yield batch


def total_bytes(sources: list[Source]) -> int | None:
    """Return how many bytes there are to read; None if that can't be known."""
    sizes = [source.size for source in sources if source.size is not None]
    return sum(sizes) if len(sizes) == len(sources) else None
