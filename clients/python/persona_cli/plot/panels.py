"""One panel: an individual's answers to one question over time, labelled where they stand."""

from collections import Counter
from collections.abc import Sequence
from math import sqrt
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from rich.cells import cell_len, set_cell_size

from persona.v1.measures_pb2 import (
    QUESTION_KIND_CHOICE,
    QUESTION_KIND_RATING,
    QUESTION_KIND_SENTIMENT,
    SLOPE_UNIT_SIMULATION,
    NumericShift,
    Question,
    QuestionTimeline,
    Slope,
)
from persona_cli.plot.along import Along
from persona_cli.terminal.output import counted, printable
from persona_cli.terminal.shifts import (
    choice_text,
    ends_text,
    items_text,
    kind_text,
    number_text,
    reliable_text,
    slope_text,
)

INK, QUIET = "#1F2328", "#59636E"
# Blue and vermilion stay apart for every kind of colour blindness; the second is darkened for text.
_BLUE, _CHANGE = "#0072B2", "#B84300"
_MAX_TICKS = 7  # between the ends of a rating
_PARTS = (4, 5, 3, 2, 1)  # of a longer one
_TITLE = 36  # characters above a panel
_TITLE_CELLS = 7.5  # of the title above all, in an inch
_MAX_ROWS = 8  # options or themes of a panel
_OTHERS = "(others)"  # taken, but without a row of their own
_ARROW = 0.05  # behind the last point, as a share of the time
_BAND_STEPS = 48
_TWO_SIDED = 1.96  # standard deviations that hold 95% of the noise
_THIRTY = 30.0  # days
_HALVES_FROM = 8  # points, of which the contract compares the halves' means, and not the ends


def draw_panel(axes: Axes, timeline: QuestionTimeline, along: Along) -> None:
    """Draw one question."""
    kind = timeline.question.kind
    scale = kind_text(timeline.question)
    key = shortened(timeline.question.key, _TITLE - len(scale))
    axes.set_title(key, loc="left", fontweight="bold", fontsize=10, pad=29, color=INK)
    axes.set_title(scale, loc="right", fontsize=8, pad=29, color=QUIET)
    if kind in {QUESTION_KIND_RATING, QUESTION_KIND_SENTIMENT}:
        _draw_numbers(axes, timeline, along)
    elif kind == QUESTION_KIND_CHOICE:
        _draw_steps(axes, timeline, along)
    else:
        _draw_items(axes, timeline, along)


def shortened(text: str, most: int) -> str:
    """Return a text that fits on a line of so many cells, of which a Chinese character has two."""
    shown = printable(text)
    return shown if cell_len(shown) <= most else f"{set_cell_size(shown, most - 1).rstrip()}…"


def write_around(figure: Figure, title: str, what: str, legend: str) -> None:
    """Write the title and what is shown above all panels, and how to read them below."""
    width, height = figure.get_size_inches()
    left, title = 0.12 / width, shortened(title, int(width * _TITLE_CELLS))
    figure.text(left, 1 - 0.14 / height, title, va="top", fontsize=14, fontweight="bold")
    figure.text(left, 1 - 0.44 / height, what, va="top", fontsize=9.5, color=QUIET)
    figure.text(left, 0.1 / height, legend, va="bottom", fontsize=7.2, color=QUIET)


def caption(axes: Axes, text: str, height: int, **style: Any) -> None:
    """Write a line of a panel, so many points above its axes.

    It takes no room from the axes: where it is longer than they are, it begins further left.
    """
    axes.annotate(
        text, (0, 1), xytext=(0, height), xycoords="axes fraction", textcoords="offset points",
        fontsize=8, **{"color": QUIET, **style},
    ).set_in_layout(False)  # fmt: skip


def place_captions(figure: Figure) -> None:
    """Move captions that are longer than their axes are wide to the left, where labels stand."""
    figure.draw_without_rendering()
    for axes in figure.axes:
        for text in axes.texts:
            place = text.get_window_extent()
            over = min(place.x1 - axes.bbox.x1, place.x0)
            if not text.get_in_layout() and over > 0:
                x, y = text.get_position()
                text.set_position((x - over * 72 / figure.dpi, y))


def shown_of(shown: int, number: int, what: str) -> str:
    """Say how many are shown, and of how many where these are more."""
    of = f"{shown} of " if shown < number else ""
    return f"{of}{counted(number, what)}"


