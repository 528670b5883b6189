"""The statements on derived tables: questions, series, texts, and sums over all individuals."""

from typing import Any

from peewee import EXCLUDED, JOIN, SQL

from persona_server.storage import tables
from persona_server.storage.derived.participation import ParticipationStatements
from persona_server.storage.derived.removal import RemovalStatements
from persona_server.storage.derived.selection_statements import SelectionStatements
from persona_server.storage.derived.standing import StandingStatements
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import GIVEN, given, joined, one_of
from persona_server.storage.engine.statements import (
    Statement,
    column_params,
    emptied,
    param,
    upsert_statement,
)


class DerivedStatements:
    """Every statement on derived tables, compiled once."""

    def __init__(self, database: Database) -> None:
        self.participation = ParticipationStatements(database)
        self.selections = SelectionStatements(database)
        self.removal = RemovalStatements(database)
        self.standing = StandingStatements(database)
        self._read_series(database)
        self._read_sums(database)
        self._write(database)
        self._write_sums(database)
        self._clear(database)

    def _read_series(self, database: Database) -> None:
        question, series, piece = tables.Question, tables.Series, tables.Piece
        mine = (series.tenant_id == param("tenant")) & (series.individual_id == param("individual"))
        same = (question.tenant_id == param("tenant")) & (question.id == series.question_id)
        # The individual's own questions are read first.
        questions = (
            series.select()
            .join(question, JOIN.CROSS)
            .where(mine & same & (series.question_id > param("after")))
            .order_by(series.question_id)
            .limit(param("limit"))
        )
        keys = (question.id, question.key, question.scale)
        self.series = Statement(database, questions.select(*keys, series.records, series.pieces))
        self.declared = Statement(
            database,
            question.select(question.hash, question.declared).where(
                (question.tenant_id == param("tenant")) & one_of(question.hash)
            ),
        )
        self.pieces = Statement(
            database,
            piece.select(piece.question_id, piece.records)
            .where(
                (piece.tenant_id == param("tenant")) & (piece.individual_id == param("individual"))
            )
            .order_by(piece.question_id, piece.number),
        )
        voiding = tables.Voiding
        pending = (voiding.tenant_id == param("tenant")) & (voiding.simulation_id > param("first"))
        self.voiding = Statement(database, voiding.select(voiding.simulation_id).where(pending))
        texts, model = tables.AnswerSet, tables.AnswerModel
        named = (texts.tenant_id == param("tenant")) & one_of(texts.id)
        self.set_tokens = Statement(database, texts.select(texts.id, texts.tokens).where(named))
        self.set_items = Statement(database, texts.select(texts.tokens, texts.items).where(named))
        self.models = Statement(
            database,
            model.select(model.id, model.model, model.prompt_version).where(
                (model.tenant_id == param("tenant")) & one_of(model.id)
            ),
        )

    def _read_sums(self, database: Database) -> None:
        question, tally, sums = tables.Question, tables.Tally, tables.Sums
        self.counts = Statement(
            database,
            tally.select(tally.counts).where(
                (tally.tenant_id == param("tenant"))
                & (tally.question_id == param("question"))
                & (tally.simulation_id == param("simulation"))
            ),
        )
        # Of several questions and simulations: each row reads its own, up to the limit.
        counted = (
            tally.select(tally.counts)
            .where(
                (tally.tenant_id == param("tenant"))
                & (tally.question_id == question.id)
                & (tally.simulation_id == GIVEN)
            )
            .order_by(tally.bucket)
            .limit(param("limit"))
        )
        self.packed = Statement(
            database,
            question.select(question.id, GIVEN, joined(counted.alias("counted"), "counts"))
            .from_(question, given("simulations"))
            .where((question.tenant_id == param("tenant")) & one_of(question.id, "questions")),
        )
        places = (
            (sums.tenant_id == param("tenant"))
            & one_of(sums.question_id, "questions")
            & one_of(sums.simulation_id, "simulations")
        )
        place = (sums.question_id, sums.simulation_id)
        self.moments = Statement(database, sums.select(*place, sums.moments).where(places))
        columns = (*place, sums.differences, sums.squares, sums.inverses)
        self.differences = Statement(database, sums.select(*columns).where(places))

    def _write(self, database: Database) -> None:
        question, series, piece = tables.Question, tables.Series, tables.Piece
        mine = question.tenant_id == param("tenant")
        self.known = Statement(
            database,
            question.select(question.hash, question.id, question.declared_at).where(
                mine & one_of(question.hash)
            ),
        )
        self.insert_question = Statement(database, question.insert(column_params(question)))
        self._declare(database)
        self.touched = Statement(
            database,
            series.select(series.question_id, series.records, series.pieces, series.repeats).where(
                (series.tenant_id == param("tenant"))
                & (series.individual_id == param("individual"))
                & one_of(series.question_id)
            ),
        )
        self.put_series = upsert_statement(database, series, "records", "pieces", "repeats")
        self.put_piece = upsert_statement(database, piece, "records")
        this = (
            (piece.tenant_id == param("tenant"))
            & (piece.individual_id == param("individual"))
            & (piece.question_id == param("question"))
        )
        self.pieces_of = Statement(
            database, piece.select(piece.records).where(this).order_by(piece.number)
        )
        self.drop_series = [one_series(database, model) for model in (series, piece)]
        response = tables.Response
        self.began = Statement(
            database,
            response.select(response.position)
            .where(
                (response.tenant_id == param("tenant"))
                & (response.simulation_id == param("simulation"))
            )
            .order_by(response.position)
            .limit(1),
        )

    def _declare(self, database: Database) -> None:
        question = tables.Question
        mine = question.tenant_id == param("tenant")
        declared = {
            question.declared: param("declared"),
            question.declared_at: param("declared_at"),
        }
        self.declare = Statement(
            database, question.update(declared).where(mine & (question.id == param("id")))
        )
        self.drop_question = Statement(
            database, question.delete().where(mine & (question.id == param("id")))
        )

    def _write_sums(self, database: Database) -> None:
        tally, sums = tables.Tally, tables.Sums
        row = (
            (tally.tenant_id == param("tenant"))
            & (tally.question_id == param("question"))
            & (tally.simulation_id == param("simulation"))
            & (tally.bucket == param("bucket"))
        )
        these = (
            (tally.tenant_id == param("tenant"))
            & one_of(tally.question_id, "questions")
            & (tally.simulation_id == param("simulation"))
            & one_of(tally.bucket, "buckets")
        )
        self.changing = Statement(
            database, tally.select(tally.question_id, tally.bucket, tally.counts).where(these)
        )
        self.put_count = upsert_statement(database, tally, "counts")
        self.drop_count = Statement(database, tally.delete().where(row))
        place = (
            (sums.tenant_id == param("tenant"))
            & (sums.question_id == param("question"))
            & (sums.simulation_id == param("simulation"))
        )
        columns = (sums.moments, sums.differences, sums.squares, sums.inverses)
        of_simulation = (
            (sums.tenant_id == param("tenant"))
            & one_of(sums.question_id, "questions")
            & (sums.simulation_id == param("simulation"))
        )
        self.sums = Statement(
            database, sums.select(sums.question_id, *columns).where(of_simulation)
        )
        self.put_sums = upsert_statement(
            database, sums, "moments", "differences", "squares", "inverses"
        )
        self.drop_sums = Statement(database, sums.delete().where(place))
        self.add_set, self.drop_set = counted(database, tables.AnswerSet)
        self.add_model, self.drop_model = counted(database, tables.AnswerModel)

    def _clear(self, database: Database) -> None:
        question = tables.Question
        mine = (question.tenant_id == param("tenant")) & (question.id >= param("first"))
        self.all_questions = Statement(
            database, question.select(question.hash, question.id).where(mine)
        )
        individuals = (tables.Series.individual_id, tables.Piece.individual_id)
        self.clear_individuals = [emptied(database, key) for key in individuals]
        numbered = (
            tables.AnswerSet.id,
            tables.AnswerModel.id,
            tables.Tally.question_id,
            tables.Sums.question_id,
            question.id,
        )
        self.clear_numbered = [emptied(database, key) for key in numbered]


def counted(database: Database, model: Any) -> tuple[Statement, Statement]:
    """Return the statements that add to a text's count of answers, and that drop it without any."""
    key = [model.tenant_id, model.id]
    add = model.insert(column_params(model)).on_conflict(
        conflict_target=key, update={model.answers: model.answers + EXCLUDED.answers}
    )
    this = (model.tenant_id == param("tenant")) & (model.id == param("id"))
    drop = model.delete().where(this & (model.answers == SQL("0")))
    return Statement(database, add), Statement(database, drop)


def one_series(database: Database, model: Any) -> Statement:
    """Return the statement that deletes what one individual answered to one question."""
    mine = (model.tenant_id == param("tenant")) & (model.individual_id == param("individual"))
    return Statement(
        database, model.delete().where(mine & (model.question_id == param("question")))
    )
