"""Fonts of the machine, for characters that the font of every picture lacks."""

import re
from collections.abc import Iterable
from contextlib import suppress

from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

_LACKS = re.compile(r"Glyph (\d+) ")  # as matplotlib warns


def lacked(warnings: Iterable[str]) -> set[int]:
    """Return the characters that were drawn as boxes, by what was warned about."""
    return {int(found[1]) for text in warnings if (found := _LACKS.match(text))}


def families_with(characters: Iterable[int]) -> list[str]:
    """Return the families of fonts that have the characters, as far as any on the machine has."""
    left, found = set(characters), []
    for path in sorted(font_manager.findSystemFonts()):
        if not left:
            break
        with suppress(RuntimeError, OSError):  # one that can't be drawn with
            font = FT2Font(path)
            if has := left & font.get_charmap().keys():
                font.set_size(10, 72)
                font.load_char(min(has))
                font_manager.fontManager.addfont(path)
                found.append(font.family_name)
                left -= has
    return found