def judged(timeline: QuestionTimeline) -> int:
    """Return of how many points at either end the mean is taken, to tell a change of numbers."""
    number = len(timeline.points)
    return number // 2 if number >= _HALVES_FROM else 1


def _caption(axes: Axes, line: int, text: str, *, strong: bool = False) -> None:
    style = {"color": _CHANGE, "fontweight": "bold"} if strong else {}
    caption(axes, text, 16 - 11 * line, **style)


def _draw_numbers(axes: Axes, timeline: QuestionTimeline, along: Along) -> None:
    shift = timeline.numeric_shift
    times = [along.of(point) for point in timeline.points]
    values = [point.value.value for point in timeline.points]
    change = shift.reliable_change
    changed = shift.HasField("reliable_change") and change.reliable
    _scale(axes, timeline.question)
    if along.has_line(timeline):
        _draw_line(axes, times, values, shift)
    else:
        axes.plot(times, values, color="#9AA0A6", linewidth=1, zorder=1)
    if shift.HasField("reliable_change"):
        noise = _TWO_SIDED * sqrt(change.noise.variance)
        axes.errorbar(
            times, values, yerr=noise, fmt="none", ecolor=_BLUE, elinewidth=1.1, capsize=2.5,
            alpha=0.55, zorder=2,
        )  # fmt: skip
    axes.plot(times, values, "o", color=_BLUE, markersize=5.5, markeredgecolor="white", zorder=3)
    ends, first, last = times[-1], values[0], values[-1]
    if changed:
        of = judged(timeline)
        first, last = sum(values[:of]) / of, sum(values[-of:]) / of
        ends += (times[-1] - times[0]) * _ARROW
        _mark_change(axes, (times[:of], times[-of:]), (first, last), ends)
    side = 1 if times[-1] >= times[0] else -1  # of simulations another may be the last
    _label(axes, ends, last, side=side, strong=changed)
    if len(times) > 1:
        _label(axes, times[0], first, side=-side, strong=changed)
    _caption(axes, 0, reliable_text(shift, ends=False), strong=changed)
    _caption(axes, 1, "; ".join(filter(None, (ends_text(shift), slope_text(shift)))))


def _label(axes: Axes, time: float, value: float, *, side: int = 1, strong: bool = False) -> None:
    axes.annotate(
        number_text(value, places=2), (time, value), xytext=(7 * side, 0),
        textcoords="offset points", ha="left" if side > 0 else "right", va="center",
        fontweight="bold", color=_CHANGE if strong else INK, zorder=5,
        bbox={"boxstyle": "square,pad=0.1", "facecolor": "#FFFFFFCC", "edgecolor": "none"},
    )  # fmt: skip


