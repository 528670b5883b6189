"""The worked study tells the truth: of how its respondents were made, and on its page."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from itertools import combinations, pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from persona.v1.measures_pb2 import (
    RELIABILITY_STATUS_INSUFFICIENT_DATA,
    RELIABILITY_STATUS_NOT_ELIGIBLE,
    Reliability,
)
from persona_client import Persona, PersonaClient, Response
from study.page import (
    DOCS,
    PAGE,
    PICTURE,
    PICTURES,
    ROOT,
    as_text,
    draw,
    draw_measures,
    story_of,
    with_story,
)
from study.panel import of_manner, response_id
from study.questions import Item, Value
from study.respondents import SHIFTS, TRUE_C, WAVES, Manner, Respondent
from study.reuse import shifts_found
from study.server import Access, temporary_service
from study.stage import BETWEEN_WAVES, FIRST_WAVE, Study
from study.story import tell


class Told(NamedTuple):
    """A study that has been told, and the service on which it was: all its projects are deleted."""

    study: Study
    story: str
    access: Access
    pictures: Path  # the folder of those that were drawn before


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """Run the study once."""
    lines: list[str] = []
    pictures = tmp_path_factory.mktemp("pictures")
    with temporary_service() as access, PersonaClient(*access) as client:
        study = tell(client, lines.append, lambda: draw_measures(access, pictures))
        yield Told(study, as_text(lines), access, pictures)


def test_the_page_tells_what_the_study_prints(told: Told) -> None:
    assert told.story == story_of(PAGE.read_text("utf-8"))


def test_the_picture_is_what_the_command_draws(told: Told, tmp_path: Path) -> None:
    draw(told.access, told.study, tmp_path / "timeline.svg")
    assert (tmp_path / "timeline.svg").read_bytes() == PICTURE.read_bytes()


@pytest.mark.parametrize("name", PICTURES)
def test_the_pictures_of_the_measures_are_what_the_command_draws(told: Told, name: str) -> None:
    assert (told.pictures / name).read_bytes() == (DOCS / name).read_bytes()


def promoted(study: Study, manner: Manner) -> float:
    """Return the share of those who answer in a manner that is in the library."""
    names = of_manner(study, manner)
    return sum(name in study.library for name in names) / len(names)


def test_nobody_random_or_contradictory_is_promoted_and_nearly_all_steady_ones_are(
    told: Told,
) -> None:
    shares = {manner: promoted(told.study, manner) for manner in Manner}
    assert shares[Manner.RANDOM] == shares[Manner.CONTRADICTORY] == shares[Manner.LATE] == 0
    assert shares[Manner.STEADY] >= 0.9
    assert shares[Manner.WAVERING] <= 0.125
    assert 0 < shares[Manner.SHIFTING] < 1
    assert told.study.library.keys() | told.study.refused.keys() == told.study.respondents.keys()
    assert not told.study.library.keys() & told.study.refused.keys()


@pytest.mark.parametrize("manner", TRUE_C)
def test_measured_reliability_is_near_the_true_one(told: Told, manner: Manner) -> None:
    found = [told.study.measured[name].coefficient.value for name in of_manner(told.study, manner)]
    # The mean of eight who answer at random has a standard error of 0.05.
    assert abs(sum(found) / len(found) - TRUE_C[manner]) < 0.15


def broken(reliability: Reliability) -> set[str]:
    return {rule.name for rule in reliability.rules if not rule.holds}


def test_each_is_refused_for_what_it_is(told: Told) -> None:
    """Too few answers are said to be that, and no low reliability."""
    measured = told.study.measured
    for name in of_manner(told.study, Manner.LATE):
        assert measured[name].status == RELIABILITY_STATUS_INSUFFICIENT_DATA
        assert "simulations" in broken(measured[name])
    for manner in (Manner.RANDOM, Manner.CONTRADICTORY):
        for name in of_manner(told.study, manner):
            assert measured[name].status == RELIABILITY_STATUS_NOT_ELIGIBLE
            assert broken(measured[name]) == {"lower_bound"}


def test_a_refusal_names_every_rule_with_its_figure(told: Told) -> None:
    for name, error in told.study.refused.items():
        assert error.reliability is not None
        assert error.reliability.rules == told.study.measured[name].rules


def excludes(item: Item, one: Value, other: Value) -> bool:
    """Whether answers exclude each other: by their place on the scale, not as the service does."""
    if item.kind == "choice":
        return one != other
    last = len(item.values) - 1
    low, high = sorted((item.values.index(one), item.values.index(other)))
    return 8 * low <= 3 * last and 8 * high >= 5 * last


def truly_contradicted(study: Study, respondent: Respondent) -> set[str]:
    """Return the questions to which a respondent's own answers exclude each other."""
    return {
        item.key
        for item in study.items
        if item.can_contradict
        for pair in combinations([respondent.answers[item.key][w] for w in respondent.waves], 2)
        if excludes(item, *pair)
    }


def test_all_contradictions_are_found_and_no_others(told: Told) -> None:
    for name, respondent in told.study.respondents.items():
        found = {c.question.key for c in told.study.measured[name].contradictions}
        assert found == truly_contradicted(told.study, respondent)
        assert found >= respondent.contradicted
    planted = [r.contradicted for r in told.study.respondents.values() if r.contradicted]
    assert [len(keys) for keys in planted] == [11] * 8


