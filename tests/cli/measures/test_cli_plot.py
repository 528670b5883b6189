"""The picture of a timeline: what it shows, and that the same answers make the same bytes."""

import importlib.util
import re
from math import copysign
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
import pytest
from cli.conftest import Cli, Place
from cli.pictures import PANEL, panel_widths

from persona.v1.measures_pb2 import (
    QUESTION_KIND_CHOICE,
    QUESTION_KIND_CHOICES,
    QUESTION_KIND_RATING,
    QUESTION_KIND_SENTIMENT,
    QUESTION_KIND_THEMES,
    SLOPE_UNIT_SIMULATION,
    SLOPE_UNIT_THIRTY_DAYS,
    UNDEFINED_REASON_NO_RESIDUALS,
    UNDEFINED_REASON_TOO_FEW_POINTS,
    PersonaReliability,
    Question,
    QuestionTimeline,
)
from persona_cli.plot.picture import MAX_PANELS, MAX_ROWS, write_picture, write_reliability_picture
from persona_cli.terminal.shifts import reliable_text
from support.answering.shifting import shifting_individual
from support.data import Place as Group
from support.data import uid
from support.service import Service

SVG = "{http://www.w3.org/2000/svg}"
ORANGE, BLUE = "#b84300", "#0072b2"
DAYS = (0, 30, 60, 90, 150, *range(180, 420, 30))


def timeline(kind: "Any", values: tuple[Any, ...], **question: Any) -> QuestionTimeline:
    """Return answers on the days of a worked case."""
    made = QuestionTimeline(question=Question(key="q", kind=kind, **question))
    for day, value in zip(DAYS, values, strict=False):
        point = made.points.add()
        point.occurred_at.FromSeconds(1_767_225_600 + day * 86_400)
        if kind == QUESTION_KIND_CHOICE:
            point.choice.value = value
        elif kind in (QUESTION_KIND_CHOICES, QUESTION_KIND_THEMES):
            point.items.extend(value)
        else:
            point.value.value = value
    return made


def rising(*, reliable: bool = True, band: bool = True) -> QuestionTimeline:
    """Return worked case 5, or one whose change is noise."""
    made = timeline(QUESTION_KIND_RATING, (2, 2, 3, 4, 4), min=1, max=5)
    shift = made.numeric_shift
    shift.first, shift.last, shift.mean, shift.change.value = 2, 4, 3, 2
    change = shift.reliable_change
    change.rci, change.adjusted_p, change.reliable, change.change = 2.828427, 0.0179, reliable, 2
    change.noise.variance, change.noise.difference_count = 0.25, 10
    shift.slope.value, shift.slope.per = 0.472973, SLOPE_UNIT_THIRTY_DAYS
    if band:
        shift.slope.low.value, shift.slope.high.value = 0.076477, 0.869469
    return made


def turned(values: tuple[float, ...], change: float) -> QuestionTimeline:
    """Return points of which the halves' means differ by `change`, reliably."""
    made = timeline(QUESTION_KIND_RATING, values, min=1, max=5)
    shift = made.numeric_shift
    shift.first, shift.last = values[0], values[-1]
    shift.change.value = values[-1] - values[0]
    found = shift.reliable_change
    found.rci, found.change = copysign(4.78, change), change
    found.adjusted_p, found.reliable = 0.0009, True
    shift.slope.value, shift.slope.per = -0.2, SLOPE_UNIT_THIRTY_DAYS
    shift.interval_reason = UNDEFINED_REASON_NO_RESIDUALS
    return made


def drawn(target: Path, *timelines: QuestionTimeline, name: str = "Maria Santos") -> ET.Element:
    write_picture(str(target), name, timelines)
    return ET.fromstring(target.read_bytes())  # noqa: S314


def texts(picture: ET.Element) -> list[str]:
    return ["".join(text.itertext()) for text in picture.iter(f"{SVG}text")]


def marks(picture: ET.Element, colour: str) -> int:
    """Count what is drawn in a colour."""
    return sum(colour in (one.get("style") or "") for one in picture.iter())


@pytest.fixture
def svg(tmp_path: Path) -> Path:
    return tmp_path / "picture.svg"


def test_reliable_change_is_marked_in_words_and_colour(svg: Path) -> None:
    picture = drawn(svg, rising())
    said = texts(picture)
    assert "▲ reliable change +2 (RCI +2.83, adjusted p 0.018)" in said
    assert "trend +0.473 per 30 days (95%: +0.076 to +0.869)" in said
    assert "Maria Santos" in said
    assert "Answers over time: 1 question, 2026-01-01 to 2026-05-31" in said
    assert {"1", "2", "3", "4", "5"} <= set(said)  # the whole scale
    noise = drawn(svg, rising(reliable=False))
    assert "change +2, within the noise (RCI +2.83, adjusted p 0.018)" in texts(noise)
    assert marks(picture, ORANGE) > 0
    assert marks(noise, ORANGE) == 0


