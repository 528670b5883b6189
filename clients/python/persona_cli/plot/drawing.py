"""Small multiples: one panel for each question, all over the same time or simulations."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from persona.v1.measures_pb2 import QuestionTimeline
from persona_cli.plot.along import Along
from persona_cli.plot.panels import QUIET, draw_panel, judged, shown_of, write_around
from persona_cli.terminal.output import counted

# Inches.
_PANEL_WIDTH, _PANEL_HEIGHT = 4.6, 2.35
_HEADER, _FOOTER = 0.72, 0.5
_TWO_COLUMNS_UP_TO = 8  # questions; beyond, there are three


def figure(name: str, timelines: Sequence[QuestionTimeline], along: Along, number: int) -> Figure:
    """Return an individual's timelines as a figure, of `number` that there are."""
    columns = min(len(timelines), 3 if len(timelines) > _TWO_COLUMNS_UP_TO else 2)
    rows = -(-len(timelines) // columns)
    width = max(columns * _PANEL_WIDTH, 6.6)  # the legend's lines are long
    height = rows * _PANEL_HEIGHT + _HEADER + _FOOTER
    body = (0, _FOOTER / height, 1, 1 - (_HEADER + _FOOTER) / height)
    layout = ConstrainedLayoutEngine(rect=body, w_pad=0.12, h_pad=0.1, wspace=0.03, hspace=0.02)
    made = Figure(figsize=(width, height), layout=layout, facecolor="white")
    what = _what(timelines, along, shown_of(len(timelines), number, "question"))
    write_around(made, name, what, "\n".join(_legend(timelines, along)))
    grid = list(made.subplots(rows, columns, sharex=True, squeeze=False).flat)
    for timeline, axes in zip(timelines, grid, strict=False):
        draw_panel(axes, timeline, along)
    _share_places(grid, timelines, columns, along)
    return made


def _what(timelines: Sequence[QuestionTimeline], along: Along, questions: str) -> str:
    """Say what is shown."""
    if along.ranks is not None:
        simulations = counted(len(along.ranks), "simulation")
        return f"Answers by simulation, in their order: {questions}, {simulations}"
    span = along.span(timelines)
    first, last = (f"{datetime.fromtimestamp(day * 86_400, UTC):%Y-%m-%d}" for day in span)
    return f"Answers over time: {questions}, {first} to {last}"


def _legend(timelines: Sequence[QuestionTimeline], along: Along) -> Iterator[str]:
    """Say how to read what is drawn, and nothing else."""
    shifts = [timeline.numeric_shift for timeline in timelines]
    said = []
    if any(shift.HasField("reliable_change") for shift in shifts):
        said.append("Bars: 95% interval of one answer's noise, as other individuals show it.")
    if any(map(along.has_line, timelines)):
        said.append("Line and band: least squares with its 95% interval.")
    if said:
        yield " ".join(said)
    said = []
    if changes := _changes(timelines):
        said.append(f"Orange: reliable change {changes}, adjusted p below 0.05.")
    if any(timeline.choice_shift.switch_count for timeline in timelines):
        said.append("Ring: a switch.")
    if along.ranks is None:
        said.append("Times are UTC.")
    yield " ".join(said)


def _changes(timelines: Sequence[QuestionTimeline]) -> str:
    """Say between what changes are marked; "" if none is."""
    changed = [one for one in timelines if one.numeric_shift.reliable_change.reliable]
    ways = {judged(one) > 1 for one in changed}
    texts = {False: "from first to last", True: "between the means of both halves"}
    return " or ".join(texts[way] for way in sorted(ways))


def _share_places(
    grid: Sequence[Axes], timelines: Sequence[QuestionTimeline], columns: int, along: Along
) -> None:
    """Give all panels the same places, and write them below the last panel of each column."""
    first, last = along.span(timelines)
    span = last - first or 1
    grid[0].set_xlim(first - span * 0.14, last + span * 0.18)
    if along.ranks is None:
        _write_times(grid[0])
    else:
        grid[0].xaxis.set_major_locator(MaxNLocator(6, integer=True))
    for i, axes in enumerate(grid):
        axes.tick_params(axis="x", labelbottom=i + columns >= len(timelines))
        axes.xaxis.get_offset_text().set_color(QUIET)
        axes.xaxis.get_offset_text().set_visible(i + columns >= len(timelines))
        if i >= len(timelines):
            axes.set_axis_off()


def _write_times(axes: Axes) -> None:
    locator: Any = AutoDateLocator(minticks=3, maxticks=6, tz=UTC)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    labels: Any = ConciseDateFormatter(locator, tz=UTC)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(labels)
