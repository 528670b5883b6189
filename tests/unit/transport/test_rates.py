"""How often each key may do something, and how many keys are remembered for it."""

from persona_server.transport.entrance.rates import MOST, Rates

A_SECOND, BURST = 2.0, 10.0


def test_a_key_has_a_burst_and_then_so_many_a_second() -> None:
    rates = Rates(A_SECOND, BURST)
    assert [rates.take("a", 0.0) for _ in range(12)] == [True] * 10 + [False] * 2
    assert rates.take("b", 0.0)  # it has its own
    assert [rates.take("a", 1.0) for _ in range(3)] == [True, True, False]
    assert not rates.take("a", 1.1, cost=2.0)


def test_only_keys_that_are_not_full_again_are_remembered() -> None:
    """Each of these is full again half a second later, when a hundred others have come."""
    rates = Rates(A_SECOND, BURST)
    most = 0
    for number in range(10_000):
        rates.take(number, number / 200)
        most = max(most, len(rates))
    assert 100 <= most <= 103


def test_who_goes_on_is_remembered_beside_those_who_come_once() -> None:
    """It gets nothing, since it asks for more than it may all the time."""
    rates = Rates(A_SECOND, BURST)
    taken = 0
    for number in range(10_000):
        rates.take(number, number / 1000)
        taken += rates.take("goes on", number / 1000)
    assert taken == BURST
    assert rates.take("goes on", 11.0)


def test_no_more_are_remembered_than_there_is_room_for() -> None:
    rates = Rates(A_SECOND, BURST)
    for number in range(MOST + 5):
        rates.take(number, 0.0)
    assert len(rates) <= MOST
