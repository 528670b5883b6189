"""A list of refused rows, as JSON lines that can be imported when they are mended."""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from persona_cli.files.inputs import InputFile
from persona_cli.files.outputs import atomic_output, require_writable
from persona_cli.files.refused import RAW, REFUSED, SHEET
from persona_cli.runs.refusals import OnRefused
from persona_cli.terminal.failures import usage_error
from persona_cli.terminal.output import compact_json

_IN_MEMORY = 1 << 20  # bytes


@contextmanager
def refused_rows(
    output: str, files: Sequence[InputFile], is_sheet: Callable[[int], bool] = lambda _: False
) -> Iterator[OnRefused | None]:
    """Return what writes a row with the reason for which it was refused; None without `output`.

    A row that could not be read is there as the text that it was. `is_sheet` says of a file whether
    its rows are those of a table, where that makes a difference. Raises a usage error if the list
    would take the place of one of the files that are read, and OSError if it can't be written.
    """
    if not output:
        yield None
        return
    if any(file.is_at(output) for file in files):
        raise usage_error(f"--refused {output}: is a file that is read: name another one")
    require_writable(output)
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as held:

        def keep(file: int, reason: str, source: Any) -> None:
            cells = source if isinstance(source, dict) else {RAW: str(source or "")}
            if is_sheet(file) and cells is source:
                cells = cells | {SHEET: True}
            try:
                line = compact_json({**cells, REFUSED: reason})
            except RecursionError:  # it is too deep to be written as well
                line = compact_json({RAW: "", REFUSED: reason})
            held.write(line.encode(errors="replace") + b"\n")

        yield keep
        held.seek(0)
        with atomic_output(output) as target:
            shutil.copyfileobj(held, target)
