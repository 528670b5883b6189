"""What is remembered of callers' texts takes so much memory and no more, however long they are."""

import ast
from pathlib import Path

import pytest

import persona_server
from persona_server.validation.remembering import EACH, MOST, Remembered, remembered

SOURCE = Path(persona_server.__file__).parent
# Where results are bounded by their number, and why each is short.
SHORT = {
    "measures/answers.py": "kinds with two numbers; sets of tokens, which have 16 characters",
    "measures/comparison/shares.py": "numbers",
    "measures/individual/terms.py": "a number for each simulation of one individual",
    "measures/individual/trend.py": "numbers",
    "measures/student_t.py": "numbers",
    "telemetry/logs.py": "the time of a second",
    "transport/entrance/connections.py": "addresses",
    "transport/entrance/rates.py": "addresses",
    "transport/rpc.py": "sentences of ours",
}


def test_a_result_is_computed_once() -> None:
    asked = []

    @remembered
    def length(text: str, least: int) -> int | None:
        asked.append(text)
        return len(text) if len(text) >= least else None

    for _ in range(3):
        assert (length("four", 1), length("no", 3)) == (4, None)
    assert asked == ["four", "no"]


@pytest.mark.parametrize("size", [0, 1_000, MOST // 40, MOST // 5, 2 * MOST])
def test_there_is_room_for_so_much(size: int) -> None:
    known = Remembered[str, int]()
    for number in range(20_000 if size < MOST // 50 else 200):
        key = f"{number:06}".ljust(size, "x")
        assert known.keep(key, number, len(key)) == number
        if number % 100 == 0:
            assert sum(map(len, known)) + EACH * len(known) <= MOST
    assert (known.get(key) == number) == (size < MOST // 4)


def test_what_callers_may_make_long_is_bounded_by_its_length() -> None:
    """A cache of a number of results has as many texts of 64 KiB as somebody sends."""
    found = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node).endswith("lru_cache")
    }
    assert found == SHORT.keys()