def test_a_change_of_halves_goes_from_mean_to_mean(svg: Path) -> None:
    """From eight points on that is what is judged, whatever the last point is beside the first."""
    one = turned((3, 1, 1, 1, 1, 1, 5, 5, 5, 5, 5, 2), 19 / 6)
    picture = drawn(svg, one)
    said = texts(picture)
    assert "▲ reliable change +3.167 (RCI +4.78, adjusted p below 0.001)" in said
    assert "last − first −1; trend −0.2 per 30 days (no interval: the points lie on a line)" in said
    assert {"1.33", "4.5"} <= set(said)  # both means, as labels
    between = "Orange: reliable change between the means of both halves, adjusted p below 0.05."
    assert f"{between} Times are UTC." in said
    ticks = _heights(picture)
    first, last = (ticks["1"] + (ticks["5"] - ticks["1"]) * part for part in (1 / 12, 7 / 8))
    assert _levels(picture, ORANGE) == pytest.approx([first, last])
    both = texts(drawn(svg, rising(), one))
    ways = "from first to last or between the means of both halves"
    assert f"Orange: reliable change {ways}, adjusted p below 0.05. Times are UTC." in both


def test_what_is_said_above_a_panel_takes_no_room_from_it(svg: Path) -> None:
    """Nor do other panels' labels, which move it to the right."""
    one = turned((3, 1, 1, 1, 1, 1, 5, 5, 5, 5, 5, 2), 19 / 6)
    one.question.key = "価格についてどう思いますか、そして品質についてはどう思いますか"
    options = [f"an option of a long name, {i}" for i in range(3)]
    chosen = timeline(QUESTION_KIND_CHOICE, tuple(options), options=options)
    picture = drawn(svg, one, one, chosen)
    assert min(panel_widths(picture)[:3]) > PANEL * 0.6
    assert "価格についてどう思いま…" in texts(picture)  # a character has two cells


def test_a_title_is_as_long_as_the_picture_is_wide(svg: Path) -> None:
    name = "Somebody of a very long name " * 3
    one, four = (texts(drawn(svg, *[rising()] * number, name=name)) for number in (1, 4))
    assert "Somebody of a very long name Somebody of a very…" in one
    assert "Somebody of a very long name Somebody of a very long name Somebody o…" in four


def test_a_change_of_halves_is_told_beside_that_of_the_ends() -> None:
    down = turned((4, 4, 4, 4, 2, 2, 2, 4), -1.5).numeric_shift
    figures = "last − first 0, RCI −4.78, adjusted p below 0.001"
    assert reliable_text(down) == f"▼ reliable change −1.5 ({figures})"
    down.reliable_change.reliable = False
    assert reliable_text(down) == f"change −1.5, within the noise ({figures})"


def test_intervals_are_those_of_the_measures(svg: Path) -> None:
    """Bars reach 1.96 √v to both sides; the band is widest at its ends, as least squares says."""
    picture = drawn(svg, rising())
    ticks = _heights(picture)
    unit = (ticks["1"] - ticks["5"]) / 4
    bars = _paths(picture, "LineCollection_1")
    assert len(bars) == 5
    for path in bars:
        (_, low), (_, high) = path
        assert (low - high) / unit == pytest.approx(2 * 1.96 * 0.5, rel=1e-3)
    [band] = _paths(picture, "FillBetweenPolyCollection_1")
    # At the first day: t₃ · s · √(1/5 + 66²/13320), from the worked case.
    spread = 3.182446 * (0.689189 / 3) ** 0.5 * (1 / 5 + 66**2 / 13320) ** 0.5
    first = min(x for x, _ in band)
    edge = [y for x, y in band if x == first]
    assert (max(edge) - min(edge)) / unit == pytest.approx(2 * spread, rel=1e-3)


def test_simulations_may_stand_in_the_place_of_time(svg: Path) -> None:
    """They stand one after the other, however near in time; what is per 30 days is no line."""
    one = rising()
    for i, point in enumerate(one.points):
        point.simulation_ids.append(f"simulation {i}")
    write_picture(str(svg), "Maria Santos", [one], by_simulation=True)
    picture = ET.fromstring(svg.read_bytes())  # noqa: S314
    shown = texts(picture)
    assert "Answers by simulation, in their order: 1 question, 5 simulations" in shown
    assert [text for text in shown if text in {"1", "2", "3", "4", "5"}][:5] == list("12345")
    assert not any("UTC" in text or "Line and band" in text for text in shown)
    by_time = drawn(svg, one)
    assert any("Line and band" in text for text in texts(by_time))


