"""What a row of a list of refused ones has beside its cells; `runs/refused_rows.py` writes it."""

from persona_cli.files.json_lines import LineError
from persona_cli.files.tables.table import Cells

RAW = "_raw"  # the text that was no row
REFUSED = "_refused"  # why it was refused
SHEET = "_sheet"  # that its cells are those of a table, whose lists and numbers may be texts
_MARKS = frozenset((REFUSED, SHEET))


def mended(row: Cells | LineError) -> Cells | LineError:
    """Return a row as it was before it was refused, or why it is still none."""
    if isinstance(row, LineError):
        return row
    if RAW in row:
        return LineError(f"is still a text that is no row: put its fields in place of {RAW}", row)
    if _MARKS.isdisjoint(row):
        return row
    return {name: cell for name, cell in row.items() if name not in _MARKS}
