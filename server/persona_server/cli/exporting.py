"""`persona export`: a group as JSON lines that import elsewhere."""

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from persona_client import PersonaFilters
from persona_server.cli.names import group_ids
from persona_server.cli.output import json_line
from persona_server.cli.session import GroupOption, ProjectOption, Session, client_command


def register(app: typer.Typer) -> None:
    """Add the command."""
    client_command(app, "export", json=False)(export)


def export(
    session: Session,
    project: ProjectOption,
    group: GroupOption,
    filters: PersonaFilters,
    output: Annotated[
        str, typer.Option("--output", "-o", help="File to write; - is standard output.")
    ] = "-",
) -> None:
    """Write a group's personas as JSON lines, oldest first, that `persona import` reads.

    A file appears only once it is complete.
    """
    ids = group_ids(session.client, project, group)
    count = 0
    with _opened(output) as target, session.patient_client() as client:
        for persona in client.export_personas(*ids, **filters):
            target.write(json_line(persona).encode() + b"\n")
            count += 1
    print(f"Exported {count} persona{'' if count == 1 else 's'}.", file=sys.stderr)


@contextmanager
def _opened(output: str) -> Iterator[BinaryIO]:
    """Open the target; a regular file is replaced at the end, or left as it was."""
    if output == "-":
        yield sys.stdout.buffer
        return
    target = Path(output).resolve()
    if target.exists() and not stat.S_ISREG(target.stat().st_mode):  # a pipe, a device
        with target.open("wb") as stream:
            yield stream
        return
    mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask()
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            os.fchmod(stream.fileno(), mode)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
