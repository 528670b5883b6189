"""One setting: what is known of it beside its value, and how it stands in the table."""

from collections.abc import Callable
from dataclasses import field
from typing import Any, NamedTuple, TypeVar

from persona_server.settings import values

PREFIX = "PERSONA_"


class Setting(NamedTuple):
    """What is known of one setting beside its value, as a flag, a variable and a line of the docs.

    `default` is a text as a user would write it. `parse` turns a text into a value or raises
    ValueError with what it wants.
    """

    name: str
    default: str
    help: str
    parse: Callable[[str], Any]

    @property
    def flag(self) -> str:
        """The flag of `persona serve`."""
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return PREFIX + self.name.upper()

    @property
    def is_switch(self) -> bool:
        """Whether the flag stands alone, without a value."""
        return self.parse is values.switch

    @property
    def is_repeatable(self) -> bool:
        """Whether the flag may be given several times, which is as if commas stood between."""
        return self.parse is values.origins


_T = TypeVar("_T")


def setting(default: str, explained: str, parse: Callable[[str], _T]) -> _T:
    """Return a field of `Settings`; its type is what `parse` returns."""
    described: _T = field(metadata={"default": default, "help": explained, "parse": parse})
    return described
