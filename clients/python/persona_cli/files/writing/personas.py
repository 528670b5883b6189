"""Personas as a table: a column for each field, and for each attribute."""

from collections.abc import Iterator

from persona.v1.persona_pb2 import Persona
from persona_cli.files.writing.sheet import Cell, Column, Row, Sheet, field_cells, field_columns
from persona_cli.files.writing.spool import PersonaSpool

FIELDS = field_columns(Persona.DESCRIPTOR, without=["attributes"])


def persona_sheet(spool: PersonaSpool) -> Sheet:
    """Return personas as a table, in their order."""
    return Sheet(persona_columns(spool), _rows(spool))


def persona_columns(spool: PersonaSpool) -> list[Column]:
    """Return the columns that personas have: their fields, then their attributes."""
    return [*FIELDS, *spool.attributes.columns]


def persona_cells(persona: Persona, spool: PersonaSpool) -> list[Cell]:
    """Return a persona's cells in these columns."""
    return [*field_cells(persona, FIELDS), *spool.attributes.cells(persona.attributes)]


def _rows(spool: PersonaSpool) -> Iterator[Row]:
    return (persona_cells(persona, spool) for persona in spool)
