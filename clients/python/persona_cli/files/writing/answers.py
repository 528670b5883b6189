"""Answers as a long table: a row for each, in the columns that `responses record` reads."""

from collections.abc import Callable, Iterator

from persona.v1.response_pb2 import Response
from persona_cli.files.writing.answer_spool import AnswerSpool
from persona_cli.files.writing.beside import PersonasBeside
from persona_cli.files.writing.sheet import (
    Cell,
    Column,
    Kind,
    Row,
    Sheet,
    field_cells,
    field_columns,
)
from persona_cli.terminal.output import compact_json

_KINDS = [field.name for field in Response.DESCRIPTOR.oneofs_by_name["answer"].fields]
_FIELDS = field_columns(Response.DESCRIPTOR, without=[*_KINDS, "persona_external_id"])
_AT = [column.name for column in _FIELDS].index("themes")  # stands behind the answer
_BEFORE, _BEHIND = _FIELDS[:_AT], _FIELDS[_AT:]
_ANSWER = [
    Column("kind", Kind.TEXT),
    Column("value", Kind.TEXT),
    Column("options", Kind.TEXTS),
    Column("min", Kind.WHOLE),
    Column("max", Kind.WHOLE),
]


def long_sheet(answers: AnswerSpool, beside: PersonasBeside) -> Sheet:
    """Return a row for each answer, in their order."""
    columns = [*_BEFORE, *_ANSWER, *_BEHIND, *beside.columns]
    return Sheet(columns, _rows(answers, beside))


def _rows(answers: AnswerSpool, beside: PersonasBeside) -> Iterator[Row]:
    for response in answers:
        yield [
            *field_cells(response, _BEFORE),
            *_answer_cells(response),
            *field_cells(response, _BEHIND),
            *beside.cells(response),
        ]


def value_text(response: Response) -> str:
    """Return what was answered as text; of several options a JSON array."""
    return _TEXTS[response.WhichOneof("answer") or "text"](response)


def _answer_cells(response: Response) -> list[Cell]:
    kind = response.WhichOneof("answer")
    options = list(response.choice.options or response.choices.options)
    scale = response.rating if kind == "rating" else None
    return [
        kind,
        value_text(response),
        options or None,
        scale.min if scale else None,
        scale.max if scale else None,
    ]


_TEXTS: dict[str, Callable[[Response], str]] = {
    "choice": lambda response: response.choice.value,
    "choices": lambda response: compact_json(list(response.choices.values)),
    "rating": lambda response: str(response.rating.value),
    "sentiment": lambda response: str(response.sentiment),
    "text": lambda response: response.text,
}
