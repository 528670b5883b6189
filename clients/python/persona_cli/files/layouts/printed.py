"""Lists as programs print them into a cell, where they are neither JSON nor Python."""

import ast
import re

_QUOTED = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*\""""
_ENTRY = rf"(?:{_QUOTED}|None|nan)"
# No commas: Python would make one text of all items.
_NUMPY = re.compile(rf"\[\s*{_ENTRY}(?:\s+{_ENTRY})+\s*\]", re.DOTALL)
# Spaces at the end belong to a bare item itself: looked for behind it too, each way to share them
# would be tried.
_ITEM = re.compile(
    rf"""\s*(?:(?P<quoted>{_QUOTED})\s*|(?P<bare>[^\s,'"\[\]{{}}][^,\[\]{{}}]*))(?:,|$)""",
    re.DOTALL,
)
_NOTHING = {"NULL", "None", "nan"}  # a text of that name has quotes


def numpy_list(cell: str) -> list[str] | None:
    """Return the texts of a list that NumPy prints, ['a' 'b'], as pandas has them; None if none."""
    if not _NUMPY.fullmatch(cell):
        return None
    return [_unquoted(item) for item in re.findall(_ENTRY, cell, re.DOTALL) if item[0] in "'\""]


def bare_list(cell: str) -> list[str] | None:
    """Return the texts of DuckDB's [a, 'b, c'] or PostgreSQL's {a,"b, c"}; None if it is none."""
    if cell[:1] + cell[-1:] not in ("[]", "{}"):
        return None
    inner, items, at = cell[1:-1].strip(), [], 0
    while at < len(inner):
        if not (found := _ITEM.match(inner, at)):
            return None
        if found["quoted"]:
            items.append(_unquoted(found["quoted"]))
        elif (item := found["bare"].strip()) not in _NOTHING:
            items.append(item)
        at = found.end()
    return items


def _unquoted(item: str) -> str:
    try:
        return str(ast.literal_eval(item))
    except (ValueError, SyntaxError):  # such as a line's end within it
        return re.sub(r"\\(.)", r"\1", item[1:-1], flags=re.DOTALL)
