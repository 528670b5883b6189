"""What to read: files, folders and patterns of names."""

import glob
import os
from collections.abc import Iterator
from pathlib import Path

from persona_cli.files.inputs import InputFile
from persona_cli.terminal.failures import CommandError
from persona_cli.terminal.output import printable, say

_SUFFIXES = {
    ".json", ".jsonl", ".ndjson", ".csv", ".tsv", ".yaml", ".yml", ".xlsx", ".parquet", ".gz",
    ".zst",
}  # fmt: skip
_ONE_OF_FOLDER = "scratch.json"  # what genagents keeps of an agent, beside what it remembers


def input_files(names: list[str]) -> list[InputFile]:
    """Return the files that names, folders and patterns stand for, those of a folder in order.

    Of a folder's files each is of its own: one that can't be read is refused. A file that is named
    again, as in a folder and by itself, is read once, which is said. Raises OSError, and
    CommandError for a folder or pattern with nothing to read.
    """
    found: dict[tuple[int, int, str], InputFile] = {}
    again = []
    for name in names:
        for file in _expanded(name):
            if found.setdefault(_entry(file.name), file) is not file:
                again.append(file.name)
    if again:
        more = f" and {len(again) - 1} more" if len(again) > 1 else ""
        say(printable(f"{again[0]}{more}: named more than once, and read once."))
    return list(found.values())


def _entry(name: str) -> tuple[int, int, str]:
    """Return the folder of a file, and what it is called there, however it was named."""
    folder = Path(name).parent.stat()
    return folder.st_dev, folder.st_ino, Path(name).name


def _expanded(name: str) -> list[InputFile]:
    path = Path(name)
    if name != "-" and path.is_dir():
        found = [_held(Path(folder), file) for folder, file in _walk(path)]
    elif name != "-" and glob.has_magic(name) and not path.exists():
        matching = sorted(glob.glob(name, recursive=True))  # noqa: PTH207 (it takes absolute ones)
        found = [
            _held(Path(each).parent, Path(each).name) for each in matching if Path(each).is_file()
        ]
    else:
        return [InputFile(name)]
    if not found:
        raise CommandError(f"{name}: has no file that can be read ({', '.join(sorted(_SUFFIXES))})")
    return found


def _held(folder: Path, file: str) -> InputFile:
    stem = file.split(".", maxsplit=1)[0]
    key = folder.resolve().name if file == _ONE_OF_FOLDER else stem
    return InputFile(str(folder / file), key)


def _walk(path: Path) -> Iterator[tuple[str, str]]:
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        if _ONE_OF_FOLDER in files:
            folders.clear()
            yield folder, _ONE_OF_FOLDER
            continue
        for file in sorted(files):
            if not file.startswith(".") and Path(file).suffix.lower() in _SUFFIXES:
                yield folder, file
