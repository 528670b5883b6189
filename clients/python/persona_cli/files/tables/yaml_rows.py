"""YAML: objects of a list, of a list that an object holds, or one a document."""

import re
from typing import Any, TextIO

from persona_cli.files.tables.json_documents import Members, row_of, rows_of
from persona_cli.files.tables.plain import plain
from persona_cli.files.tables.table import FileError, Rows, missing_extra, reading_with_library

MAX_YAML = 64 << 20  # characters; it is read as a whole
_MAX_VALUES = 10_000_000  # with those that aliases repeat
_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"  # of "<<", which may repeat
# What a text without quotes is if it is no text, as JSON has it. In YAML 1.1 NO is false, 9:30 is
# 570 and 01234 is 668: of a country, an hour and a code nothing would be left.
_WORDS = (
    ("null", re.compile(r"(~|null|Null|NULL|)$"), ("~", "n", "N", "")),
    ("bool", re.compile(r"(true|True|TRUE|false|False|FALSE)$"), tuple("tTfF")),
    ("int", re.compile(r"-?(0|[1-9][0-9]*)$"), tuple("-0123456789")),
    (
        "float",
        re.compile(
            r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$|[-+]?\.(inf|Inf|INF)$|\.(nan|NaN|NAN)$"
        ),
        tuple("-+.0123456789"),
    ),
    ("merge", re.compile(r"<<$"), ("<",)),
)


def yaml_rows(text: TextIO, members: Members) -> Rows:
    """Yield the objects of a file, numbered from 1. Raises FileError."""
    try:
        import yaml
    except ImportError:
        raise missing_extra("YAML") from None
    whole = text.read(MAX_YAML + 1)
    if len(whole) > MAX_YAML:
        raise FileError(f"is too large for YAML ({MAX_YAML >> 20} MiB): make it JSON lines")
    with reading_with_library("YAML"):
        documents = list(yaml.load_all(whole, _loader(yaml)))
        _require_finite(documents)
        values = [row for document in documents for row in rows_of(plain(document), members)]
    for number, value in enumerate((each for each in values if each is not None), 1):
        yield number, row_of(value, "YAML")


def _loader(yaml: Any) -> Any:
    """Return a loader that refuses a key that repeats, of which YAML's own keep the last.

    What has no quotes is a text but where JSON has it as something else.
    """

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        def construct_document(self, node: Any) -> Any:
            _require_once(yaml, node)
            return super().construct_document(node)

    Loader.yaml_implicit_resolvers = {}  # of this class alone
    for name, form, begins in _WORDS:
        Loader.add_implicit_resolver(_TAG + name, form, list(begins))
    return Loader


def _require_once(yaml: Any, document: Any) -> None:
    """Refuse a document in which a key repeats within its mapping. Raises FileError."""
    nodes, seen = [document], set()
    while nodes:
        node = nodes.pop()
        if id(node) in seen or isinstance(node, yaml.ScalarNode):
            continue
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            _require_keys_once(yaml, [key for key, _ in node.value])
            nodes += [value for _, value in node.value]
        else:
            nodes += node.value


def _require_keys_once(yaml: Any, keys: list[Any]) -> None:
    said = set()
    for key in keys:
        if not isinstance(key, yaml.ScalarNode) or key.tag == _MERGE:
            continue
        if key.value in said:
            line = key.start_mark.line + 1
            raise FileError(f'repeats the key "{key.value[:100]}" in one object (line {line})')
        said.add(key.value)


def _require_finite(documents: list[Any]) -> None:
    """Refuse aliases that make a small file a huge or an endless one."""
    sizes: dict[int, int] = {}
    if _size(documents, sizes) > _MAX_VALUES:
        raise FileError("has aliases that make it too large")


def _size(value: Any, sizes: dict[int, int]) -> int:
    """Return how many values there are, each as often as it is meant; an endless one is huge."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in sizes:
        sizes[id(value)] = _MAX_VALUES + 1  # while it is counted: one within itself has no end
        inner = value.values() if isinstance(value, dict) else value
        sizes[id(value)] = 1 + sum(_size(item, sizes) for item in inner)
    return sizes[id(value)]
