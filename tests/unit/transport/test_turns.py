"""Whose turn it is: by measured cost, with few places for what is costly."""

from collections import Counter

from persona_server.transport.sharing.costs import COSTLY, Costs
from persona_server.transport.sharing.turns import Caller, PoolLimits, Turns, Work


class Waiting:
    """Turns for threads that a test plays. `costs` has seconds by tenant."""

    def __init__(self, limits: PoolLimits, costs: dict[str, float]) -> None:
        known = Costs()
        for tenant, seconds in costs.items():
            known.learn((tenant, "Work"), seconds)
        self.costs = costs
        self.turns = Turns(limits, known)

    def add(self, tenant: str, count: int = 1) -> None:
        for _ in range(count):
            assert self.turns.add(Work(Caller(tenant, "Work"), lambda: None))

    def start(self) -> Work | None:
        return self.turns.next()

    def serve(self, count: int) -> list[str]:
        """Let one thread serve, one after the other; return whose work it was."""
        served = []
        for _ in range(count):
            work = self.turns.next()
            assert work is not None
            served.append(work.caller.tenant)
            self.turns.done(work, self.costs[work.caller.tenant])
        return served


ONE = PoolLimits(1, costly=1)
A = ("a", "Work")


def test_turns_are_weighed_by_cost() -> None:
    waiting = Waiting(ONE, {"dear": 0.1, "cheap": 0.01})
    waiting.add("dear", 50)
    waiting.add("cheap", 50)
    served = Counter(waiting.serve(44))
    assert served["cheap"] == 40
    assert served["dear"] == 4


def test_who_comes_anew_is_next_and_has_saved_nothing_up() -> None:
    waiting = Waiting(ONE, {"a": 0.01, "b": 0.01})
    waiting.add("a", 100)
    waiting.serve(50)
    waiting.add("b", 40)
    served = waiting.serve(20)
    assert "b" in served[:2]
    assert 9 <= served.count("b") <= 11


def test_a_wrong_estimate_is_paid_for() -> None:
    waiting = Waiting(ONE, {"a": 0.001, "b": 0.01})
    waiting.add("a", 20)
    waiting.add("b", 20)
    waiting.costs["a"] = 0.1  # each call costs a hundred times what they did before
    assert waiting.serve(1) == ["a"]
    assert waiting.serve(9) == ["b"] * 9


def test_costly_work_leaves_threads_to_others_and_to_cheap_work() -> None:
    waiting = Waiting(PoolLimits(8, costly=3), {"dear": COSTLY, "other": COSTLY, "cheap": 0.0005})
    waiting.add("dear", 8)
    assert waiting.start() is not None
    assert waiting.start() is not None
    assert waiting.start() is None  # the third place is not for the same tenant
    waiting.add("other", 2)
    other = waiting.start()
    assert other is not None
    assert other.caller.tenant == "other"
    assert waiting.start() is None
    waiting.add("cheap")
    assert waiting.start() is not None
    waiting.turns.done(other, COSTLY)
    assert waiting.start() is not None


def test_cheap_work_of_a_tenant_does_not_wait_behind_its_costly_work() -> None:
    waiting = Waiting(PoolLimits(8, costly=2), {"a": 0.0005})
    for rpc in ("Dear", "Dear", "Work"):  # what was never seen counts as costly
        assert waiting.turns.add(Work(Caller("a", rpc), lambda: None))
    started = [waiting.start(), waiting.start(), waiting.start()]
    assert [work and work.caller.rpc for work in started] == ["Dear", "Work", None]


def test_no_tenant_holds_all_threads() -> None:
    waiting = Waiting(PoolLimits(8, costly=2), {"a": 0.0005, "b": 0.0005})
    waiting.add("a", 20)
    for _ in range(6):
        assert waiting.start() is not None
    assert waiting.start() is None
    waiting.add("b")
    assert waiting.start() is not None


def test_what_runs_counts_though_nothing_of_its_tenant_waits() -> None:
    waiting = Waiting(PoolLimits(8, costly=2), {"a": 0.0005})
    for _ in range(6):
        waiting.add("a")
        assert waiting.start() is not None
    waiting.add("a")
    assert waiting.start() is None


def test_what_was_served_counts_though_nothing_of_its_tenant_waits() -> None:
    waiting = Waiting(ONE, {"a": 0.01, "b": 0.01})
    for _ in range(10):
        waiting.add("a")
        waiting.serve(1)
    waiting.add("b", 2)
    waiting.serve(1)
    waiting.add("a", 2)
    assert waiting.serve(1) == ["b"]


def test_costs_rise_at_once_and_sink_slowly() -> None:
    costs = Costs()
    assert costs.of(A) == COSTLY
    costs.learn(A, 0.001)
    assert costs.of(A) == 0.001
    costs.learn(A, 1.0)
    assert costs.of(A) == 1.0
    costs.learn(A, 0.0)
    assert 0.5 < costs.of(A) < 1.0
    assert costs.of(("b", "Work")) == COSTLY
