"""What many individuals answered: one panel of bars with intervals for each question."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from persona.v1.comparison_pb2 import AnswerShare, QuestionSummary
from persona.v1.measures_pb2 import Question
from persona_cli.plot.panels import INK, QUIET, shortened
from persona_cli.terminal.output import counted
from persona_cli.terminal.shifts import kind_text, number_text
from persona_cli.terminal.summaries import moments_text, number_answered

# Inches.
_PANEL_WIDTH, _BAR, _AROUND = 4.6, 0.24, 0.95
_HEADER, _FOOTER = 0.72, 0.4
MAX_BARS = 12
BLUE, ORANGE = "#0072B2", "#E69F00"  # told apart for every kind of colour blindness
_LEGEND = (
    "Bars: shares of those who answered. Lines: 95% intervals; of choices of one and ratings "
    "for all bars of a panel at once."
)


def figure(name: str, summaries: Sequence[QuestionSummary]) -> Figure:
    """Return summaries as a figure, two panels beside each other."""
    made, panels = grid(name, "Answers", _LEGEND, [len(one.shares) for one in summaries])
    for one, axes in zip(summaries, panels, strict=True):
        _draw(axes, one)
    return made


def grid(title: str, what: str, legend: str, bars: Sequence[int]) -> tuple[Figure, list[Axes]]:
    """Return a figure with a panel for each question, which has so many bars, at most MAX_BARS."""
    columns = min(len(bars), 2)
    rows = -(-len(bars) // columns)
    most = [max(bars[i * columns : (i + 1) * columns]) for i in range(rows)]
    heights = [_AROUND + _BAR * (min(number, MAX_BARS) or 1) for number in most]
    width, height = max(columns * _PANEL_WIDTH, 6.6), sum(heights) + _HEADER + _FOOTER
    body = (0, _FOOTER / height, 1, 1 - (_HEADER + _FOOTER) / height)
    layout = ConstrainedLayoutEngine(rect=body, w_pad=0.12, h_pad=0.1, wspace=0.03, hspace=0.02)
    made = Figure(figsize=(width, height), layout=layout, facecolor="white")
    left, number = 0.12 / width, len(bars)
    title, top = shortened(title, 60), 1 - 0.14 / height
    made.text(left, top, title, va="top", fontsize=14, fontweight="bold")
    what = f"{what} to {counted(number, 'question')}"
    made.text(left, 1 - 0.44 / height, what, va="top", fontsize=9.5, color=QUIET)
    made.text(left, 0.1 / height, legend, va="bottom", fontsize=7.2, color=QUIET)
    panels = made.subplots(rows, columns, squeeze=False, gridspec_kw={"height_ratios": heights})
    for axes in list(panels.flat)[number:]:
        axes.set_axis_off()
    return made, list(panels.flat)[:number]


def write_titles(axes: Axes, question: Question, said: str) -> None:
    """Write above a panel what was asked, and what is to say of it."""
    scale = kind_text(question)
    key = shortened(question.key, 36 - len(scale))
    axes.set_title(key, loc="left", fontweight="bold", fontsize=10, pad=18, color=INK)
    axes.set_title(scale, loc="right", fontsize=8, pad=18, color=QUIET)
    axes.annotate(
        said, (0, 1), xytext=(0, 5), xycoords="axes fraction", textcoords="offset points",
        color=QUIET, fontsize=8,
    )  # fmt: skip


def draw_axes(axes: Axes, labels: Sequence[str]) -> None:
    """Give each answer a row, and all panels the same scale of shares."""
    axes.set_yticks([-i for i in range(len(labels))], [shortened(each, 18) for each in labels])
    axes.set_ylim(-len(labels) + 0.4, 0.6)
    axes.set_xlim(0, 1.12)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#EAEEF2", linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)


def _draw(axes: Axes, summary: QuestionSummary) -> None:
    """Draw one question: the answers from above, in declared order."""
    shown = _shown(summary.shares)
    said = [number_answered(summary)]
    if summary.HasField("moments"):
        said.append(moments_text(summary.moments))
    if hidden := len(summary.shares) - len(shown) + summary.other_theme_count:
        said.append(f"{hidden} more answers not shown")
    write_titles(axes, summary.question, "; ".join(said))
    _draw_bars(axes, shown)


def _shown(shares: Sequence[AnswerShare]) -> list[AnswerShare]:
    """Return the shares that have room: the largest, in the order given."""
    largest = sorted(range(len(shares)), key=lambda i: (-shares[i].share, i))[:MAX_BARS]
    return [shares[i] for i in sorted(largest)]


def _draw_bars(axes: Axes, shares: Sequence[AnswerShare]) -> None:
    places = [-i for i in range(len(shares))]
    values = [one.share for one in shares]
    axes.barh(places, values, height=0.66, color=BLUE, alpha=0.55, zorder=2)
    errors = [[one.share - one.low for one in shares], [one.high - one.share for one in shares]]
    axes.errorbar(
        values, places, xerr=errors, fmt="none", ecolor=INK, elinewidth=1.1, capsize=2.5, zorder=3
    )
    for place, one in zip(places, shares, strict=True):
        axes.annotate(
            number_text(one.share, places=2), (one.high, place), xytext=(5, 0),
            textcoords="offset points", va="center", fontsize=8, color=INK,
        )  # fmt: skip
    draw_axes(axes, [one.option or str(one.rating) for one in shares])
