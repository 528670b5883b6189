"""How text is encoded: by its byte order mark, its zeros, or what its bytes can't be."""

import codecs
import re

from persona_cli.files.tables.table import FileError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ZEROS = (
    (re.compile(rb"[^\0]\0[^\0]\0"), "utf-16-le"),
    (re.compile(rb"\0[^\0]\0[^\0]"), "utf-16-be"),
)
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")
_MOST_CONTROLS = 0.1  # of all bytes of a text
_ANY = bytes(range(256))
_UNDECODED = re.compile("[\udc80-\udcff]")


def known_encoding(name: str) -> str:
    """Return an encoding of text by the name that Python has for it. Raises FileError."""
    try:
        found = codecs.lookup(name).name
        _ANY.decode(found, "replace")  # as nothing does that is of bytes, or of names of hosts
    except (LookupError, ValueError):
        raise FileError(f"can't be read as {name}, which is no encoding known here") from None
    return found


def find_encoding(head: bytes) -> str:
    """Return the encoding of a text that begins so. Raises FileError for what is no text."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    for zeros, name in _ZEROS:
        if zeros.match(head):
            return name
    # A text may hold some control characters, which `persona export` writes as they are.
    controls = len(_CONTROL.findall(head))
    if b"\0" in head or controls > _MOST_CONTROLS * len(head) or (controls and _undecoded(head)):
        raise FileError("is a binary file of no kind that is known here")
    return "cp1252" if _is_single_byte(head) else "utf-8"


def undecoded_byte(text: str) -> int:
    """Return where in a line a byte stood that is no text, from 1; 0 if there is none."""
    if text.isascii():
        return 0
    found = _UNDECODED.search(text)
    return len(text[: found.start()].encode(errors="surrogateescape")) + 1 if found else 0


def _is_single_byte(head: bytes) -> bool:
    """Whether more of what is beyond ASCII is no UTF-8 than is; a character may be cut off."""
    text = _decoded(head)
    bad = len(_UNDECODED.findall(text))
    return bad > sum(not c.isascii() for c in text) - bad


def _undecoded(head: bytes) -> bool:
    return _UNDECODED.search(_decoded(head)) is not None


def _decoded(head: bytes) -> str:
    return codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(head)
