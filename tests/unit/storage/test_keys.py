"""Keys as they stand on disk: UUIDv7, positions, ids sorted by time."""

import uuid

import pytest

from persona_server.services.paging import NEWEST
from persona_server.storage import keys

LAST = 253_402_300_799_999_999  # the last microsecond of the year 9999
TIMES = [0, 1, 999, 1000, 1_700_000_000_123_456, LAST]


@pytest.mark.parametrize("micros", TIMES)
def test_new_id_is_a_uuid_of_version_7_with_its_milliseconds(micros: int) -> None:
    made = uuid.UUID(keys.new_id(micros))
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == micros // 1000
    assert str(made) == keys.new_id(micros)[:13] + str(made)[13:]


def test_new_ids_do_not_repeat() -> None:
    assert len({keys.new_id(5) for _ in range(2000)}) == 2000


def test_new_ids_sort_by_time() -> None:
    made = [keys.new_id(micros) for micros in (1_000, 2_000, 1_700_000_000_000_000, LAST)]
    assert made == sorted(made)


def test_id_goes_to_16_bytes_and_back() -> None:
    text = str(uuid.uuid4())
    assert keys.id_bytes(text) == uuid.UUID(text).bytes
    assert keys.id_text(keys.id_bytes(text)) == text
    assert keys.id_text(keys.id_bytes(text.upper())) == text
    assert keys.id_bytes("") == b""


@pytest.mark.parametrize("micros", TIMES)
def test_position_goes_both_ways(micros: int) -> None:
    raw = uuid.uuid4().bytes
    position = keys.position(micros, raw)
    assert len(position) == 24
    assert keys.split_position(position) == (micros, raw)


def test_positions_compare_as_time_and_then_id() -> None:
    low, high = bytes(16), b"\xff" * 16
    ordered = [(0, low), (0, high), (1, low), (255, high), (256, low), (LAST, low), (LAST, high)]
    positions = [keys.position(*pair) for pair in ordered]
    assert positions == sorted(positions)
    assert positions[-1] < NEWEST


def test_serials_grow_even_when_the_clock_does_not() -> None:
    generator = keys.IdGenerator()
    made = [generator.next(micros) for micros in (5_000_000, 5_000_000, 1_000, 6_000_000)]
    assert made == sorted(set(made))
    assert generator.next(LAST) < 2**63


def test_serials_carry_their_milliseconds() -> None:
    assert keys.IdGenerator().next(1_700_000_000_123_456) >> 21 == 1_700_000_000_123


def test_now_is_in_microseconds_since_1970() -> None:
    assert 1_700_000_000_000_000 < keys.now() < LAST


def test_serials_of_one_time_take_the_least_room() -> None:
    """Another process, whose serials begin elsewhere in the millisecond, hardly meets them."""
    generator = keys.IdGenerator()
    first = generator.next(5_000)
    assert [generator.next(5_999) for _ in range(100)] == list(range(first + 1, first + 101))
    assert generator.next(6_000) > first + 100
