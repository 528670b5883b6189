"""How every picture looks, and how a figure becomes a file."""

import warnings
from collections.abc import Callable
from typing import Any, BinaryIO

import matplotlib as mpl
from matplotlib.figure import Figure

from persona_cli.plot.panels import INK, QUIET

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
    """Draw a figure as "svg" or "png"; return whether the font has all of its characters."""
    with mpl.rc_context(), warnings.catch_warnings(record=True) as lacking:
        warnings.simplefilter("always")
        mpl.rcdefaults()
        mpl.rcParams.update(_STYLE)
        figure = make()
        # Without date and version, the same answers make the same file.
        metadata = {"Date": None, "Creator": None} if kind == "svg" else {"Software": None}
        figure.savefig(target, format=kind, dpi=_DOTS_PER_INCH, metadata=metadata)
    return not any("Glyph" in str(warning.message) for warning in lacking)