def _scale(axes: Axes, question: Question) -> None:
    """Show the whole scale, so that a change looks as large as it is."""
    rating = question.kind == QUESTION_KIND_RATING
    low, high = (question.min, question.max) if rating else (-1, 1)
    room = (high - low) * 0.12
    axes.set_ylim(low - room, high + room)
    if rating:
        steps = high - low
        parts = steps if steps <= _MAX_TICKS else next(n for n in _PARTS if steps % n == 0)
        axes.set_yticks(range(low, high + 1, steps // parts))
    else:
        axes.set_yticks([-1, -0.5, 0, 0.5, 1], ["−1", "−0.5", "0", "+0.5", "+1"])
    axes.axhline((low + high) / 2, color="#E1E4E8", linewidth=0.9, zorder=0)


def _draw_line(
    axes: Axes, times: Sequence[float], values: Sequence[float], shift: NumericShift
) -> None:
    """Draw the least-squares line between first and last answer, with its 95% band if it has one.

    The band follows from the slope's interval: half of it is t·s/√Sxx, so that t·s is known.
    """
    middle, level = sum(times) / len(times), sum(values) / len(values)
    squares = sum((time - middle) ** 2 for time in times)
    slope = shift.slope.value / _days_per_unit(shift.slope, times)
    steps = [times[0] + (times[-1] - times[0]) * i / _BAND_STEPS for i in range(_BAND_STEPS + 1)]
    line = [level + slope * (time - middle) for time in steps]
    axes.plot(steps, line, color=_BLUE, linewidth=1.4, zorder=1.5)
    if not shift.slope.HasField("low"):
        return
    interval = (shift.slope.high.value - shift.slope.low.value) / 2
    half = interval / _days_per_unit(shift.slope, times) * sqrt(squares)
    widths = [half * sqrt(1 / len(times) + (time - middle) ** 2 / squares) for time in steps]
    low = [y - width for y, width in zip(line, widths, strict=True)]
    high = [y + width for y, width in zip(line, widths, strict=True)]
    axes.fill_between(steps, low, high, color=_BLUE, alpha=0.13, linewidth=0, zorder=1)


def _days_per_unit(slope: Slope, times: Sequence[float]) -> float:
    """Return how many days the slope's unit lasts; simulations are drawn as if evenly spread."""
    if slope.per == SLOPE_UNIT_SIMULATION:
        return (times[-1] - times[0]) / (len(times) - 1)
    return _THIRTY


def _mark_change(
    axes: Axes,
    times: tuple[Sequence[float], Sequence[float]],
    levels: tuple[float, float],
    arrow: float,
) -> None:
    """Mark where it began and where it ended, with an arrow from one level to the other.

    Either is a point, or a half: a line at its mean for as long as it lasted.
    """
    (before, after), (first, last) = times, levels
    if len(before) == 1:
        ends = [before[0], after[0]], levels
        axes.plot(*ends, "o", color=_CHANGE, markersize=8, markeredgecolor="white", zorder=4)
    else:
        for reach, level in (((before[0], before[-1]), first), ((after[0], arrow), last)):
            axes.plot(reach, [level] * 2, color=_CHANGE, linewidth=1.8, zorder=2.5)
    axes.plot([before[0], arrow], [first] * 2, ":", color=_CHANGE, linewidth=1.2, zorder=1.2)
    style = {"arrowstyle": "-|>", "color": _CHANGE, "linewidth": 1.8, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (arrow, last), xytext=(arrow, first), arrowprops=style, zorder=4)


def _draw_steps(axes: Axes, timeline: QuestionTimeline, along: Along) -> None:
    """A choice holds until the next answer: steps over the options that were taken, and others."""
    taken = [point.choice.value for point in timeline.points]
    switched = [i for i in range(1, len(taken)) if taken[i] != taken[i - 1]]
    if len(set(taken)) > _MAX_ROWS:
        often = {option for option, _ in Counter(taken).most_common(_MAX_ROWS - 1)}
        taken = [option if option in often else _OTHERS for option in taken]
    rows = _rows(axes, taken, timeline.question.options)
    times = [along.of(point) for point in timeline.points]
    levels = [rows[option] for option in taken]
    axes.plot(times, levels, color=_BLUE, linewidth=1.6, drawstyle="steps-post", zorder=2)
    axes.plot(times, levels, "o", color=_BLUE, markersize=6, markeredgecolor="white", zorder=3)
    axes.plot(
        [times[i] for i in switched], [levels[i] for i in switched], "o", markersize=10,
        markerfacecolor="none", markeredgecolor=INK, markeredgewidth=1, zorder=3,
    )  # fmt: skip
    _caption(axes, 0, choice_text(timeline.choice_shift, len(timeline.points)))


def _draw_items(axes: Axes, timeline: QuestionTimeline, along: Along) -> None:
    """Each option taken, or theme named, is a row; a dot says that it was among the answer's."""
    named = [item for point in timeline.points for item in point.items]
    rows = _rows(axes, named, timeline.question.options)
    for point in timeline.points:
        time = along.of(point)
        absent = [level for item, level in rows.items() if item not in point.items]
        present = [level for item, level in rows.items() if item in point.items]
        axes.plot([time] * len(absent), absent, "o", color="#D0D7DE", markersize=2.5, zorder=2)
        axes.plot([time] * len(present), present, "o", color=_BLUE, markersize=6.5, zorder=3)
    _caption(axes, 0, items_text(timeline))


def _rows(axes: Axes, used: Sequence[str], others: Sequence[str]) -> dict[str, int]:
    """Give the most used items, and others while there is room, a row each, in order from above.

    That is the order in which a question declares its options; what it does not declare comes last.
    """
    shown = [item for item, _ in Counter(used).most_common(_MAX_ROWS)]
    shown += [item for item in others if item not in shown][: _MAX_ROWS - len(shown)]
    declared = {item: i for i, item in enumerate(others)}
    shown.sort(key=lambda item: (declared.get(item, len(declared)), item))
    places = {item: -i for i, item in enumerate(shown)}
    axes.set_yticks(list(places.values()), [shortened(item, 18) for item in places])
    axes.set_ylim(-len(places) + 0.3, 0.7)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color="#EAEEF2", linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)
    if hidden := len({*used, *others} - {_OTHERS, *shown}):
        _caption(axes, 1, f"{counted(hidden, 'more option')} not shown")
    return places
