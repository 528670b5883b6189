"""What the tests of the library over REST share."""

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message
from rest.wire import Answer


def personas_of(ids: dict[str, Any]) -> str:
    """Return the path of a group's personas."""
    return f"/api/v1/projects/{ids['project_id']}/persona-groups/{ids['group_id']}/personas"


def next_of(answer: Answer) -> str:
    """Return where the next page is, "" after the last."""
    link = answer.headers["Link"] or ""
    assert (answer.headers["X-Next-Page-Token"] is not None) == bool(link)
    assert link == "" or link.endswith('; rel="next"')
    return link.removeprefix("<").partition(">")[0]


class Requests:
    """Good requests by the keys of their routes; some are made only when they are asked for."""

    def __init__(self, made: dict[str, Message], later: dict[str, Callable[[], Message]]) -> None:
        self._made, self._later = made, later

    def keys(self) -> set[str]:
        return {*self._made, *self._later}

    def __getitem__(self, key: str) -> Message:
        if key not in self._made:
            self._made[key] = self._later[key]()
        return self._made[key]
