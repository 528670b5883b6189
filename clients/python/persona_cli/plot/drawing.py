"""Small multiples: one panel for each question, all over the same time."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from persona.v1.measures_pb2 import QuestionTimeline
from persona_cli.plot.panels import QUIET, days, draw_panel, shortened

# Inches.
_PANEL_WIDTH, _PANEL_HEIGHT = 4.6, 2.35
_HEADER, _FOOTER = 0.72, 0.5
_TWO_COLUMNS_UP_TO = 8  # questions; beyond, there are three


def figure(name: str, timelines: Sequence[QuestionTimeline]) -> Figure:
    """Return an individual's timelines as a figure."""
    columns = min(len(timelines), 3 if len(timelines) > _TWO_COLUMNS_UP_TO else 2)
    rows = -(-len(timelines) // columns)
    width = max(columns * _PANEL_WIDTH, 6.6)  # the legend's lines are long
    height = rows * _PANEL_HEIGHT + _HEADER + _FOOTER
    body = (0, _FOOTER / height, 1, 1 - (_HEADER + _FOOTER) / height)
    layout = ConstrainedLayoutEngine(rect=body, w_pad=0.12, h_pad=0.1, wspace=0.03, hspace=0.02)
    made = Figure(figsize=(width, height), layout=layout, facecolor="white")
    _write_around(made, name, timelines)
    grid = list(made.subplots(rows, columns, sharex=True, squeeze=False).flat)
    for timeline, axes in zip(timelines, grid, strict=False):
        draw_panel(axes, timeline)
    _share_time(grid, timelines, columns)
    return made


def _write_around(figure: Figure, name: str, timelines: Sequence[QuestionTimeline]) -> None:
    """Write the title above the panels, and how to read them below."""
    width, height = figure.get_size_inches()
    left = 0.12 / width
    figure.text(
        left, 1 - 0.14 / height, shortened(name, 60), va="top", fontsize=14, fontweight="bold"
    )
    number = len(timelines)
    first, last = (
        f"{datetime.fromtimestamp(day * 86_400, UTC):%Y-%m-%d}" for day in _span(timelines)
    )
    what = f"{number} question{'' if number == 1 else 's'}, {first} to {last}"
    top = 1 - 0.44 / height
    figure.text(left, top, f"Answers over time: {what}", va="top", fontsize=9.5, color=QUIET)
    legend = "\n".join(_legend(timelines))
    figure.text(left, 0.1 / height, legend, va="bottom", fontsize=7.2, color=QUIET)


def _legend(timelines: Sequence[QuestionTimeline]) -> Iterator[str]:
    """Say how to read what is drawn, and nothing else."""
    shifts = [timeline.numeric_shift for timeline in timelines]
    said = []
    if any(shift.HasField("reliable_change") for shift in shifts):
        said.append("Bars: 95% interval of one answer's noise, as other individuals show it.")
    if any(shift.HasField("slope") for shift in shifts):
        said.append("Line and band: least squares with its 95% interval.")
    if said:
        yield " ".join(said)
    said = []
    if any(shift.reliable_change.reliable for shift in shifts):
        said.append("Orange: reliable change from first to last, adjusted p below 0.05.")
    if any(timeline.choice_shift.switch_count for timeline in timelines):
        said.append("Ring: a switch.")
    yield " ".join([*said, "Times are UTC."])


def _share_time(grid: Sequence[Axes], timelines: Sequence[QuestionTimeline], columns: int) -> None:
    """Give all panels the same time, and write it below the last panel of each column."""
    first, last = _span(timelines)
    span = last - first or 1
    grid[0].set_xlim(first - span * 0.14, last + span * 0.18)
    locator: Any = AutoDateLocator(minticks=3, maxticks=6, tz=UTC)  # type: ignore[no-untyped-call]
    grid[0].xaxis.set_major_locator(locator)
    labels: Any = ConciseDateFormatter(locator, tz=UTC)  # type: ignore[no-untyped-call]
    grid[0].xaxis.set_major_formatter(labels)
    for i, axes in enumerate(grid):
        axes.tick_params(axis="x", labelbottom=i + columns >= len(timelines))
        axes.xaxis.get_offset_text().set_color(QUIET)
        axes.xaxis.get_offset_text().set_visible(i + columns >= len(timelines))
        if i >= len(timelines):
            axes.set_axis_off()


def _span(timelines: Sequence[QuestionTimeline]) -> tuple[float, float]:
    """Return the first and the last day."""
    times = [days(point) for timeline in timelines for point in timeline.points]
    return min(times), max(times)
