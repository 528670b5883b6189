"""How every picture looks, and how a figure becomes a file."""

import warnings
from collections.abc import Callable
from typing import Any, BinaryIO

import matplotlib as mpl
from matplotlib.figure import Figure

from persona_cli.plot.fonts import families_with, lacked
from persona_cli.plot.panels import INK, QUIET, place_captions

_DOTS_PER_INCH = 160

# A picture must not depend on the settings of the one who draws it.
_STYLE: Any = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib
    "font.size": 8.5,
    "text.parse_math": False,  # a dollar is a dollar
    "text.color": INK,
    "axes.edgecolor": "#9AA0A6",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": "#9AA0A6",
    "xtick.labelcolor": QUIET,
    "ytick.color": "#9AA0A6",
    "ytick.labelcolor": QUIET,
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched, and in any script
    "svg.hashsalt": "persona-service",
}


def save(target: BinaryIO, kind: str, make: Callable[[], Figure]) -> bool:
    """Draw a figure as "svg" or "png"; return whether fonts have all of its characters.

    A PNG takes what its own font lacks from the fonts of the machine.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        lacking = _drawn(target, kind, make)
        if lacking and kind == "png" and (more := families_with(lacking)):
            mpl.rcParams["font.family"] = [*_STYLE["font.family"], *more]
            target.seek(0)
            target.truncate()
            lacking = _drawn(target, kind, make)
    return not lacking


def _drawn(target: BinaryIO, kind: str, make: Callable[[], Figure]) -> set[int]:
    """Draw a figure, and return the characters that its fonts lack."""
    # Without date and version, the same answers make the same file.
    metadata = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        figure = make()
        place_captions(figure)
        figure.savefig(target, format=kind, dpi=_DOTS_PER_INCH, metadata=metadata)
    return lacked(str(warning.message) for warning in told)
