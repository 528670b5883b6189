"""Matching of library personas to a group's definition."""

from random import Random

import pytest

from persona_server.measures.matching import Candidate, Match, Matcher, Target

MARIA = Candidate(b"m", 30, "Female", "Middle", "São Paulo, Brazil", "Primary school teacher")


def score(target: Target, candidate: Candidate = MARIA) -> float | None:
    found = Matcher(target).match(candidate)
    return found.score if found else None


def test_parts_of_a_score() -> None:
    target = Target("female", 20, 40, "High", "Recife, Brazil", "Teacher")
    assert Matcher(target).match(MARIA) == Match(b"m", 0.75, 1.0, 0.5, 0.5, 1.0)
    assert Matcher(Target(income_level="Low")).match(MARIA) == Match(
        b"m", 0.5, None, 0.5, None, None
    )


@pytest.mark.parametrize("gender", ["", "All", "ANY", " any "])
def test_what_the_group_leaves_open_does_not_count(gender: str) -> None:
    target = Target(gender, 0, 0, gender, gender, gender)
    expected = Match(b"m", 1.0, None, None, None, None)
    assert Matcher(target).match(MARIA) == expected
    blank = Candidate(b"b", 0, "", "", "", "")
    assert Matcher(target).match(blank) == expected._replace(id=b"b")


@pytest.mark.parametrize("gender", ["FEMALE", "\uff26emale", "Female "])
def test_gender_is_required_in_folded_form(gender: str) -> None:
    assert score(Target(gender)) == 1
    assert score(Target(gender), MARIA._replace(gender="Male")) is None
    assert score(Target(gender), MARIA._replace(gender="")) is None


@pytest.mark.parametrize(
    ("low", "high", "age", "expected"),
    [
        (20, 40, 30, 1),
        (20, 40, 20, 0.5),
        (20, 40, 40, 0.5),
        (20, 40, 35, 0.75),
        (20, 40, 19, None),
        (20, 40, 41, None),
        (20, 40, 0, None),
        (30, 30, 30, 1),
        (30, 30, 31, None),
        (30, 0, 90, 1),
        (30, 0, 29, None),
        (0, 30, 30, 1),
        (0, 30, 31, None),
        (0, 30, 0, None),
        (0, 0, 0, 1),
    ],
)
def test_age(low: int, high: int, age: int, expected: float | None) -> None:
    target = Target(age_min=low, age_max=high)
    assert score(target, MARIA._replace(age=age)) == expected
    found = Matcher(target).match(MARIA._replace(age=age))
    assert found is None or (found.age is not None) == (low > 0 and high > 0)


@pytest.mark.parametrize(
    ("wanted", "told", "expected"),
    [
        ("Low", "low", 1),
        ("Low", "Middle", 0.5),
        ("High", "Middle", 0.5),
        ("Low", "High", 0),
        ("Middle", "", 0),
    ],
)
def test_income(wanted: str, told: str, expected: float) -> None:
    target = Target(income_level=wanted)
    assert score(target, MARIA._replace(income_level=told)) == expected


@pytest.mark.parametrize(
    ("wanted", "told", "expected"),
    [
        ("São Paulo, Brazil", "SÃO PAULO , brazil", 1),
        ("Sa\u0303o Paulo, Brazil", "São Paulo, Brazil", 1),
        ("São Paulo, Brazil", "São Paulo, SP, Brazil", 1),
        ("São Paulo, Brazil", "Recife, Brazil", 0.5),
        ("Paris, France", "Paris, USA", 0),
        ("Paris, France", "Berlin, Germany", 0),
        ("Paris, France", "Paris", 0.5),
        ("Paris, France", "France", 0.5),
        ("Paris, France", "Texas", 0),
        ("Paris, France", "", 0),
        ("France", "Paris, France", 1),
        ("Paris", "Paris, France", 1),
        ("Texas", "Paris, Texas, USA", 1),
        ("France", "Berlin, Germany", 0),
        (" , ", "Berlin, Germany", 1),
    ],
)
def test_location(wanted: str, told: str, expected: float) -> None:
    assert score(Target(location=wanted), MARIA._replace(location=told)) == expected


@pytest.mark.parametrize(
    ("wanted", "told", "expected"),
    [
        ("Teacher", "teacher", 1),
        ("Teacher", "Primary-school TEACHER", 1),
        ("Software engineer", "Civil engineer", 0.5),
        ("Software engineer", "Nurse", 0),
        ("Nurse", "", 0),
        ("-", "Nurse", 1),
    ],
)
def test_occupation(wanted: str, told: str, expected: float) -> None:
    assert score(Target(occupation=wanted), MARIA._replace(occupation=told)) == expected


def library(n: int) -> list[Candidate]:
    random = Random(7)
    cities = ["Porto, Portugal", "Lisbon, Portugal", "Recife, Brazil", "Turin, Italy", ""]
    work = ["Nurse", "Head nurse", "Civil engineer", "Software engineer", ""]
    return [
        Candidate(
            f"id{i:04}".encode(),
            random.randint(0, 90),
            random.choice(["Female", "Male", ""]),
            random.choice(["Low", "Middle", "High", ""]),
            random.choice(cities),
            random.choice(work),
        )
        for i in range(n)
    ]


def test_ranking_is_the_same_in_any_order_and_page_size() -> None:
    target = Target("Female", 20, 60, "Middle", "Lisbon, Portugal", "Software engineer")
    candidates, matcher = library(500), Matcher(target)
    whole = matcher.rank(candidates, 500)
    scores = [(-match.score, match.id) for match in whole]
    assert scores == sorted(scores)
    assert len({match.score for match in whole}) > 10
    assert {m.id for m in whole} == {c.id for c in candidates if Matcher(target).match(c)}
    assert all(0 <= match.score <= 1 for match in whole)
    assert Matcher(target).rank(reversed(candidates), 500) == whole
    paged: list[Match] = []
    for _ in range(len(whole) // 7 + 1):
        after = (paged[-1].score, paged[-1].id) if paged else None
        paged += matcher.rank(candidates, 7, after)
    assert paged == whole
    assert matcher.rank(candidates, 7, (whole[-1].score, whole[-1].id)) == []
