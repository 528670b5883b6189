"""How many rows a transaction of the sweeper takes."""

from persona_server.storage.pace import FEWEST, FIRST, HELD, MOST, Pace


def test_a_transaction_takes_what_fits_into_its_time() -> None:
    pace = Pace(1.0)
    assert pace.rows == FIRST
    pace.held(2 * HELD)
    assert pace.rows == FIRST // 2
    pace.held(HELD)
    assert pace.rows == FIRST // 2


def test_it_grows_step_by_step() -> None:
    pace, taken = Pace(1.0), []
    for _ in range(20):
        pace.held(0.0)
        taken.append(pace.rows)
    assert taken[:3] == [2 * FIRST, 4 * FIRST, 8 * FIRST]
    assert taken[-1] == MOST


def test_it_gets_on_however_slow_the_disk_is() -> None:
    pace = Pace(1.0)
    pace.held(60.0)
    assert pace.rows == FEWEST
