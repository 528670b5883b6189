"""The statements on derived tables: questions, series, histograms and sums."""

from typing import Any

from peewee import EXCLUDED, JOIN

from persona_server.storage import tables
from persona_server.storage.derived.participation import ParticipationStatements
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import one_of, rows_as_json
from persona_server.storage.engine.statements import (
    Statement,
    column_params,
    param,
    upsert_statement,
)


class DerivedStatements:
    """Every statement on derived tables, compiled once."""

    def __init__(self, database: Database) -> None:
        self.participation = ParticipationStatements(database)
        self._read(database)
        self._write(database)
        self._clear(database)

    def _read(self, database: Database) -> None:
        question, series = tables.Question, tables.Series
        histogram, sums = tables.Histogram, tables.Sums
        mine = (series.tenant_id == param("tenant")) & (series.individual_id == param("individual"))

        def asked(model: Any, column: Any) -> Any:
            """Join what a table has of an individual's questions, which are read first."""
            same = (model.tenant_id == param("tenant")) & (column == series.question_id)
            return series.select().join(model, JOIN.CROSS).where(mine & same)

        keys = (question.key, question.scale)
        questions = asked(question, question.id).order_by(series.question_id)
        self.questions = Statement(database, questions.select(question.id, *keys))
        self.series = Statement(database, questions.select(*keys, series.records, series.texts))
        row = (series.question_id, histogram.value, histogram.m, histogram.answers)
        counted = asked(histogram, histogram.question_id)
        self.counts = Statement(database, counted.select(rows_as_json(*row)))
        numeric = asked(sums, sums.question_id)
        self.moments = Statement(database, numeric.select(series.question_id, sums.moments))
        columns = (series.question_id, sums.squares, sums.differences, sums.individuals)
        self.noise = Statement(database, numeric.select(*columns))

    def _write(self, database: Database) -> None:
        question, series, sums = tables.Question, tables.Series, tables.Sums
        mine = question.tenant_id == param("tenant")
        self.known = Statement(
            database,
            question.select(question.hash, question.id).where(mine & one_of(question.hash)),
        )
        self.insert_question = Statement(database, question.insert(column_params(question)))
        self.touched = Statement(
            database,
            series.select(series.question_id, series.records, series.texts).where(
                (series.tenant_id == param("tenant"))
                & (series.individual_id == param("individual"))
                & one_of(series.question_id)
            ),
        )
        self.put_series = upsert_statement(database, series, "records", "texts")
        this = (series.tenant_id == param("tenant")) & (series.individual_id == param("individual"))
        self.drop_series = Statement(
            database, series.delete().where(this & (series.question_id == param("question_id")))
        )
        self.sums = Statement(
            database,
            sums.select(
                sums.question_id, sums.moments, sums.squares, sums.differences, sums.individuals
            ).where((sums.tenant_id == param("tenant")) & one_of(sums.question_id)),
        )
        self.put_sums = upsert_statement(
            database, sums, "moments", "squares", "differences", "individuals"
        )
        self._write_counts(database)

    def _write_counts(self, database: Database) -> None:
        row = tables.Histogram
        key = [row.tenant_id, row.question_id, row.hash, row.m]
        self.add_count = Statement(
            database,
            row.insert(column_params(row)).on_conflict(
                conflict_target=key, update={row.answers: row.answers + EXCLUDED.answers}
            ),
        )
        this = (
            (row.tenant_id == param("tenant"))
            & (row.question_id == param("question_id"))
            & (row.hash == param("hash"))
            & (row.m == param("m"))
        )
        self.drop_count = Statement(database, row.delete().where(this & (row.answers == 0)))

    def _clear(self, database: Database) -> None:
        question, series = tables.Question, tables.Series
        mine = (question.tenant_id == param("tenant")) & (question.id >= param("first"))
        self.all_questions = Statement(
            database, question.select(question.hash, question.id).where(mine)
        )
        self.clear_series = emptied(database, series, series.individual_id)
        histogram, sums = tables.Histogram, tables.Sums
        self.clear_histogram = emptied(database, histogram, histogram.question_id)
        self.clear_sums = emptied(database, sums, sums.question_id)
        self.clear_questions = emptied(database, question, question.id)


def emptied(database: Database, model: Any, key: Any) -> Statement:
    """Return the statement that deletes a tenant's rows with a key from `first` on."""
    mine = (model.tenant_id == param("tenant")) & (key >= param("first"))
    return Statement(database, model.delete().where(mine))