def test_simulations_in_another_order_have_no_line(svg: Path) -> None:
    """They stand in the order in which any question met them first: the slope is of this one's."""
    one, other = (timeline(QUESTION_KIND_RATING, (1, 2, 3), min=1, max=5) for _ in range(2))
    for made, order in ((one, "ABC"), (other, "BCA")):
        made.numeric_shift.slope.value, made.numeric_shift.slope.per = 1, SLOPE_UNIT_SIMULATION
        for point, simulation in zip(made.points, order, strict=True):
            point.simulation_ids.append(simulation)
    for point in other.points:
        point.occurred_at.seconds += 1
    lines = []
    for shown in ([one], [one, one], [one, other]):
        write_picture(str(svg), "Maria Santos", shown, by_simulation=True)
        lines.append(svg.read_text().count(f"stroke: {BLUE}; stroke-width: 1.4"))
    assert lines == [1, 2, 1]


def test_there_is_no_band_without_an_interval(svg: Path) -> None:
    assert "FillBetweenPolyCollection_1" in _ids(drawn(svg, rising()))
    assert "FillBetweenPolyCollection_1" not in _ids(drawn(svg, rising(band=False)))


def test_what_is_unknown_is_said_and_not_drawn(svg: Path) -> None:
    one = timeline(QUESTION_KIND_SENTIMENT, (0.5,))
    one.numeric_shift.change_reason = UNDEFINED_REASON_TOO_FEW_POINTS
    one.numeric_shift.slope_reason = UNDEFINED_REASON_TOO_FEW_POINTS
    picture = drawn(svg, one)
    said = texts(picture)
    assert "no change to tell: too few points in time" in said
    assert "no trend to tell: too few points in time" in said
    assert "Times are UTC." in said  # nothing of bars and bands that are not there
    assert "LineCollection_1" not in _ids(picture)


def test_choices_are_steps_over_named_options(svg: Path) -> None:
    one = timeline(QUESTION_KIND_CHOICE, ("b", "b", "a", "b"), options=["a", "b", "c"])
    shift = one.choice_shift
    shift.first, shift.last, shift.changed, shift.switch_count = "b", "b", False, 2
    said = texts(drawn(svg, one))
    assert {"a", "b", "c", "choice of 3", "2 switches, back to the first"} <= set(said)
    assert "Ring: a switch. Times are UTC." in said


def test_options_stand_in_the_order_in_which_they_are_declared(svg: Path) -> None:
    declared = ["Strongly disagree", "Disagree", "Neither", "Agree", "Strongly agree"]
    one = timeline(QUESTION_KIND_CHOICE, ("Agree", "Disagree", "Agree"), options=declared)
    many = timeline(QUESTION_KIND_CHOICES, (("Neither", "Agree"), ("Disagree",)), options=declared)
    for drawing in (drawn(svg, one), drawn(svg, many)):
        assert [text for text in texts(drawing) if text in declared] == declared


