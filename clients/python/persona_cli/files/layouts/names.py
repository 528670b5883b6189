"""A name out of a text about somebody, such as "Mary Ann Alberti paints after work"."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

_WORD = r"[^\W\d_](?:[\w'’.-]*\w\.?)?"
_CAPITAL = rf"(?=[^\W\d_a-zß-öø-ÿ]){_WORD}"
_LINK = r"(?:de|da|do|dos|das|del|della|di|du|la|le|van|von|der|den|ter|bin|al|el|y|e)"
_NAME = re.compile(rf"{_CAPITAL}(?:\s+(?:{_LINK}\s+){{0,2}}{_CAPITAL}){{1,4}}")
_LOOKED_AT = 400  # characters of each text


def name_in(texts: Iterable[Any]) -> str:
    """Return the name that most of the texts begin with or have early on; "" if none does.

    A name is two to five words with capitals.
    """
    found: Counter[str] = Counter()
    for text in texts:
        if isinstance(text, str) and (name := _NAME.search(text[:_LOOKED_AT])):
            found[_clean(name[0])] += 1
    return found.most_common(1)[0][0] if found else ""


def _clean(name: str) -> str:
    return " ".join(name.split()).removesuffix("'s").removesuffix("’s").rstrip(".")
