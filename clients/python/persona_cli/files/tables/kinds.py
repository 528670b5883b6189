"""What a file is, by how it begins: its name says nothing."""

import json
import re
from enum import StrEnum

from persona_cli.files.tables.csv_rows import find_delimiter
from persona_cli.files.tables.json_documents import CONTAINERS, Members
from persona_cli.files.tables.json_pieces import end_of_value
from persona_cli.files.tables.table import FileError
from persona_cli.files.tables.text import lines_of


class Kind(StrEnum):
    """How the rows of a file are written."""

    EMPTY = "nothing"
    JSON_LINES = "JSON lines"
    JSON = "JSON"
    LARGE_JSON = "JSON with a list"  # an object that is too large to be a row
    CSV = "CSV"
    YAML = "YAML"
    EXCEL = "Excel"
    PARQUET = "Parquet"


_BINARY = ((b"PK\x03\x04", Kind.EXCEL), (b"PAR1", Kind.PARQUET))
# Beginnings of what is none of them, and what to do.
_OTHERS = (
    (b"\xd0\xcf\x11\xe0", "is a document of old Office, such as .xls: save it as .xlsx or CSV"),
    (b"%PDF", "is a PDF document"),
    (b"\x89PNG", "is a picture"),
    (b"\xff\xd8\xff", "is a picture"),
    (b"GIF8", "is a picture"),
    (b"SQLite format 3\0", "is an SQLite database"),
    (b"BZh", "is compressed by bzip2; gzip and zstd can be read"),
    (b"\xfd7zXZ", "is compressed by xz; gzip and zstd can be read"),
    (b"7z\xbc\xaf", "is an archive: unpack it first"),
    (b"Rar!", "is an archive: unpack it first"),
    (b"ARROW1", "is an Arrow file; Parquet can be read"),
    (b"Obj\x01", "is an Avro file; Parquet can be read"),
    (b"\x7fELF", "is a program"),
)
_MARKUP = re.compile(r"<(!|\?xml|\w+[\s>])")
_ARRAY = re.compile(r'\[\s*([\[{\]"tfn\d-]|$)')
_MORE_OF_LINE = re.compile(r"[ \t]*[{,]")  # as of objects that were joined without a line's end
_MEMBER = r'\s*"[^"\n]*"\s*:\s*(?:"[^"\n]*"|[\w.+-]+)\s*,'  # one that holds no list
_LISTS = "|".join((*CONTAINERS, "responses"))  # those of a persona would fit into what is looked at
_HELD = re.compile(rf'\{{(?:{_MEMBER})*\s*"(?:{_LISTS})"\s*:\s*\[\s*\{{')
_YAML_LINE = re.compile(r"""(%YAML|---|\.\.\.|\s|[-?](\s|$)|\#|}|]|["']?[\w][^,;\t|]*:(\s|$))""")
_YAML_START = re.compile(r"(%YAML|---(\s|$))")


def binary_kind(head: bytes) -> Kind | None:
    """Return the kind of a file that is no text; None if it is. Raises FileError."""
    for mark, what in _OTHERS:
        if head.startswith(mark):
            raise FileError(what)
    return next((kind for mark, kind in _BINARY if head.startswith(mark)), None)


def text_kind(head: str, members: Members) -> Kind:
    """Return the kind of a text that begins so. Raises FileError."""
    text = head.lstrip("\ufeff \t\r\n")
    if not text.strip():  # such as a vertical tab alone
        return Kind.EMPTY
    if _MARKUP.match(text):
        raise FileError("is a page of HTML or XML")
    if text.startswith("{"):
        return _object_kind(text, members)
    if _ARRAY.match(text):
        return Kind.JSON
    return Kind.YAML if _is_yaml(text) else Kind.CSV


def is_settled(head: str, members: Members) -> bool:
    """Return whether a text that begins so is of the kind that it seems, whatever follows."""
    text = head.lstrip("\ufeff \t\r\n")
    if not text.startswith("{"):
        return True
    end = end_of_value(text, 0)
    return _begins_lines(text) if end < 0 else not _is_lone_holder(text, end, members)


def csv_note(delimiter: str) -> str:
    """Return what to say of a delimiter."""
    names = {",": "", "\t": "tabs between cells", "\x1f": "one column"}
    return names.get(delimiter, f"{delimiter} between cells")


def _object_kind(text: str, members: Members) -> Kind:
    """Return whether objects are lines or documents, or one that can't be a row."""
    end = end_of_value(text, 0)
    if end < 0:
        return _open_kind(text)
    is_line = len(lines_of(text[:end])) == 1 and not _MORE_OF_LINE.match(text, end)
    return Kind.JSON_LINES if is_line and not _is_lone_holder(text, end, members) else Kind.JSON


def _open_kind(text: str) -> Kind:
    """Return the kind of a text whose first object does not end within it."""
    if _HELD.match(text):
        return Kind.LARGE_JSON
    if _begins_lines(text):
        return Kind.JSON_LINES
    if len(text) > _LARGE:
        return Kind.LARGE_JSON
    return Kind.JSON if len(lines_of(text.strip())) > 1 else Kind.JSON_LINES


def _begins_lines(text: str) -> bool:
    """Return whether a first object without an end is a broken line, since another one follows."""
    first, *others = [line.strip() for line in lines_of(text) if line.strip()]
    return bool(others) and others[0].startswith("{") and first[-1] not in "{[,:"


_LARGE = 1 << 19  # characters; a row has fewer


def _is_lone_holder(text: str, end: int, members: Members) -> bool:
    """Return whether nothing follows an object, so that what it holds may be the rows.

    Of JSON lines another one follows, and each of them is a row.
    """
    if text[end:].strip():
        return False
    try:
        value = json.loads(text[:end])
    except (ValueError, RecursionError):
        return False
    return isinstance(value, dict) and bool(members.name_in(value))


def _is_yaml(text: str) -> bool:
    lines = [line for line in lines_of(text)[:20] if line.strip()]
    if _YAML_START.match(lines[0]):
        return True
    if find_delimiter(text) != "\x1f" and ":" not in lines[0]:
        return False
    return all(map(_YAML_LINE.match, lines))
