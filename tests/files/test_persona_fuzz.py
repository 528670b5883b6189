"""Whatever the rows: each is counted once, as a persona or refused, and nothing of it is lost."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from persona_cli.files.json_lines import LineError
from persona_cli.files.persona_files import Options, PersonaFiles, PersonaRow
from persona_cli.files.sources import input_files
from persona_cli.files.tables.table import FileError
from persona_cli.terminal.output import json_object

TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
KNOWN = """full_name fullName id external_id age gender income_level traits name uuid attributes
personality_traits persona created_at agent_id first_name professional_persona type avatar_url
persona_code library_persona_id"""
NAMES = st.sampled_from(KNOWN.split()) | TEXTS
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**40) | st.floats(0, 1e6) | TEXTS,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=10,
)
LAYOUTS: list[dict[str, Any]] = [
    {"full_name": "Mira"},
    {"full_name": "Mira", "persona_code": "A1"},
    {"first_name": "Mira", "agent_id": "a1"},
    {"type": "TinyPerson", "persona": {"name": "Mira", "personality": {"traits": ["a"]}}},
    {"name": "Mira", "traits": {"age": 3, "persona": "kind"}},
    {"uuid": "u1", "persona": "Mira Ek paints.", "professional_persona": "x"},
    {"persona": "A beekeeper."},
]


@st.composite
def crowds(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Return people of one layout, with anything beside what makes them so."""
    layout = draw(st.sampled_from(LAYOUTS))
    others = draw(st.lists(st.dictionaries(NAMES, VALUES, max_size=5), min_size=2, max_size=4))
    return [other | layout for other in others]


def items_of(raw: bytes) -> list[PersonaRow | LineError] | None:
    """Return what each row of a file becomes; None if it is no file of personas."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "people"
        path.write_bytes(raw)
        with PersonaFiles(input_files([str(path)]), Options()) as files:
            try:
                files.look(0)
            except FileError:
                return None
            return [item for _, item in files.items(0, lambda _: None)]


def leaves(value: Any) -> Iterator[str]:
    """Yield the texts and numbers within a value, as text."""
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from leaves(inner)
    elif isinstance(value, float) and value.is_integer():
        yield f"{value:.0f}"  # an age of 30.0 is 30
    elif value is not None and value != "":
        yield value if isinstance(value, str) else json.dumps(value)


def is_kept(text: str, said: str) -> bool:
    """Whether a text is in what a persona says: as it is, or as JSON within JSON writes it."""
    once = json.dumps(text.strip(), ensure_ascii=False)[1:-1]
    twice = json.dumps(once, ensure_ascii=False)[1:-1]
    return any(form.lower() in said.lower() for form in (text.strip(), once, twice))


@settings(max_examples=400, deadline=None)
@given(crowds())
def test_each_object_is_a_persona_with_all_of_it_or_refused(people: list[dict[str, Any]]) -> None:
    items = items_of("\n".join(map(json.dumps, people)).encode())
    if items is None:
        return
    assert len(items) == len(people)
    for person, item in zip(people, items, strict=True):
        if isinstance(item, LineError):
            assert str(item)
            continue
        said = json.dumps(json_object(item.persona), ensure_ascii=False)
        ignored = {"project_id", "projectId", "group_id", "groupId", "copied_from", "copiedFrom"}
        for name, value in person.items():
            if name not in ignored | {"created_at", "createdAt"}:
                assert all(is_kept(leaf, said) for leaf in leaves(value)), (name, value, said)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(TEXTS, min_size=3, max_size=3), min_size=1, max_size=5))
def test_each_row_of_a_sheet_is_a_persona_with_all_of_it_or_refused(rows: list[list[str]]) -> None:
    quoted = ('","'.join(cell.replace('"', '""') for cell in row) for row in rows)
    raw = "full_name,age,Größe\n" + "".join(f'"{line}"\n' for line in quoted)
    items = items_of(raw.encode())
    assert items is not None
    wanted = [row for row in rows if any(map(str.strip, row))]
    assert len(items) == len(wanted)
    for row, item in zip(wanted, items, strict=True):
        if isinstance(item, PersonaRow):
            assert item.persona.full_name == row[0].strip()
            assert item.persona.attributes.get("Größe", "") == row[2]
