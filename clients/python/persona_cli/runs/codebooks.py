"""`persona responses record --draft-codebook`: a codebook of what a file holds."""

from itertools import islice

from persona_cli.files.answers.drafting import draft_codebook
from persona_cli.files.inputs import InputFile
from persona_cli.files.json_lines import LineError
from persona_cli.files.tables.opening import open_table
from persona_cli.files.tables.table import FileError, Reading
from persona_cli.terminal.failures import CommandError
from persona_cli.terminal.output import counted_done, print_line, printable

_LOOKED_AT = 10_000  # rows, in which rare options are seen


def print_draft(file: InputFile, reading: Reading) -> None:
    """Print a codebook in TOML for the rows of a file. Raises CommandError."""
    try:
        with file.opened() as stream:
            table = open_table(stream, reading, lambda _: None, is_pipe=file.is_pipe)
            rows = [row for _, row in islice(table.rows, _LOOKED_AT) if isinstance(row, dict)]
        draft = list(draft_codebook(rows))
    except (FileError, LineError) as error:
        raise CommandError(f"{file.name} {error}") from None
    if not rows:
        raise CommandError(f"{file.name} has no row that can be read")
    were = counted_done(len(rows), "row", "was", "were")
    print_line(f"# {printable(file.name)}: {were} looked at. Check every kind.")
    for line in draft:
        print_line(line)