def test_more_options_than_rows_are_counted_and_what_was_taken_is_drawn(
    svg: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = timeline(QUESTION_KIND_CHOICE, tuple("abcab"), options=[f"{i:03d}" for i in range(90)])
    one.question.options.extend("abc")
    one.choice_shift.switch_count = 4
    said = texts(drawn(svg, one))
    assert "85 more options not shown" in said
    assert {"a", "b", "c"} <= set(said)
    monkeypatch.setattr("persona_cli.plot.panels._MAX_ROWS", 2)
    said = texts(drawn(svg, one))
    assert {"a", "(others)", "92 more options not shown"} <= set(said)
    assert not {"b", "c"} & set(said)


def test_themes_are_rows(svg: Path) -> None:
    one = timeline(QUESTION_KIND_THEMES, (("price", "taste"), ("taste",), ()))
    said = texts(drawn(svg, one))
    assert {"price", "taste", "3 answers, 2 named"} <= set(said)


def test_texts_are_themselves(svg: Path) -> None:
    one = timeline(QUESTION_KIND_THEMES, (("$a^2$ & <b>",), ("日本語",)))
    said = texts(drawn(svg, one, name="Zoë <O'Hara> & $1$"))
    assert {"Zoë <O'Hara> & $1$", "$a^2$ & <b>", "日本語"} <= set(said)


def test_the_same_answers_make_the_same_bytes(svg: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn(svg, rising())
    first = svg.read_bytes()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    with mpl.rc_context({"font.size": 40, "xtick.major.size": 20}):
        drawn(svg, rising())
    assert svg.read_bytes() == first


def test_a_png_is_one_and_says_what_its_font_lacks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "picture.PNG"
    write_picture(str(target), "Maria Santos", [rising()])
    assert target.read_bytes().startswith(b"\x89PNG\r\n")
    assert capsys.readouterr().err == ""
    write_picture(str(target), "\U0010abcd", [rising()])  # of which no font knows anything
    assert "fonts lack some" in capsys.readouterr().err


def test_too_many_questions_are_said(svg: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = timeline(QUESTION_KIND_THEMES, (("a",),))
    picture = drawn(svg, *[one] * (MAX_PANELS + 2))
    assert texts(picture).count("themes") == MAX_PANELS
    assert capsys.readouterr().err.startswith("2 more questions don't fit; --question")
    what = f"Answers over time: {MAX_PANELS} of {MAX_PANELS + 2} questions"
    assert any(text.startswith(what) for text in texts(picture))


def test_a_picture_of_some_personas_says_of_how_many(svg: Path) -> None:
    found = [PersonaReliability(full_name="Ada")] * (MAX_ROWS + 1)
    write_reliability_picture(str(svg), "Group", found)
    said = texts(ET.fromstring(svg.read_bytes()))  # noqa: S314
    assert f"Reliability of {MAX_ROWS} of {MAX_ROWS + 1} personas" in said


def test_the_command_draws_what_the_service_says(
    cli: Cli, service: Service, place: Place, tmp_path: Path
) -> None:
    key, target = f"q {uid()[:8]}", tmp_path / "a.svg"
    shifting = shifting_individual(Group(service.connect(), *place.ids), key)
    done = cli.run("library", "timeline", shifting.id, "--question", key, "--plot", target)
    assert (done.code, done.out, done.err) == (0, "", f"Wrote {target}.\n")
    said = texts(ET.fromstring(target.read_bytes()))  # noqa: S314
    assert "▲ reliable change +2 (RCI +2.83, adjusted p 0.018)" in said
    assert key in said
    done = cli.run("library", "timeline", shifting.id, "--question", "no", "--plot", target)
    assert (done.code, done.err) == (1, "persona: There are no answers to draw.\n")


def test_a_file_that_is_no_picture_is_misuse(cli: Cli) -> None:
    done = cli.run("library", "timeline", uid(), "--plot", "picture.gif")
    assert (done.code, ".svg or .png" in done.err) == (2, True)


def test_without_the_extra_a_picture_says_what_to_install(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    lacking = {"matplotlib": None}
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *a: lacking.get(name, real(name, *a))
    )
    done = cli.run("library", "timeline", uid(), "--plot", "picture.svg")
    assert done.code == 1
    assert 'pip install "persona-client[plot]"' in done.err


def _ids(picture: ET.Element) -> set[str]:
    return {found for one in picture.iter() if (found := one.get("id"))}


def _paths(picture: ET.Element, name: str) -> list[list[tuple[float, float]]]:
    """Return the points of each path of a group, as they lie on the page."""
    [group] = [one for one in picture.iter() if one.get("id") == name]
    height = float((picture.get("viewBox") or "").split()[3])
    found = []
    for path in group.iter(f"{SVG}path"):
        numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*", path.get("d") or "")]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        found.append([(x, y + height if y < 0 else y) for x, y in points])
    return found


def _heights(picture: ET.Element) -> dict[str, float]:
    """Return how far down the page the ticks of the only panel's vertical axis are."""
    found = {}
    for tick in picture.iter():
        if re.fullmatch(r"ytick_\d+", tick.get("id") or ""):
            [use] = tick.iter(f"{SVG}use")
            found["".join(tick.itertext()).strip()] = float(use.get("y") or "nan")
    return found


def _levels(picture: ET.Element, colour: str) -> list[float]:
    """Return how far down the page the level lines of a colour are, those that are not dotted."""
    found = []
    for path in picture.iter(f"{SVG}path"):
        numbers = [float(n) for n in re.findall(r"-?\d+\.?\d*", path.get("d") or "")]
        style = path.get("style") or ""
        if colour in style and "dash" not in style and len(numbers) == 4:
            assert numbers[1] == numbers[3]
            found.append(numbers[1])
    return found


def test_an_axis_without_a_picture_is_refused(cli: Cli, place: Place) -> None:
    for words in (("timeline", *place.options), ("library", "timeline")):
        for axis in ("simulation", "time"):
            done = cli.run(*words, "00000000-0000-7000-8000-000000000000", "--by", axis)
            assert (done.code, done.out, "--plot" in done.err) == (2, "", True)
