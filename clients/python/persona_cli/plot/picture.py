"""A picture of answers: where it goes, and what it needs."""

import importlib.util
import io
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from persona_cli.files.outputs import atomic_output
from persona_cli.terminal.failures import CommandError, usage_error
from persona_cli.terminal.output import say

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from persona.v1.comparison_pb2 import QuestionComparison, QuestionSummary
    from persona.v1.fidelity_pb2 import Fidelity, QuestionFidelity
    from persona.v1.measures_pb2 import PersonaReliability, QuestionTimeline

_KINDS = {".svg": "svg", ".png": "png"}
# More panels are no picture any more, and a PNG has at most 65,536 pixels a side.
MAX_PANELS = 60
MAX_ROWS = 250  # of a forest plot, likewise
_QUESTIONS = "questions don't fit; --question picks one."
_ROWS = "don't fit."


def picture_format(target: str) -> str:
    """Return the kind of picture that a file's name asks for, before anything is fetched.

    Raises CommandError if there is nothing to draw with.
    """
    kind = _KINDS.get(Path(target).suffix.lower())
    if kind is None:
        raise usage_error(f"--plot needs a file that ends in .svg or .png; got {target!r}.")
    if importlib.util.find_spec("matplotlib") is None:
        raise CommandError(
            "--plot needs matplotlib, which is not installed. The extra `plot` of persona-client "
            'has it: pip install "persona-client[plot]"; in a checkout, make setup-dev.'
        )
    return kind


def write_picture(
    target: str, name: str, timelines: Sequence["QuestionTimeline"], *, by_simulation: bool = False
) -> None:
    """Draw the timelines into a file, over time or by simulation; the same make the same bytes."""
    _quiet()
    from persona_cli.plot.along import Along, along_simulations
    from persona_cli.plot.drawing import figure  # takes a second, and an extra, to import

    shown = timelines[:MAX_PANELS]
    along = along_simulations(shown) if by_simulation else Along()
    _write(target, len(timelines), lambda: figure(name, shown, along, len(timelines)))


def write_summary_picture(target: str, name: str, summaries: Sequence["QuestionSummary"]) -> None:
    """Draw summaries into a file; the same ones make the same bytes."""
    _quiet()
    from persona_cli.plot.bars import figure

    number = len(summaries)
    _write(target, number, lambda: figure(name, summaries[:MAX_PANELS], number))


def write_comparison_picture(
    target: str, names: tuple[str, str], comparisons: Sequence["QuestionComparison"]
) -> None:
    """Draw pairs of distributions into a file; the same ones make the same bytes."""
    _quiet()
    from persona_cli.plot.pairs import figure

    number = len(comparisons)
    _write(target, number, lambda: figure(names, comparisons[:MAX_PANELS], number))


def write_reliability_picture(
    target: str, name: str, found: Sequence["PersonaReliability"]
) -> None:
    """Draw the reliabilities of a group into a file; the same ones make the same bytes."""
    _quiet()
    from persona_cli.plot.estimates import reliabilities
    from persona_cli.plot.forest import figure

    forest = reliabilities(name, found[:MAX_ROWS], len(found))
    _write(target, len(found), lambda: figure(forest), MAX_ROWS, _ROWS)


def write_fidelity_picture(
    target: str,
    name: str,
    what: str,
    found: Sequence[tuple[str, "Fidelity | QuestionFidelity"]],
) -> None:
    """Draw how far those named are faithful, which each are a `what`, into a file, likewise."""
    _quiet()
    from persona_cli.plot.estimates import fidelities
    from persona_cli.plot.forest import figure

    forest = fidelities(name, what, found[:MAX_ROWS], len(found))
    _write(target, len(found), lambda: figure(forest), MAX_ROWS, _ROWS)


def _quiet() -> None:
    """Keep matplotlib from telling of folders for its caches as it is imported."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)


def _write(
    target: str,
    number: int,
    make: Callable[[], "Figure"],
    most: int = MAX_PANELS,
    advice: str = _QUESTIONS,
) -> None:
    """Write a figure of so many, of which it shows `most`; `advice` ends what is said of others."""
    from persona_cli.plot.style import save

    picture = io.BytesIO()
    kind = picture_format(target)
    whole = save(picture, kind, make)
    with atomic_output(target) as stream:
        stream.write(picture.getvalue())
    if kind == "png" and not whole:  # an SVG leaves fonts to its viewer
        say("The machine's fonts lack some of the PNG's characters; an .svg has all of them.")
    if (left_out := number - most) > 0:
        say(f"{left_out} more {advice}")
