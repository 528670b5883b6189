"""The statements on answers of many individuals, question by question."""

from peewee import SQL, fn

from persona_server.storage import tables
from persona_server.storage.engine.database import Database
from persona_server.storage.engine.dialect import one_of
from persona_server.storage.engine.statements import Statement, param


class SelectionStatements:
    """Every statement on answers of many individuals, compiled once."""

    def __init__(self, database: Database) -> None:
        answered, question = tables.Answered, tables.Question
        self.individuals = Statement(
            database,
            answered.select(answered.individual_id)
            .where(
                (answered.tenant_id == param("tenant"))
                & (answered.scope == param("scope"))
                & (answered.question_id == param("question"))
            )
            .limit(param("limit")),
        )
        self.questions = Statement(
            database,
            question.select(question.id, question.key, question.scale)
            .where((question.tenant_id == param("tenant")) & (question.id > param("after")))
            .order_by(question.id)
            .limit(param("limit")),
        )
        model = tables.AnswerModel
        self.models = Statement(
            database,
            model.select(model.id).where(
                (model.tenant_id == param("tenant"))
                & (model.id >= param("first"))
                & (model.model == param("model"))
            ),
        )
        library = tables.LibraryPersona
        self.origins = Statement(
            database,
            library.select(library.origin_persona_id)
            .where(
                (library.tenant_id == param("tenant"))
                & (library.id > param("after"))
                & library.retired_at.is_null()
            )
            .limit(param("limit")),
        )
        series, tally = tables.Series, tables.Tally
        self.series = Statement(
            database,
            series.select(series.individual_id, series.records, series.pieces).where(
                (series.tenant_id == param("tenant"))
                & one_of(series.individual_id)
                & (series.question_id == param("question"))
            ),
        )
        of_question = (
            (tally.tenant_id == param("tenant"))
            & (tally.question_id == param("question"))
            & (tally.simulation_id == param("simulation"))
        )
        self.sets = Statement(
            database, tally.select(tally.counts).where(of_question).limit(param("limit"))
        )
        some = tally.select(SQL("1")).where(of_question).limit(param("limit"))
        self.set_count = Statement(database, some.select_from(fn.COUNT(SQL("*"))))
