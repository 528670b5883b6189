"""A picture of an individual's answers over time: where it goes, and what it needs."""

import importlib.util
import io
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from persona_cli.files.outputs import atomic_output
from persona_cli.terminal.failures import CommandError, usage_error

if TYPE_CHECKING:
    from persona.v1.measures_pb2 import QuestionTimeline

_KINDS = {".svg": "svg", ".png": "png"}
# More panels are no picture any more, and a PNG has at most 65,536 pixels a side.
MAX_PANELS = 60


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


def write_picture(target: str, name: str, timelines: Sequence["QuestionTimeline"]) -> None:
    """Draw the timelines into a file; the same ones make the same bytes."""
    # It would tell of folders for its caches as it is imported.
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    from persona_cli.plot.drawing import draw  # takes a second, and an extra, to import

    picture = io.BytesIO()
    kind = picture_format(target)
    whole = draw(picture, kind, name, timelines[:MAX_PANELS])
    with atomic_output(target) as stream:
        stream.write(picture.getvalue())
    if kind == "png" and not whole:  # an SVG leaves fonts to its viewer
        print(
            "The PNG's font lacks some of the characters; an .svg has all of them.", file=sys.stderr
        )
    if (left_out := len(timelines) - MAX_PANELS) > 0:
        print(f"{left_out} more questions don't fit; --question picks one.", file=sys.stderr)
