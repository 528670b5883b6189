"""No message that a client means looks as if it were compressed."""

import pytest
from google.protobuf.message import DecodeError

from persona.v1.persona_service_pb2 import ListPersonasRequest
from persona_server.transport.methods import SERVICES, methods_of
from persona_server.validation.unpacking import most_bytes, unpack

METHODS = [method for service in SERVICES for method in methods_of(service)]


def test_no_request_begins_as_zlib_does() -> None:
    """With field 15, as a number."""
    for method in METHODS:
        assert 15 not in method.request.DESCRIPTOR.fields_by_number, method.path


def test_no_message_begins_as_gzip_does() -> None:
    with pytest.raises(DecodeError):
        ListPersonasRequest.FromString(b"\x1f\x8b\x08")


def test_what_only_looks_so_is_taken_as_it_is() -> None:
    raw = b"x\x9c\x01"  # field 15: 156
    assert unpack(raw, 100) == raw
    assert most_bytes(raw, 100) == 100
    assert unpack(b"", 100) == b""
