"""Words of SQL that engines say differently: both forms are kept, and one of them is compiled."""

from typing import Any

from peewee import ColumnBase


class Word(ColumnBase):
    """An expression in the words of each engine."""

    def __init__(self, *, sqlite: Any, postgresql: Any) -> None:
        super().__init__()
        self._forms = {"sqlite": sqlite, "postgresql": postgresql}

    def __sql__(self, ctx: Any) -> Any:
        return ctx.sql(self._forms[ctx.state.engine])
