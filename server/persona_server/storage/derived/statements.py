"""The statements on derived tables: questions, series, histograms and sums."""

from typing import Any

from peewee import EXCLUDED, JOIN, fn

from persona_server.storage import tables
from persona_server.storage.engine.sqlite import SqliteDatabase
from persona_server.storage.engine.statements import Statement, given, hole


class MeasuredStatements:
    """Every statement on derived tables, compiled once."""

    def __init__(self, database: SqliteDatabase) -> None:
        self.database = database
        self._read(database)
        self._write(database)
        self._clear(database)

    def _read(self, database: SqliteDatabase) -> None:
        question, series = tables.Question, tables.Series
        histogram, sums = tables.Histogram, tables.Sums
        mine = (series.tenant_id == hole("tenant")) & (series.individual_id == hole("individual"))

        def asked(model: Any, column: Any) -> Any:
            """Join what a table has of an individual's questions, which are read first."""
            same = (model.tenant_id == hole("tenant")) & (column == series.question_id)
            return series.select().join(model, JOIN.CROSS).where(mine & same)

        keys = (question.key, question.scale)
        questions = asked(question, question.id).order_by(series.question_id)
        self.questions = Statement(database, questions.select(question.id, *keys))
        self.series = Statement(database, questions.select(*keys, series.records, series.texts))
        row = fn.json_array(series.question_id, histogram.value, histogram.m, histogram.answers)
        # In one row: the driver releases the interpreter's lock at each (statements.one_row).
        self.counts = Statement(
            database,
            asked(histogram, histogram.question_id).select(fn.json_group_array(row)),
        )
        numeric = asked(sums, sums.question_id)
        self.moments = Statement(database, numeric.select(series.question_id, sums.moments))
        heard = (series.question_id, sums.squares, sums.differences, sums.individuals)
        self.noise = Statement(database, numeric.select(*heard))

    def _write(self, database: SqliteDatabase) -> None:
        question, series, sums = tables.Question, tables.Series, tables.Sums
        mine = question.tenant_id == hole("tenant")
        self.known = Statement(
            database,
            question.select(question.hash, question.id).where(mine & question.hash.in_(given())),
        )
        self.insert_question = Statement(database, question.insert(_holes(question)))
        self.touched = Statement(
            database,
            series.select(series.question_id, series.records, series.texts).where(
                (series.tenant_id == hole("tenant"))
                & (series.individual_id == hole("individual"))
                & series.question_id.in_(given())
            ),
        )
        self.put_series = upsert(database, series, "records", "texts")
        self.sums = Statement(
            database,
            sums.select(
                sums.question_id, sums.moments, sums.squares, sums.differences, sums.individuals
            ).where((sums.tenant_id == hole("tenant")) & sums.question_id.in_(given())),
        )
        self.put_sums = upsert(database, sums, "moments", "squares", "differences", "individuals")
        self._write_counts(database)

    def _write_counts(self, database: SqliteDatabase) -> None:
        row = tables.Histogram
        key = [row.tenant_id, row.question_id, row.hash, row.m]
        self.add_count = Statement(
            database,
            row.insert(_holes(row)).on_conflict(
                conflict_target=key, update={row.answers: row.answers + EXCLUDED.answers}
            ),
        )
        this = (
            (row.tenant_id == hole("tenant"))
            & (row.question_id == hole("question_id"))
            & (row.hash == hole("hash"))
            & (row.m == hole("m"))
        )
        self.drop_count = Statement(database, row.delete().where(this & (row.answers == 0)))

    def _clear(self, database: SqliteDatabase) -> None:
        question, series = tables.Question, tables.Series
        mine = (question.tenant_id == hole("tenant")) & (question.id >= hole("first"))
        self.all_questions = Statement(
            database, question.select(question.hash, question.id).where(mine)
        )
        self.clear_series = emptied(database, series, series.individual_id)
        histogram, sums = tables.Histogram, tables.Sums
        self.clear_histogram = emptied(database, histogram, histogram.question_id)
        self.clear_sums = emptied(database, sums, sums.question_id)
        self.clear_questions = emptied(database, question, question.id)


def emptied(database: SqliteDatabase, model: Any, key: Any) -> Statement:
    """Return the statement that deletes a tenant's rows with a key from `first` on."""
    mine = (model.tenant_id == hole("tenant")) & (key >= hole("first"))
    return Statement(database, model.delete().where(mine))


def upsert(database: SqliteDatabase, model: Any, *changed: str) -> Statement:
    """Return the statement that inserts a row, or changes these columns of the one with its key."""
    fields = {name: getattr(model, name) for name in changed}
    return Statement(
        database,
        model.insert(_holes(model)).on_conflict(
            conflict_target=list(model._meta.get_primary_keys()),
            update={field: getattr(EXCLUDED, name) for name, field in fields.items()},
        ),
    )


def _holes(model: Any) -> dict[Any, Any]:
    """Return a row of holes with the names of its columns, the tenant's but "tenant"."""
    columns = {field.column_name: field for field in model._meta.sorted_fields}
    return {f: hole("tenant" if c == "tenant_id" else c) for c, f in columns.items()}
