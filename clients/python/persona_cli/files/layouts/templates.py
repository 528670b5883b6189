"""Templates: how a field is made of what a source has, such as "{first} {last}"."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from persona_cli.files.layouts.values import text_of

PLACES = ("row", "file", "folder")  # what a template may take of where a row stands
_PLACE = re.compile(r"\{([^{}]+)\}")
_QUOTED = re.compile(r"'([^']*)'")


@dataclass(frozen=True, slots=True)
class Template:
    """Texts, each before the path of a value, and one after all.

    A path is a column or member, or several with dots between them.
    """

    pieces: tuple[tuple[str, str], ...]
    end: str = ""
    # The path whose value is taken as it is, "" if there is more to it; and whether it can only be
    # the name of a column or member. Both are asked for each row.
    lone: str = field(init=False, compare=False)
    is_name: bool = field(init=False, compare=False)

    def __post_init__(self) -> None:
        is_lone = len(self.pieces) == 1 and not self.pieces[0][0] and not self.end
        lone = self.pieces[0][1] if is_lone else ""
        object.__setattr__(self, "lone", lone)
        object.__setattr__(self, "is_name", bool(lone) and "." not in lone)

    @property
    def paths(self) -> tuple[str, ...]:
        """What it is made of."""
        return tuple(path for _, path in self.pieces)

    def value(self, row: dict[str, Any]) -> Any:
        """Return what it makes of a row; None if nothing is there.

        What a row lacks is left out with the text before it.
        """
        if lone := self.lone:
            return value_at(row, lone)
        if not self.pieces:
            return self.end
        made = ""
        for i, (before, path) in enumerate(self.pieces):
            if text := _scalar_text(value_at(row, path)):
                made += f"{before if made or i == 0 else ''}{text}"
        return f"{made}{self.end}" if made else None

    def __str__(self) -> str:
        if not self.pieces:
            return f"'{self.end}'"
        return "".join(f"{before}{{{path}}}" for before, path in self.pieces) + self.end


def parse_template(text: str) -> Template:
    """Return a template: a text without {} is the column of that name, 'such' is taken as it is.

    Raises ValueError for a brace or quote that is left open.
    """
    if quoted := _QUOTED.fullmatch(text):
        return Template((), quoted[1])
    rest = _PLACE.sub("", text)
    if "{" in rest or "}" in rest or text.startswith("'"):
        raise ValueError(f"{text} has a brace or quote that is left open")
    if "{" not in text:
        return Template((("", text.strip()),))
    pieces, last = [], 0
    for place in _PLACE.finditer(text):
        pieces.append((text[last : place.start()], place[1].strip()))
        last = place.end()
    return Template(tuple(pieces), text[last:])


def value_at(row: dict[str, Any], path: str) -> Any:
    """Return the value at a path; None if it is not there. A name may have dots itself."""
    if path in row:
        return row[path]
    if "." not in path:
        return None
    value: Any = row
    for name in path.split("."):
        if not isinstance(value, dict) or name not in value:
            return None
        value = value[name]
    return value


def without(row: dict[str, Any], paths: Iterable[str]) -> dict[str, Any]:
    """Return a row that has nothing at some paths."""
    for path in paths:
        name, dot, rest = path.partition(".")
        if path in row:
            row = {key: value for key, value in row.items() if key != path}
        elif dot and isinstance(row.get(name), dict):
            row = row | {name: without(row[name], (rest,))}
    return row


def _scalar_text(value: Any) -> str:
    if value is None or isinstance(value, bool | list | dict):
        return ""
    return text_of(value).strip()
