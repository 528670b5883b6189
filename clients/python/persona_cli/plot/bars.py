"""What many individuals answered: one panel of bars with intervals for each question."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from persona.v1.comparison_pb2 import AnswerShare, QuestionSummary
from persona.v1.measures_pb2 import Question
from persona_cli.plot.panels import INK, QUIET, caption, shortened, shown_of, write_around
from persona_cli.terminal.shifts import kind_text, number_text
from persona_cli.terminal.summaries import moments_text, number_answered

# Inches.
_PANEL_WIDTH, _BAR, _AROUND, _LINE = 4.6, 0.24, 0.95, 0.15
_HEADER, _FOOTER = 0.72, 0.4
MAX_BARS = 12
BLUE, ORANGE = "#0072B2", "#E69F00"  # told apart for every kind of colour blindness
_LEGEND = (
    "Bars: shares of those who answered. Lines: 95% intervals; of choices of one and ratings "
    "for all bars of a panel at once."
)


def figure(name: str, summaries: Sequence[QuestionSummary], number: int) -> Figure:
    """Return summaries as a figure, of `number` that there are, two panels beside each other."""
    said = [_said(one) for one in summaries]
    lines = max(map(len, said))
    bars = [len(one.shares) for one in summaries]
    what = f"Answers to {shown_of(len(summaries), number, 'question')}"
    made, panels = grid(name, what, _LEGEND, bars, lines)
    for one, axes, texts in zip(summaries, panels, said, strict=True):
        write_titles(axes, one.question, texts, lines)
        if one.shares:
            _draw_bars(axes, _shown(one.shares))
        else:
            axes.set_axis_off()
    return made


def grid(
    title: str, what: str, legend: str, bars: Sequence[int], lines: int
) -> tuple[Figure, list[Axes]]:
    """Return a figure with a panel for each question, which has so many bars, at most MAX_BARS.

    Above each is room for so many lines.
    """
    columns = min(len(bars), 2)
    rows = -(-len(bars) // columns)
    most = [max(bars[i * columns : (i + 1) * columns]) for i in range(rows)]
    around = _AROUND + _LINE * (lines - 1)
    heights = [around + _BAR * (min(number, MAX_BARS) or 1) for number in most]
    width, height = max(columns * _PANEL_WIDTH, 6.6), sum(heights) + _HEADER + _FOOTER
    body = (0, _FOOTER / height, 1, 1 - (_HEADER + _FOOTER) / height)
    layout = ConstrainedLayoutEngine(rect=body, w_pad=0.12, h_pad=0.1, wspace=0.03, hspace=0.02)
    made = Figure(figsize=(width, height), layout=layout, facecolor="white")
    write_around(made, title, what, legend)
    panels = made.subplots(rows, columns, squeeze=False, gridspec_kw={"height_ratios": heights})
    for axes in list(panels.flat)[len(bars) :]:
        axes.set_axis_off()
    return made, list(panels.flat)[: len(bars)]


def write_titles(axes: Axes, question: Question, said: Sequence[str], lines: int) -> None:
    """Write above a panel what was asked, and what is to say of it, where so many lines are."""
    scale, pad = kind_text(question), 7 + 11 * lines
    key = shortened(question.key, 36 - len(scale))
    axes.set_title(key, loc="left", fontweight="bold", fontsize=10, pad=pad, color=INK)
    axes.set_title(scale, loc="right", fontsize=8, pad=pad, color=QUIET)
    for line, text in enumerate(said, 1):
        caption(axes, text, 5 + 11 * (lines - line))


def draw_axes(axes: Axes, labels: Sequence[str]) -> None:
    """Give each answer a row, and all panels the same scale of shares."""
    axes.set_yticks([-i for i in range(len(labels))], [shortened(each, 18) for each in labels])
    axes.set_ylim(-len(labels) + 0.4, 0.6)
    axes.set_xlim(0, 1.12)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="#EAEEF2", linewidth=0.8, zorder=0)
    axes.set_axisbelow(True)


def _said(summary: QuestionSummary) -> list[str]:
    """Return what is to say of a question, in lines."""
    said = number_answered(summary)
    hidden = len(summary.shares) - len(_shown(summary.shares)) + summary.other_theme_count
    if hidden:
        said = f"{said}; {hidden} more answers not shown"
    return [said, moments_text(summary.moments)] if summary.HasField("moments") else [said]


def _shown(shares: Sequence[AnswerShare]) -> list[AnswerShare]:
    """Return the shares that have room: the largest, in the order given."""
    largest = sorted(range(len(shares)), key=lambda i: (-shares[i].share, i))[:MAX_BARS]
    return [shares[i] for i in sorted(largest)]


def _draw_bars(axes: Axes, shares: Sequence[AnswerShare]) -> None:
    """Draw the answers from above, in the order given."""
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
