"""R19 without kills: one audit row for each committed mutation, and none for anything else."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from persona_server.transport.methods import Method
from support.data import uid
from support.dbfile import AuditRow, DatabaseFile
from support.requests.walk import Step, Walk
from support.rpcs import BY_NAME, METHODS, Answer, bearer, response_of, send
from support.service import Service
from support.waiting import eventually

TENANT = "audited"
PEER = re.compile(r"127\.0\.0\.1:\d+")
ACTORS = ("alice", "bob@example.org")
# Not effects of their own: the trail itself, answers kept for retries, an import's own ledger.
LEDGERS = ("audit", "idempotency", "import_session", "import_batch")


class Trail:
    """The audit trail of a tenant, read as it grows."""

    def __init__(self, file: DatabaseFile) -> None:
        self._file = file
        self._seen = len(file.audit(TENANT))

    def new(self) -> list[AuditRow]:
        rows = self._file.audit(TENANT)
        fresh, self._seen = rows[self._seen :], len(rows)
        return fresh


def test_random_walk(own: Service, file: DatabaseFile, rounds: Callable[[int, int], int]) -> None:
    walk, trail = Walk(20, ACTORS), Trail(file)
    tokens = {actor: bearer(own.token(TENANT, subject=actor)) for actor in ACTORS}
    caller = own.connect("")
    outcomes: dict[str, set[str]] = {method.name: set() for method in METHODS}
    for _ in range(rounds(3000, 10_000)):
        step = walk.step()
        before, visible = file.fingerprint(TENANT, LEDGERS), file.visible(TENANT)
        answer = send(caller.channel, step.method, step.messages, tokens[step.actor])
        changed = file.fingerprint(TENANT, LEDGERS) != before
        rows = trail.new()
        walk.learn(step, answer)
        check(step, answer, rows, changed, file.visible(TENANT) - visible)
        if changed and step.method.name == "VoidResponses":  # a job goes on with a simulation
            eventually(lambda: not file.rows("SELECT 1 FROM voiding LIMIT 1"))
        outcomes[step.method.name].add(kind_of(answer, changed))
    caller.close()
    missing = {name: wanted_of(name) - kinds for name, kinds in outcomes.items()}
    assert {n: kinds for n, kinds in missing.items() if kinds} == {}  # or the walk proves nothing


def wanted_of(name: str) -> set[str]:
    """Return how calls of an RPC must have ended, each of these at least once."""
    writes = BY_NAME[name].has_request_id or BY_NAME[name].streams_in
    failed = set() if name in ("CreateProject", "ListProjects") else {"failed"}
    return failed | ({"changed", "idle"} if writes else {"idle"})


def kind_of(answer: Answer, changed: bool) -> str:
    if changed:
        return "changed"
    return "idle" if answer.error is None else "failed"


def check(step: Step, answer: Answer, rows: list[AuditRow], changed: bool, difference: int) -> None:
    """Hold what a call left in the trail against what it changed."""
    what = (step.method.name, answer.code, rows)
    if not step.method.streams_in:
        assert len(rows) == changed, what
        assert answer.error is None or not changed, what
    else:
        assert bool(rows) == changed, what
        assert len(rows) <= len(answer.messages[1:]), what  # the first is of no batch
    assert sum(row.persona_count or 0 for row in rows) == abs(difference), what
    for row in rows:
        assert (row.actor, row.method) == (step.actor, step.method.name)
        assert PEER.fullmatch(row.peer or ""), row
        check_ids(step, answer, row)


def check_ids(step: Step, answer: Answer, row: AuditRow) -> None:
    """The row names what the request did, and what the server made for it."""
    request = step.messages[0].start if step.method.streams_in else step.messages[0]
    for name in ("project_id", "group_id", "persona_id", "simulation_id", "library_persona_id"):
        expected = getattr(request, name, "") or made(step, answer, name)
        assert getattr(row, name) == expected, (step.method.name, name)
    expected = request.import_id if step.method.streams_in else request.request_id
    assert row.request_id == expected


def made(step: Step, answer: Answer, name: str) -> str:
    """Return the id of the one resource that a create made, if it is of this kind."""
    response: Any = response_of(step.method).FromString(answer.messages[0])
    if hasattr(response, "responses"):  # recorded answers name the project of them all
        return str(response.responses[0].project_id) if name == "project_id" else ""
    fields = {
        "project_id": "project",
        "group_id": "persona_group",
        "persona_id": "persona",
        "simulation_id": "simulation",
        "library_persona_id": "library_persona",
    }
    field = fields.get(name, "")
    return str(getattr(response, field).id) if hasattr(response, field) else ""


@pytest.mark.parametrize("method", METHODS, ids=lambda m: str(m.name))
def test_refused_calls_leave_no_row(own: Service, file: DatabaseFile, method: Method) -> None:
    """Neither does a caller without a token or a scope, nor one whose request is malformed."""
    tenant = "refused"
    caller = own.connect("")
    for metadata in ((), bearer(own.token(tenant, "projects:read")), bearer(own.token(tenant))):
        request = method.request()
        if "project_id" in request.DESCRIPTOR.fields_by_name:
            setattr(request, "project_id", uid())  # noqa: B010 (a generic message)
        send(caller.channel, method, [request], metadata)
    caller.close()
    assert file.tenant(tenant) == 0
    assert file.audit(tenant) == []
