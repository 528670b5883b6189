"""A forest plot: a row for each of many, with an estimate and its interval."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from persona_cli.plot.panels import INK, QUIET, shortened, write_around

# Inches.
_WIDTH, _ROW, _HEADER, _FOOTER, _LEFT, _RIGHT = 7.2, 0.22, 0.86, 0.78, 1.9, 0.7
_LABEL = 26  # characters
_APART = 0.36  # of the room of a row, between two estimates of one


class Estimate(NamedTuple):
    """An estimate with the ends of its interval, and the color that says what it is."""

    value: float
    low: float
    high: float
    color: str


class Row(NamedTuple):
    """One of those estimated; what there is none of is said in a note."""

    label: str
    estimates: Sequence[Estimate]
    note: str = ""


class Forest(NamedTuple):
    """What is drawn: the rows from above, from `low` to `high`, and how to read them."""

    title: str
    what: str
    legend: str
    low: float
    high: float
    rows: Sequence[Row]


def figure(forest: Forest) -> Figure:
    """Return rows of estimates as a figure."""
    height = _HEADER + _ROW * len(forest.rows) + _FOOTER
    made = Figure(figsize=(_WIDTH, height), facecolor="white")
    left, bottom = _LEFT / _WIDTH, _FOOTER / height
    body = (1 - (_LEFT + _RIGHT) / _WIDTH, 1 - (_HEADER + _FOOTER) / height)
    write_around(made, forest.title, forest.what, forest.legend)
    _draw(made.add_axes((left, bottom, *body)), forest)
    return made


def _draw(axes: Axes, forest: Forest) -> None:
    for i, row in enumerate(forest.rows):
        _draw_row(axes, row, -i, forest)
    labels = [shortened(row.label, _LABEL) for row in forest.rows]
    axes.set_yticks([-i for i in range(len(labels))], labels)
    axes.set_ylim(-len(labels) + 0.4, 0.6)
    axes.set_xlim(forest.low, forest.high)
    axes.tick_params(axis="y", length=0, labelcolor=INK)
    axes.axvline(0, color="#9AA0A6", linewidth=0.8, zorder=1)
    axes.grid(axis="x", color="#EAEEF2", linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)


def _draw_row(axes: Axes, row: Row, place: float, forest: Forest) -> None:
    number = len(row.estimates)
    for i, one in enumerate(row.estimates):
        y = place + _APART * ((number - 1) / 2 - i)
        axes.plot((one.low, one.high), (y, y), color=one.color, linewidth=1.3, zorder=2)
        # Whole also at the end of the scale.
        axes.plot(one.value, y, "o", color=one.color, markersize=4.5, zorder=3, clip_on=False)
    if row.note:
        axes.annotate(
            row.note, (forest.low, place), xytext=(4, 0), textcoords="offset points",
            va="center", fontsize=7.5, color=QUIET,
        )  # fmt: skip
