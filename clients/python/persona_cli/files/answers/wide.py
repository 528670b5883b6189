"""A wide table: a row for each respondent, a column for each question, and a codebook."""

from collections.abc import Iterator
from datetime import tzinfo

from google.protobuf.timestamp_pb2 import Timestamp

from persona.v1.response_pb2 import Response
from persona_cli.files.answers.answer import Answer, Tally
from persona_cli.files.answers.cells import is_blank, text, time_or_utc
from persona_cli.files.answers.codebook import Codebook
from persona_cli.files.answers.questions import Question
from persona_cli.files.json_lines import LineError
from persona_cli.files.tables.table import Cells
from persona_cli.terminal.output import counted

_IN_UTC = "is taken as UTC where it names no time zone (--timezone says another one)"


class WideRows:
    """Rows of respondents. A blank cell is a question that was skipped, and is counted."""

    def __init__(self, codebook: Codebook, zone: tzinfo | None, tally: Tally) -> None:
        self._codebook = codebook
        self._zone = zone
        self._tally = tally

    @property
    def title(self) -> str:
        """What it is, as its user calls it."""
        return f"a row for each respondent, {counted(self.width, 'question')}"

    @property
    def width(self) -> int:
        """How many answers a row holds that can't be read."""
        return len(self._codebook.questions)

    def answers(self, row: Cells) -> Iterator[Answer | LineError]:
        """Yield the answers of a row, or why one is none. Raises LineError about all of them."""
        asked = [each for each in self._codebook.questions if not is_blank(row, each.column)]
        self._tally.skipped += self.width - len(asked)
        try:
            shared = self._shared(row, len(asked)) if asked else Response()
        except LineError as error:
            error.count = len(asked)
            raise
        for question in asked:
            yield self._answer(question, row, shared)

    def part(self, row: Cells, column: str) -> Cells:
        """Return a row with no other answer than the one that a column names."""
        others = (each for each in self._codebook.questions if each.column != column)
        left_out = {name for question in others for name in (question.column, question.themes)}
        return {name: cell for name, cell in row.items() if name not in left_out}

    def _shared(self, row: Cells, count: int) -> Response:
        """Return what all answers of a respondent say, so many. Raises LineError."""
        shared = Response()
        for field, column in self._codebook.fields.items():
            if is_blank(row, column):
                if field in {"persona_id", "persona_external_id"}:
                    raise LineError(f"{column} is blank, so that nobody knows who answered")
            elif field == "occurred_at":
                shared.occurred_at.CopyFrom(self._time(row, column, count))
            else:
                setattr(shared, field, text(row, column).strip())
        return shared

    def _time(self, row: Cells, column: str, count: int) -> Timestamp:
        """Return when so many answers were given. Survey tools write times without a zone."""
        found, is_sure = time_or_utc(row, column, self._zone)
        if not is_sure:
            self._tally.notes[f"{column} {_IN_UTC}"] += count
        return found

    def _answer(self, question: Question, row: Cells, shared: Response) -> Answer | LineError:
        response = Response()
        response.CopyFrom(shared)
        try:
            question.set_answer(response, row)
        except LineError as error:
            error.source = self.part(row, question.column)
            return error
        return Answer(response, question.column)