def test_planted_shifts_are_often_reliable_and_others_hardly_ever(told: Told) -> None:
    """Each is judged among all questions of its individual, so that chance finds next to none."""
    shifted, others = shifts_found(told.study, True), shifts_found(told.study, False)
    assert len(shifted) == 3 * len(SHIFTS)
    assert sum(shifted) >= len(shifted) / 2
    assert len(shifted) + len(others) == 14 * len(told.study.reused)
    assert sum(others) / len(others) < 0.02


def test_the_shift_goes_where_it_was_planted(told: Told) -> None:
    for key, sign in SHIFTS.items():
        timeline = told.study.timelines[told.study.protagonist][key]
        values = [point.value.value for point in timeline.points]
        assert values == sorted(values, reverse=sign < 0)
        times = [point.occurred_at.ToDatetime(UTC) for point in timeline.points]
        assert [b - a for a, b in pairwise(times)] == [BETWEEN_WAVES] * 4
        assert times[0].date() == FIRST_WAVE.date()


def said_by(study: Study, name: str, wave: int) -> dict[str, Response]:
    """Return what a respondent answered in a wave, by id, as it was sent."""
    respondent = study.respondents[name]
    said = {}
    for item in study.items:
        response = item.response(respondent.answers[item.key][wave])
        said[response_id(respondent, wave, item.key)] = response
    return said


def test_every_answer_is_there_after_everything_was_deleted(told: Told) -> None:
    study = told.study
    waves = {name: list(r.waves) for name, r in study.respondents.items()}
    for name in study.reused:
        waves[name].append(WAVES - 1)
    sent: dict[str, Response] = {}
    for name, answered in waves.items():
        for wave in answered:
            sent |= said_by(study, name, wave)
    kept = {
        response.id: response
        for place in study.places
        for response in study.client.list_responses(project_id=place.project_id)
    }
    assert kept.keys() == sent.keys()
    for response_key, response in kept.items():
        wanted = sent[response_key]
        for field in ("question_key", "question_text", "themes"):
            assert getattr(response, field) == getattr(wanted, field)
        answer = wanted.WhichOneof("answer")
        assert answer == response.WhichOneof("answer")
        assert answer is not None
        assert getattr(response, answer) == getattr(wanted, answer)
        assert response.persona_deleted


def test_personas_are_as_they_were_when_they_answered(told: Told) -> None:
    study, second = told.study, told.study.places[1]
    for name, reused in study.reused.items():
        respondent = study.respondents[name]
        given = response_id(respondent, WAVES - 1, study.items[0].key)
        assert study.client.get_response_persona(given) == reused
        assert (reused.project_id, reused.group_id) == (second.project_id, second.group_id)
        given = response_id(respondent, respondent.waves[0], study.items[0].key)
        then = study.client.get_response_persona(given)
        assert not then.HasField("library_persona_id")
        assert profile(then) == profile(reused) == profile(respondent.persona)


def profile(persona: Persona) -> Persona:
    """Return a persona without what tells it from others with the same profile."""
    copied = Persona()
    copied.CopyFrom(persona)
    for name in ("id", "project_id", "group_id", "library_persona_id", "created_at"):
        copied.ClearField(name)
    return copied


def test_figures_and_lineage_stay_too(told: Told) -> None:
    client, study = told.study.client, told.study
    for name, persona in study.reused.items():
        individual = study.library[name].id
        now = client.get_library_persona_reliability(individual)
        now.measured_at.CopyFrom(study.followed[name].measured_at)
        assert now == study.followed[name]
        timelines = {
            t.question.key: t for t in client.get_library_persona_attitude_timeline(individual)
        }
        assert timelines == study.timelines[name]
        links = list(client.list_library_persona_projects(individual))
        assert [link.project_name for link in links] == ["Store brand test", "Grocery panel"]
        assert [link.group_name for link in links] == ["Tight budgets", "Shoppers"]
        personas = [persona.id, study.respondents[name].persona.id]
        assert [link.persona_id for link in links] == personas
        assert all(link.HasField("persona_deleted_at") for link in links)
        assert (
            client.get_persona_lineage(persona.project_id, persona.group_id, persona.id).personas
            == links
        )


def test_an_individual_of_deleted_projects_can_still_be_reused(told: Told) -> None:
    assert {p.id for p in told.study.client.list_library_personas()} == {
        individual.id for individual in told.study.library.values()
    }
    assert not any(p.HasField("retired_at") for p in told.study.client.list_library_personas())


@contextmanager
def demo(root: Path) -> Iterator["subprocess.Popen[str]"]:
    """Tell the study in another folder, as `make demo` does, while a block runs."""
    process = subprocess.Popen(
        [sys.executable, "-m", "study"],
        env=os.environ | {"PYTHONPATH": str(root / "examples")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def test_make_demo_prints_the_story_and_fails_where_the_page_tells_another(
    tmp_path: Path,
) -> None:
    story = story_of(PAGE.read_text("utf-8"))
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    other = with_story(PAGE.read_text("utf-8"), story.replace("31 are in it", "30 are in it"))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / PAGE.name).write_text(other, "utf-8")
    with demo(tmp_path) as failing:
        command = ["make", "-s", "demo"]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout == story
        assert "Not as told" in failing.communicate()[1]
        assert failing.returncode == 1
