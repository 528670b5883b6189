"""What many individuals answered: one panel of bars with intervals for each question."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from persona.v1.comparison_pb2 import AnswerShare, QuestionSummary
from persona_cli.plot.panels import INK, QUIET, shortened
from persona_cli.terminal.shifts import kind_text, number_text
from persona_cli.terminal.summaries import moments_text, number_answered

# Inches.
_PANEL_WIDTH, _BAR, _AROUND = 4.6, 0.24, 0.95
_HEADER, _FOOTER = 0.72, 0.4
_MAX_BARS = 12
_BLUE = "#0072B2"
_LEGEND = (
    "Bars: shares of those who answered. Lines: 95% intervals; of choices of one and ratings "
    "for all bars of a panel at once."
)


def figure(name: str, summaries: Sequence[QuestionSummary]) -> Figure:
    """Return summaries as a figure, two panels beside each other."""
    columns = min(len(summaries), 2)
    rows = -(-len(summaries) // columns)
    heights = [
        _AROUND + _BAR * max(_bars(one) for one in summaries[i * columns : (i + 1) * columns])
        for i in range(rows)
    ]
    width, height = max(columns * _PANEL_WIDTH, 6.6), sum(heights) + _HEADER + _FOOTER
    body = (0, _FOOTER / height, 1, 1 - (_HEADER + _FOOTER) / height)
    layout = ConstrainedLayoutEngine(rect=body, w_pad=0.12, h_pad=0.1, wspace=0.03, hspace=0.02)
    made = Figure(figsize=(width, height), layout=layout, facecolor="white")
    _write_around(made, name, len(summaries))
    grid = made.subplots(rows, columns, squeeze=False, gridspec_kw={"height_ratios": heights})
    panels = list(grid.flat)
    for one, axes in zip(summaries, panels, strict=False):
        _draw(axes, one)
    for axes in panels[len(summaries) :]:
        axes.set_axis_off()
    return made


def _bars(summary: QuestionSummary) -> int:
    return min(len(summary.shares), _MAX_BARS) or 1


def _write_around(made: Figure, name: str, number: int) -> None:
    width, height = made.get_size_inches()
    left = 0.12 / width
    title = shortened(name, 60)
    made.text(left, 1 - 0.14 / height, title, va="top", fontsize=14, fontweight="bold")
    what = f"Answers to {number} question{'' if number == 1 else 's'}"
    made.text(left, 1 - 0.44 / height, what, va="top", fontsize=9.5, color=QUIET)
    made.text(left, 0.1 / height, _LEGEND, va="bottom", fontsize=7.2, color=QUIET)


def _draw(axes: Axes, summary: QuestionSummary) -> None:
    """Draw one question: the answers from above, in declared order."""
    key = shortened(summary.question.key, 36 - len(kind_text(summary.question)))
    axes.set_title(key, loc="left", fontweight="bold", fontsize=10, pad=18, color=INK)
    axes.set_title(kind_text(summary.question), loc="right", fontsize=8, pad=18, color=QUIET)
    shown = _shown(summary.shares)
    said = [number_answered(summary)]
    if summary.HasField("moments"):
        said.append(moments_text(summary.moments))
    if hidden := len(summary.shares) - len(shown) + summary.other_theme_count:
        said.append(f"{hidden} more answers not shown")
    axes.annotate(
        "; ".join(said), (0, 1), xytext=(0, 5), xycoords="axes fraction",
        textcoords="offset points", color=QUIET, fontsize=8,
    )  # fmt: skip
    _draw_bars(axes, shown)


def _shown(shares: Sequence[AnswerShare]) -> list[AnswerShare]:
    """Return the shares that have room: the largest, in the order given."""
    largest = sorted(range(len(shares)), key=lambda i: (-shares[i].share, i))[:_MAX_BARS]
    return [shares[i] for i in sorted(largest)]


def _draw_bars(axes: Axes, shares: Sequence[AnswerShare]) -> None:
    places = [-i for i in range(len(shares))]
    values = [one.share for one in shares]
    axes.barh(places, values, height=0.66, color=_BLUE, alpha=0.55, zorder=2)
    errors = [[one.share - one.low for one in shares], [one.high - one.share for one in shares]]
    axes.errorbar(
        values, places, xerr=errors, fmt="none", ecolor=INK, elinewidth=1.1, capsize=2.5, zorder=3
    )
    for place, one in zip(places, shares, strict=True):
        axes.annotate(
            number_text(one.share, places=2), (one.high, place), xytext=(5, 0),
            textcoords="offset points", va="center", fontsize=8, color=INK,
        )  # fmt: skip
    axes.set_yticks(places, [shortened(one.option or str(one.rating), 18) for one in shares])
    axes.set_ylim(-len(shares) + 0.4, 0.6)
    axes.set_xlim(0, 1.12)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#EAEEF2", linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)
