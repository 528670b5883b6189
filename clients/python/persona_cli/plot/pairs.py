"""What two selections answered, or one and a target: a panel of pairs of bars for each question."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from persona.v1.comparison_pb2 import QuestionComparison
from persona_cli.plot.bars import BLUE, MAX_BARS, ORANGE, draw_axes, grid, write_titles
from persona_cli.plot.panels import shown_of
from persona_cli.terminal.summaries import distance_p_text, distance_text

_HALF = 0.34  # of the room of an answer
_LEGEND = (
    "Upper bars, blue: the first. Lower bars, orange: the second. p is adjusted over all questions."
)


def figure(
    names: tuple[str, str], comparisons: Sequence[QuestionComparison], number: int
) -> Figure:
    """Return comparisons, of `number` that there are, as a figure; `names` are of both sides."""
    title = f"{names[0]} and {names[1]}"
    bars = [len(one.shares) for one in comparisons]
    lines = 2 if max(bars) > MAX_BARS else 1
    what = f"Shares of answers to {shown_of(len(comparisons), number, 'question')}"
    made, panels = grid(title, what, _LEGEND, bars, lines)
    for one, axes in zip(comparisons, panels, strict=True):
        _draw(axes, one, lines)
    return made


def _draw(axes: Axes, one: QuestionComparison, lines: int) -> None:
    question = one.question
    labels = list(question.options) or [str(i) for i in range(question.min, question.max + 1)]
    sums = [a + b for a, b in zip(one.shares, one.other_shares, strict=True)]
    largest = sorted(range(len(labels)), key=lambda i: (-sums[i], i))[:MAX_BARS]
    shown = sorted(largest)
    said = []
    if distance := distance_text(one):
        said.append(f"distance {distance}, adjusted p {distance_p_text(one)}")
    if hidden := len(labels) - len(shown):
        said.append(f"{hidden} more answers not shown")
    write_titles(axes, question, said, lines)
    for shares, color, side in ((one.shares, BLUE, 1), (one.other_shares, ORANGE, -1)):
        places = [side * _HALF / 2 - i for i in range(len(shown))]
        axes.barh(places, [shares[i] for i in shown], height=_HALF, color=color, zorder=2)
    draw_axes(axes, [labels[i] for i in shown])
