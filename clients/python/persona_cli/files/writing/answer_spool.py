"""Answers that are read before their table is written, on disk while they are many."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterator

from persona.v1.response_pb2 import Response


class AnswerSpool:
    """Answers in the order in which they were added, or by who gave them, and the questions."""

    TABLE = (
        "CREATE TABLE answers"
        " (simulation_id TEXT, persona_id TEXT, occurred_at INT, id TEXT, body BLOB);"
    )

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self.count = 0
        self.kinds: defaultdict[str, set[str]] = defaultdict(set)  # of answers, by question

    def add(self, response: Response) -> None:
        """Keep an answer."""
        self.count += 1
        self.kinds[response.question_key].add(response.WhichOneof("answer") or "")
        at = response.occurred_at.ToMicroseconds()
        body = response.SerializeToString()
        row = (response.simulation_id, response.persona_id, at, response.id, body)
        self._database.execute("INSERT INTO answers VALUES (?, ?, ?, ?, ?)", row)

    def __iter__(self) -> Iterator[Response]:
        return self._found("SELECT body FROM answers ORDER BY rowid")

    def by_persona(self) -> Iterator[Response]:
        """Yield the answers by simulation and persona, in the order in which they occurred."""
        return self._found(
            "SELECT body FROM answers ORDER BY simulation_id, persona_id, occurred_at, id"
        )

    def _found(self, query: str) -> Iterator[Response]:
        for (body,) in self._database.execute(query):
            yield Response.FromString(body)
