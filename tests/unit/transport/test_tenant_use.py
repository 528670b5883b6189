"""What tenants use, held against their quotas."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from persona_server.errors import ServiceError
from persona_server.quotas import Quota, TenantQuotas
from persona_server.transport.sharing.counters import CONCURRENT, TENANTS, Counters, make_file
from persona_server.transport.sharing.use import Use

FREE = Quota(*[10**9] * len(Quota._fields))


def limited(**limits: int) -> Use:
    return Use(lambda _: FREE._replace(**limits))


def together(**limits: int) -> list[Use]:
    """Return the use of two workers, as each sees it."""
    file = make_file(2)
    quota = FREE._replace(**limits)
    return [Use(lambda _: quota, Counters(file, 2, number)) for number in range(2)]


def refused(use: Use, quota: str) -> tuple[str, float]:
    """Return the limit that a refusal names, and after how many seconds to come again."""
    calls: dict[str, Callable[[], object]] = {
        "calls_per_second": lambda: use.arrive("a"),
        "bytes_per_second": lambda: use.transfer("a", 1, refusable=True),
    }
    with pytest.raises(ServiceError) as raised:
        calls[quota]()
    assert raised.value.reason_name == "QUOTA_EXCEEDED"
    assert raised.value.metadata["quota"] == quota
    assert raised.value.retry_after is not None
    return raised.value.metadata["limit"], raised.value.retry_after


def test_a_seconds_worth_of_calls_may_come_at_once() -> None:
    use = limited(calls_per_second=3)
    for _ in range(3):
        use.arrive("a")
    limit, retry_after = refused(use, "calls_per_second")
    assert limit == "3"
    assert 0 < retry_after <= 1 / 3
    use.arrive("b")


def test_bytes_are_paid_off_before_more_are_taken() -> None:
    use = limited(bytes_per_second=1000)
    use.transfer("a", 11_000, refusable=True)  # how many come is not known before
    assert 9 < refused(use, "bytes_per_second")[1] <= 10
    use.transfer("a", 10_000, refusable=False)  # an answer is counted all the same
    assert 19 < refused(use, "bytes_per_second")[1] <= 20
    use.transfer("b", 1, refusable=True)


def test_concurrent_calls_are_counted_from_arrival_to_departure() -> None:
    use = limited(concurrent_calls=2)
    use.arrive("a")
    use.arrive("a")
    with pytest.raises(ServiceError) as raised:
        use.arrive("a")
    assert raised.value.metadata == {"quota": "concurrent_calls", "limit": "2"}
    use.arrive("b")
    use.depart("a")
    use.arrive("a")


def test_own_values_stand_over_the_defaults_and_are_not_read_for_each_call() -> None:
    asked: list[str] = []

    def own(tenant: str) -> dict[str, int]:
        asked.append(tenant)
        return {"streams": 3} if tenant == "a" else {}

    quotas = TenantQuotas(FREE, own)
    assert quotas.known("a") == FREE
    assert asked == []
    assert [quotas.of("a"), quotas.of("a"), quotas.known("a")] == [FREE._replace(streams=3)] * 3
    assert quotas.of("b") == FREE
    assert asked == ["a", "b"]


def test_own_values_outlast_new_defaults() -> None:
    """Streams that are open go by them, and ask for nothing."""
    asked: list[str] = []

    def own(tenant: str) -> dict[str, int]:
        asked.append(tenant)
        return {"streams": 3}

    quotas = TenantQuotas(FREE, own)
    quotas.of("a")
    low = FREE._replace(streams=1, stored_bytes=5)
    quotas.set_defaults(low)
    assert quotas.known("a") == low._replace(streams=3)
    assert quotas.known("b") == low
    assert asked == ["a"]


def test_of_very_many_tenants_those_are_known_that_were_read_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("persona_server.quotas.MOST_KNOWN", 2)
    quotas = TenantQuotas(FREE, lambda _: {"streams": 3})
    for tenant in ("a", "b", "c"):
        quotas.of(tenant)
    assert [quotas.known(tenant).streams == 3 for tenant in ("a", "b", "c")] == [False, True, True]


def test_what_other_workers_take_is_taken_here() -> None:
    first, second = together(calls_per_second=3, bytes_per_second=1000)
    second.arrive("a")
    first.arrive("a")
    first.arrive("a")
    for use in (first, second):
        assert 0 < refused(use, "calls_per_second")[1] <= 1 / 3
    first.transfer("a", 11_000, refusable=True)
    assert 9 < refused(first, "bytes_per_second")[1] <= 10
    second.arrive("b")
    second.transfer("b", 1, refusable=True)


@pytest.mark.parametrize("lowered", ["calls_per_second", "bytes_per_second"])
def test_a_worker_that_meets_a_tenant_after_its_quota_was_lowered(lowered: str) -> None:
    """What others took at the rate before is no debt of days at the rate of now."""
    file, low = make_file(2), FREE._replace(**{lowered: 2})
    first = Use(lambda _: FREE, Counters(file, 2, 0))
    second = Use(lambda _: low, Counters(file, 2, 1))
    for _ in range(1000):
        first.arrive("a")
    first.transfer("a", 10_000_000, refusable=True)
    for _ in range(2):
        second.arrive("a")
        second.transfer("a", 1, refusable=True)
    second.transfer("a", 1, refusable=False)
    assert 0 < refused(second, lowered)[1] <= 1 / 2


def test_a_refusal_takes_nothing_from_other_workers() -> None:
    first, second = together(calls_per_second=2)
    first.arrive("a")
    second.arrive("a")
    for _ in range(50):
        refused(first, "calls_per_second")
    assert refused(second, "calls_per_second")[1] <= 1 / 2


def test_calls_at_once_are_those_of_all_workers_until_one_has_ended() -> None:
    file = make_file(2)
    counters = [Counters(file, 2, number) for number in range(2)]
    first, second = (Use(lambda _: FREE._replace(concurrent_calls=2), one) for one in counters)
    first.arrive("a")
    second.arrive("a")
    for use in (first, second):
        with pytest.raises(ServiceError) as raised:
            use.arrive("a")
        assert raised.value.metadata == {"quota": "concurrent_calls", "limit": "2"}
    second.arrive("b")
    first.depart("a")
    second.arrive("a")
    Counters(file, 2, -1).forget(1)  # as the parent does for one that was killed
    assert [one.elsewhere("a", CONCURRENT) for one in counters] == [0, 0]
    first.arrive("a")


def test_tenants_without_a_row_are_counted_by_each_worker() -> None:
    """No more than so many have one, and a search for it looks at few."""
    counters = Counters(make_file(1), 1, 0)
    other = Counters(counters._descriptor, 1, -1)
    tenants = [f"tenant-{number}" for number in range(TENANTS + 100)]
    for tenant in tenants:
        counters.add(tenant, CONCURRENT, 1)
    seen = [other.elsewhere(tenant, CONCURRENT) for tenant in tenants]
    assert seen[: TENANTS // 2] == [1] * (TENANTS // 2)
    assert set(seen) == {0, 1}


ASKER = """
import sys
from persona_server.transport.sharing.counters import Counters

counters = Counters(int(sys.argv[1]), 2, 1)
print(counters.runs_jobs(), flush=True)
sys.stdin.readline()
"""


def test_jobs_are_run_by_one_worker_until_it_has_ended() -> None:
    file = make_file(2)
    command = [sys.executable, "-c", ASKER, str(file)]
    counters = Counters(file, 2, 0)
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True, pass_fds=(file,)) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "True\n"
        counters.add("a", CONCURRENT, 1)  # whose lock of the rows is another
        assert not counters.runs_jobs()
        first.kill()
    assert counters.runs_jobs()
    with subprocess.Popen(command, stdin=-1, stdout=-1, text=True, pass_fds=(file,)) as second:
        assert second.communicate("\n")[0] == "False\n"
    assert counters.runs_jobs()


def test_a_tenant_has_one_rank_at_all_workers() -> None:
    file = make_file(2)
    first, second = (Counters(file, 2, number) for number in range(2))
    ranks = [first.rank("a"), second.rank("b"), first.rank("b"), second.rank("c"), second.rank("a")]
    assert ranks == [0, 1, 1, 2, 0]
