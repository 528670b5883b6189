"""Whether what is stored as messages can be read: pages have no checksum that would tell."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from google.protobuf.message import DecodeError, Message

from persona.v1.library_pb2 import LibraryPersona
from persona.v1.persona_service_pb2 import ListPersonasResponse
from persona.v1.response_service_pb2 import ListResponsesResponse
from persona_server.storage.keys import id_text


class _Stored(NamedTuple):
    """A table with messages: what reads the id and message of each row, and of which type it is.

    `repeated` is the field of the type that the message is an element of, "" if it stands alone.
    """

    table: str
    rows: str
    kind: type[Message]
    repeated: str = ""


_MESSAGES = (
    _Stored(
        "persona",
        "SELECT id, framed FROM persona WHERE erased_at IS NULL",
        ListPersonasResponse,
        "personas",
    ),
    # The value of its last field is added by readers.
    _Stored(
        "response",
        "SELECT id, CAST(framed || x'00' AS BLOB) FROM response",
        ListResponsesResponse,
        "responses",
    ),
    _Stored("library_persona", "SELECT id, body FROM library_persona", LibraryPersona),
)


def unreadable(connection: Any) -> Iterator[str]:
    """Yield table and id of each row whose message can't be what was stored there.

    It is none, has fields that no version has, or another id than its row.
    """
    for stored in _MESSAGES:
        for raw, encoded in connection.execute(stored.rows):
            if not _is_whole(stored, id_text(raw), encoded):
                yield f"{stored.table} {id_text(raw)}"


def _is_whole(stored: _Stored, wanted: str, encoded: bytes) -> bool:
    try:
        message: Any = stored.kind.FromString(encoded)
    except DecodeError:
        return False
    found = getattr(message, stored.repeated) if stored.repeated else [message]
    size = message.ByteSize()
    message.DiscardUnknownFields()
    return [one.id for one in found] == [wanted] and message.ByteSize() == size
