"""`persona erase`: a person erased, as the law asks. No server may be running."""

import sys
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona_server.commands.places import (
    DATA,
    Data,
    Database,
    counted,
    database_place,
    fail,
    failing_in_words,
    require_tenant,
)

if TYPE_CHECKING:
    from persona_server.storage.erasure.people import Person
    from persona_server.storage.store import Store

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Skip the confirmation.")]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("erase")(erase)


def erase(
    persona_id: Annotated[
        str, typer.Argument(metavar="ID", help="Id of any persona of the person, deleted or not.")
    ],
    tenant: Annotated[str, typer.Option(help="Name of the tenant, as its tokens have it.")],
    yes: Yes = False,
    data: Data = DATA,
    database: Database = "",
) -> None:
    """Erase a person for good: its personas in every group, its answers, and its library persona.

    The person is the persona named with all that it was copied from, copied to, promoted to and
    reused as. Reference answers go too: those of the real person that it stands for. Stop the
    server first. Backups are not reached.
    """
    from persona_server.storage.erasure.guard import scrub
    from persona_server.storage.erasure.people import PersonErasure

    require_tenant(tenant)
    try:
        wanted = uuid.UUID(persona_id).bytes
    except ValueError:
        fail("ID must be the id of a persona.", 2)
    with alone(database_place(data, database)) as store:
        erasure = PersonErasure(store, tenant)
        person = erasure.find(wanted)
        if person is None:
            fail(f"The tenant {tenant} has no persona {persona_id}.", 1)
        name = repr(person.full_name) if person.full_name else "A person that was erased before"
        confirm(f"{name}: {_counts(person)}.", yes=yes)
        for _ in erasure.erase(person):
            pass
        scrub(store)
    again = " before, and again now" if person.is_erased else ""
    print(f"Erased{again}: {_counts(person)}.")


def _counts(person: "Person") -> str:
    counts = {
        "personas": len(person.personas),
        "answers": person.responses,
        "library personas": len(person.library_personas),
        "reference answers": person.references,
    }
    return counted(counts)


def confirm(what: str, *, yes: bool) -> None:
    """Say what will go and ask whether it may, unless told so; a no ends the command."""
    if yes:
        return
    print(what)
    try:
        is_wanted = typer.confirm("Erase all of it for good?")
    except typer.Abort as abort:
        print(file=sys.stderr)
        fail("Nothing was erased.", 130 if isinstance(abort.__context__, KeyboardInterrupt) else 1)
    if not is_wanted:
        fail("Nothing was erased.", 1)


@contextmanager
def alone(place: Path | str) -> "Iterator[Store]":
    """Open a database that no server uses; what is wrong with it ends the command."""
    from persona_server.storage.store import open_store

    try:
        with (
            failing_in_words(),
            closing(open_store(place, make=False)) as store,
            store.database.alone(),
        ):
            store.database.require_owner()
            yield store
    except KeyboardInterrupt:
        print("What is erased is gone; the same command goes on with the rest.", file=sys.stderr)
        raise
