"""What the protos say of each message, field, value, service and RPC, by its full name."""

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from google.protobuf.descriptor_pb2 import FileDescriptorProto, FileDescriptorSet

Place: TypeAlias = tuple[int, ...]
# What a file has, and what each of that has, by the number of the field that has it.
TOP: dict[int, str] = {4: "message_type", 5: "enum_type", 6: "service"}
WITHIN: dict[str, dict[int, str]] = {
    "message_type": {2: "field", 3: "nested_type", 4: "enum_type"},
    "nested_type": {2: "field", 3: "nested_type", 4: "enum_type"},
    "enum_type": {2: "value"},
    "service": {2: "method"},
}


def read_comments(root: Path) -> dict[str, str]:
    """Return the comments of the protos below a folder, each as paragraphs without line breaks."""
    command = ["buf", "build", str(root), "-o", "-"]
    built = subprocess.run(command, check=True, capture_output=True)  # noqa: S603 (our own tool)
    found: dict[str, str] = {}
    for file in FileDescriptorSet.FromString(built.stdout).file:
        found |= _of_file(file)
    return found


def _of_file(file: FileDescriptorProto) -> dict[str, str]:
    names = dict(_named(file, TOP, file.package, ()))
    located = {tuple(each.path): each.leading_comments for each in file.source_code_info.location}
    return {name: flowing(located.get(path, "")) for path, name in names.items()}


def _named(
    parent: Any, kinds: dict[int, str], scope: str, at: Place
) -> Iterator[tuple[Place, str]]:
    for number, kind in kinds.items():
        members: Sequence[Any] = getattr(parent, kind)
        for index, member in enumerate(members):
            path, name = (*at, number, index), f"{scope}.{member.name}"
            yield path, name
            yield from _named(member, WITHIN.get(kind, {}), name, path)


def flowing(comment: str) -> str:
    """Return a comment without the line breaks of the file; an empty line parts paragraphs."""
    paragraphs = comment.strip().split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
