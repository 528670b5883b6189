"""`persona import --explain`: a mapping file of what is found, with what it makes of a file."""

import json
from collections.abc import Iterator

from persona.v1.persona_pb2 import Persona
from persona_cli.files.json_lines import LineError
from persona_cli.files.layouts.known import is_known, name_of
from persona_cli.files.layouts.levels import LEVELS
from persona_cli.files.layouts.mapping import Mapping
from persona_cli.files.layouts.templates import value_at
from persona_cli.files.layouts.values import text_of
from persona_cli.files.persona_files import Look, PersonaFiles
from persona_cli.files.tables.table import FileError
from persona_cli.terminal.failures import CommandError
from persona_cli.terminal.output import counted_done, json_object, print_line, printable, toml_text

_SHOWN = 3  # personas, and refused rows
_WORDS = 20  # of incomes


def explain_file(personas: PersonaFiles) -> None:
    """Print a mapping file for the first file, which as it stands imports it as it would be.

    Raises CommandError.
    """
    file = personas.inputs[0]
    try:
        look = personas.look(0)
    except FileError as error:
        raise CommandError(f"{file.name} {error}") from None
    made = [_made(personas, row) for row in look.numbered]
    were = counted_done(len(look.rows), "row", "was", "were")
    print_line(f"# {printable(file.name)}: {look.title}; {were} looked at.")
    for lines in (_mapping_lines(look.mapping), _level_lines(look), _result_lines(look, made)):
        print_line("\n".join(lines))
    for (name, text), count in personas.notes.most_common():
        print_line(_comment(f"{name} {text}: {count} of them"))


def _made(personas: PersonaFiles, row: tuple[int, dict[str, object]]) -> Persona | str:
    try:
        return personas.persona_of(0, row)
    except LineError as error:
        return f"{personas.inputs[0].place(row[0])}: {error}"


def _mapping_lines(mapping: Mapping) -> Iterator[str]:
    """Yield what of a mapping file says the same; what the layout says by itself as comments."""
    if layout := name_of(mapping):
        yield f"layout = {toml_text(layout)}"
    if mapping.dropped:
        yield f"drop = [{', '.join(map(toml_text, sorted(mapping.dropped)))}]"
    yield "\n[fields]"
    for name, templates in mapping.fields.items():
        said = ", ".join(toml_text(str(template)) for template in templates)
        line = f"{name} = {said}" if len(templates) == 1 else f"{name} = [{said}]"
        yield f"# {line}" if is_known(mapping, name) else line
    yield from (f"{name} = []" for name in mapping.unfilled)


def _level_lines(look: Look) -> Iterator[str]:
    """Yield the cases of incomes: those that are said, or the words that are there, to fill in."""
    mapping = look.mapping
    if mapping.levels:
        yield "\n[levels]"
        yield from (f"{toml_text(case.case)} = {toml_text(case.level)}" for case in mapping.levels)
        return
    paths = [path for template in mapping.fields.get("income_level", ()) for path in template.paths]
    values = (value_at(row, path) for _, row in look.numbered for path in paths)
    words = dict.fromkeys(text_of(value) for value in values if value is not None and value != "")
    if unknown := [word for word in words if word.strip().lower() not in LEVELS]:
        yield '\n[levels] # what each stands for; an amount may be "<20k", "20k-75k", and * is any'
        yield from (f'# {toml_text(word)} = "Middle"' for word in unknown[:_WORDS])


def _result_lines(look: Look, made: list[Persona | str]) -> Iterator[str]:
    personas = [one for one in made if isinstance(one, Persona)]
    kept = dict.fromkeys(key for one in personas for key in one.attributes)
    yield _comment(f"\nTo attributes go: {', '.join(sorted(kept)) or 'none'}.")
    refused = [one for one in made if isinstance(one, str)]
    refused += [f"row {n}: {row}" for n, row in look.rows if isinstance(row, LineError)]
    yield _comment(f"Refused: {len(refused)} of {len(look.rows)}.")
    yield from (_comment(f"  {reason}") for reason in refused[:_SHOWN])
    yield _comment("As they would be:")
    for persona in personas[:_SHOWN]:
        said = {name: value for name, value in json_object(persona).items() if value}
        yield _comment(json.dumps(said, ensure_ascii=False, indent=2))


def _comment(text: str) -> str:
    return "\n".join(f"# {printable(line)}".rstrip() for line in text.split("\n"))
