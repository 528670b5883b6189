"""A row for each answer: with fields as the contract names them, or a long table."""

from collections.abc import Iterator
from datetime import tzinfo

from persona.v1.response_pb2 import Response
from persona_cli.files.answers.answer import Answer, Tally
from persona_cli.files.answers.cells import is_blank, time
from persona_cli.files.answers.long_rows import require_columns, response_of_row
from persona_cli.files.json_lines import parse_message
from persona_cli.files.tables.table import Cells
from persona_server.validation.responses import OUTPUT_ONLY

_IGNORED = OUTPUT_ONLY - {"simulation_id"}
_BESIDE = "persona"  # which an export puts beside its answer


class ContractRows:
    """Responses as `persona responses list --json` prints them."""

    title = "responses"
    width = 1

    def __init__(self, zone: tzinfo | None, tally: Tally) -> None:
        self._zone = zone
        self._tally = tally

    def answers(self, row: Cells) -> Iterator[Answer]:
        """Yield the answer of a row, unless it is void. Raises LineError."""
        if is_void(row, self._tally):
            return
        if self._zone is not None:
            row = {name: self._zoned(row, name) for name in row}
        row = {name: cell for name, cell in row.items() if name != _BESIDE}
        yield Answer(parse_message(row, Response(), _IGNORED, "response"))

    def part(self, row: Cells, column: str) -> Cells:  # noqa: ARG002 (a row has one answer)
        """Return the row."""
        return row

    def _zoned(self, row: Cells, name: str) -> object:
        is_time = name in {"occurred_at", "occurredAt"} and isinstance(row[name], str)
        return time(row, name, self._zone).ToJsonString() if is_time else row[name]


class LongRows:
    """Rows of a table with the columns question_key, kind and value."""

    title = "a row for each answer"
    width = 1

    def __init__(self, zone: tzinfo | None, tally: Tally, *, is_sheet: bool) -> None:
        self._zone = zone
        self._tally = tally
        self._is_sheet = is_sheet  # so that every row has the columns that were looked at

    def answers(self, row: Cells) -> Iterator[Answer]:
        """Yield the answer of a row, unless it is void. Raises LineError."""
        if not self._is_sheet:
            require_columns(row)
        if is_void(row, self._tally):
            return
        response = response_of_row(row, self._zone)
        if response.question_key != row["question_key"]:
            self._tally.notes["question_key had spaces around it, which were left out"] += 1
        yield Answer(response)

    def part(self, row: Cells, column: str) -> Cells:  # noqa: ARG002 (a row has one answer)
        """Return the row."""
        return row


def is_void(row: Cells, tally: Tally) -> bool:
    """Return whether a row is of an answer that was void where it was exported; note that."""
    found = any(not is_blank(row, name) for name in ("voided_at", "voidedAt"))
    if found:
        tally.notes["void where it was exported, and left out"] += 1
    return found


def is_exported(row: Cells) -> bool:
    """Return whether a row is of an answer that was recorded somewhere."""
    return any(not is_blank(row, name) for name in ("recorded_at", "recordedAt"))
