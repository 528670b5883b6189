"""Page tokens: opaque, good on every replica, and bound to the call that they continue."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterable
from functools import cache
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from persona.v1 import errors_pb2
from persona_server.errors import ServiceError
from persona_server.services.call import Call
from persona_server.services.framing import NEXT_PAGE_TOKEN, frame

MAX_PAGE_SIZE = 1000
MAX_PAGE_BYTES = 3 << 20
NEWEST = b"\x7f" + b"\xff" * 23  # a position after every other, where a newest-first list starts
_MAC = 16
_LONGEST = 512  # characters of a token: far above what any list makes
# What a later page may change. The token itself is cleared before the request is bound to it.
_FREE = ("page_size", "page_token", "resume_token", "request_id", "validate_only")


class PageTokens:
    """Makes and reads tokens with a key that the database keeps."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def make(self, call: Call, request: Message, position: bytes) -> str:
        """Return the token that continues after a position, for this method, tenant and request."""
        raw = position + self._mac(call, request, position)
        return base64.urlsafe_b64encode(raw).decode().rstrip("=")

    def page(
        self, call: Call, request: Message, rows: Iterable[bytes], last: bytes | None
    ) -> bytes:
        """Return encoded rows as an answer, with that token behind them if others follow.

        `last` is the position of the last row then, and None else.
        """
        answer = b"".join(rows)
        if last is None:
            return answer
        return answer + frame(NEXT_PAGE_TOKEN, self.make(call, request, last).encode())

    def read(self, call: Call, request: Message, token: str, start: bytes) -> bytes:
        """Return the position of a token, `start` for "".

        Raises ServiceError INVALID_PAGE_TOKEN if it was made for anything else.
        """
        if not token:
            return start
        if len(token) > _LONGEST:
            raise self._refused()
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise self._refused() from None
        position, mac = raw[:-_MAC], raw[-_MAC:]
        if not hmac.compare_digest(mac, self._mac(call, request, position)):
            raise self._refused()
        return position

    def _mac(self, call: Call, request: Message, position: bytes) -> bytes:
        bound = type(request)()
        bound.CopyFrom(request)
        for name in _free_of(request.DESCRIPTOR):
            bound.ClearField(name)
        asked = bound.SerializeToString(deterministic=True)
        # Its length too: else the end of a request could be taken for the beginning of a position.
        text = f"{call.method}\n{call.tenant}\n{len(asked)}\n".encode() + asked + position
        return hmac.digest(self._key, text, hashlib.sha256)[:_MAC]

    def _refused(self) -> ServiceError:
        return ServiceError(
            errors_pb2.ERROR_REASON_INVALID_PAGE_TOKEN,
            "The page token is damaged, or belongs to another method, tenant, parent or filter. "
            "Start again without a token, or repeat the arguments of the first page.",
        )


@cache
def _free_of(kind: Descriptor) -> tuple[Any, ...]:
    """Return the names of the fields that a later page of such a request may change."""
    return tuple(name for name in _FREE if name in kind.fields_by_name)


def fitting(items: Iterable[bytes], limit: int) -> tuple[list[bytes], bool]:
    """Return as many items as fit a page, at least one, and whether others follow.

    `limit` is how many may fit. No more than one item beyond the page is looked at.
    """
    page: list[bytes] = []
    size = 0
    for item in items:
        size += len(item)
        if len(page) == limit or (page and size > MAX_PAGE_BYTES):
            return page, True
        page.append(item)
    return page, False


def page_limit(page_size: int, longest: int = 1) -> int:
    """Return how many rows a page may ask for, when none is longer than `longest` bytes."""
    wanted = min(page_size, MAX_PAGE_SIZE) or MAX_PAGE_SIZE
    return max(min(wanted, MAX_PAGE_BYTES // max(longest, 1)), 1)
