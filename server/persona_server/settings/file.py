"""Settings from a TOML file: one key for each, by its name, in place of its flag."""

import difflib
import shlex
import stat
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

_MOST_BYTES = 1 << 20
_LISTS = {"trusted_proxies", "cors_origin", "gateway_options"}  # of several texts


def read(path: Path, names: Collection[str], *, again: bool = False) -> dict[str, str]:
    """Return the values of a file by the names of settings, as texts that a flag would have.

    What was a pipe can't be read `again`. Raises ValueError, whose text says what is wrong with the
    file.
    """
    try:
        if again and not stat.S_ISREG(path.stat().st_mode):  # who opens a pipe may wait for ever
            raise ValueError("is no file, and can't be read again")
        found = tomllib.loads(_content(path).decode("utf-8"))
    except OSError as error:
        raise ValueError(f"can't be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"is no TOML: {error}") from None
    except RecursionError:
        raise ValueError("is no TOML that can be read: it is nested too deeply") from None
    return {name: _text(_known(name, names), value) for name, value in found.items()}


def _content(path: Path) -> bytes:
    """Return what a file holds; one that never ends, as of a device, is no file of settings."""
    with path.open("rb") as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise ValueError(f"has more than {_MOST_BYTES >> 10} KiB")
    return content


def _known(name: str, names: Collection[str]) -> str:
    if name in names:
        return name
    nearest = difflib.get_close_matches(name.replace("-", "_"), names, n=1)
    hint = f" (perhaps {nearest[0]} is meant)" if nearest else ""
    raise ValueError(f"has a setting that there is not: {name!r}{hint}")


def _text(name: str, value: Any) -> str:
    """Return a value as its flag would have it; of a list the words that a shell would join."""
    if isinstance(value, bool):
        return "on" if value else "off"
    texts = value if isinstance(value, list) and name in _LISTS else [value]
    if "\0" in "".join(each for each in texts if isinstance(each, str)):
        raise ValueError(f"has a zero byte in {name}, which no flag could have")
    if isinstance(value, str | int | float):
        return str(value)
    if texts is value and all(isinstance(each, str) for each in texts):
        return shlex.join(texts) if name == "gateway_options" else ",".join(texts)
    of_texts = ", or a list of texts" if name in _LISTS else ""
    raise ValueError(f"wants a text, a number, true or false{of_texts} for {name}")
