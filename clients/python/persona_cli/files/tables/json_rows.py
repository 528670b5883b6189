"""JSON lines: an object a line."""

from persona_cli.files.json_lines import LineError, check_length, parse_text
from persona_cli.files.tables.encodings import undecoded_byte
from persona_cli.files.tables.table import Cells, Rows
from persona_cli.files.tables.text import TextLines


def json_line_rows(lines: TextLines) -> Rows:
    """Yield the object of each line that is not blank, by its number."""
    for number, line in lines:
        if text := line.strip().removeprefix("\ufeff"):  # of files that were joined
            yield number, _row(text)


def _row(text: str) -> Cells | LineError:
    try:
        check_length(text)
        if byte := undecoded_byte(text):
            raise LineError(f"is not UTF-8 (byte {byte})")
        return parse_text(text)
    except LineError as error:
        error.source = text
        return error
