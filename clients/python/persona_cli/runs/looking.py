"""What is said of files before and after they are imported."""

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

from persona.v1.persona_pb2 import Persona
from persona_cli.files.json_lines import LineError
from persona_cli.files.layouts.own import OWN
from persona_cli.files.persona_files import Look, PersonaFiles
from persona_cli.files.tables.table import FileError
from persona_cli.terminal.failures import CommandError
from persona_cli.terminal.output import counted, printable, say

_MOST_NOTES = 20


def look_at(personas: PersonaFiles) -> None:
    """Say what files are, those of one kind together. Raises CommandError if one can't be read.

    One of a folder's is left for the import to refuse, unless all of them are.
    """
    titled: list[tuple[str, str]] = []
    unread: CommandError | None = None
    for index, file in enumerate(personas.inputs):
        try:
            look = personas.look(index)
        except FileError as error:
            unread = CommandError(f"{file.name} {error}")
            if not file.key:
                raise unread from None
        else:
            titled.append((file.name, "" if _is_plain(look) else look.title))
    if unread is not None and not titled:
        raise unread
    say_titles(titled)


def say_titles(titled: list[tuple[str, str]]) -> None:
    """Say what files are by name and title, those of one title together; "" is not said."""
    titles = Counter(title for _, title in titled)
    first = {title: name for name, title in reversed(titled)}
    for title, count in titles.items():
        if title:
            more = f" and {count - 1} more" if count > 1 else ""
            say(printable(f"{first[title]}{more}: {title}."))


def say_notes(personas: PersonaFiles) -> None:
    """Say what of the personas was not taken as it stood, each thing once."""
    notes = personas.notes.most_common()
    for (name, text), count in notes[:_MOST_NOTES]:
        say(printable(f"{name} {text}: {counted(count, 'persona')}."))
    if len(notes) > _MOST_NOTES:
        say(f"… and {len(notes) - _MOST_NOTES} more such notes.")


def all_keyed(personas: PersonaFiles) -> bool:
    """Whether all that files begin with has ids, of this service or the source.

    A file of which no row is a persona has none.
    """
    found = [_keyed(personas, index) for index in range(len(personas.inputs))]
    personas.notes.clear()  # they are taken when the rows are read
    return all(found)


def _keyed(personas: PersonaFiles, index: int) -> bool:
    keys = [one.id or one.external_id for one in _made(personas, index)]
    return bool(keys) and all(keys)


def _made(personas: PersonaFiles, index: int) -> Iterator[Persona]:
    try:
        rows = personas.look(index).numbered
    except FileError:
        return
    for row in rows:
        with suppress(LineError):
            yield personas.persona_of(index, row)


def _is_plain(look: Look) -> bool:
    """Whether a file is as this service writes it, and there is nothing to say."""
    return look.table.kind == "JSON lines" and look.mapping == OWN and not look.table.note
