"""One exception class per reason, with everything the service said."""

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from client.standin import Standin

from persona.v1 import errors_pb2
from persona.v1.project_service_pb2 import GetProjectResponse
from persona_client import (
    DatabaseUnavailable,
    DeadlineExceeded,
    FieldViolation,
    InternalError,
    InvalidField,
    NotFound,
    PersonaClient,
    PersonaError,
    ProjectNotFound,
    TlsFiles,
    Unavailable,
)
from persona_client.errors import CLASSES
from persona_server.errors import ServiceError, Violation, invalid

_RENAMED: dict[type[PersonaError], str] = {
    InternalError: "INTERNAL"
}  # "Internal" would say nothing


def test_every_reason_has_a_class_of_its_own() -> None:
    assert set(CLASSES) == set(errors_pb2.ErrorReason.values()) - {0}
    assert len(set(CLASSES.values())) == len(CLASSES)


@pytest.mark.parametrize("reason", sorted(CLASSES))
def test_a_class_is_named_as_its_reason(reason: "errors_pb2.ErrorReason.ValueType") -> None:
    name = errors_pb2.ErrorReason.Name(reason).removeprefix("ERROR_REASON_")
    kind = CLASSES[reason]
    assert _RENAMED.get(kind) == name or kind.__name__ == name.title().replace("_", "")


def test_an_error_carries_what_the_service_said(standin: Standin, failing: PersonaClient) -> None:
    standin.answers["GetProject"].append(
        invalid([Violation("project_id", "is required"), Violation("page", "is wrong")])
    )
    with pytest.raises(InvalidField) as raised:
        failing.get_project("")
    error = raised.value
    assert error.code is grpc.StatusCode.INVALID_ARGUMENT
    assert error.reason == "INVALID_FIELD"
    assert error.metadata == {"field": "project_id"}
    assert error.violations == (
        FieldViolation("project_id", "is required"),
        FieldViolation("page", "is wrong"),
    )
    assert error.retry_after is None
    assert str(error) == "project_id: is required (and 1 more) [INVALID_FIELD]"


def test_a_not_found_can_be_caught_as_one(standin: Standin, failing: PersonaClient) -> None:
    standin.answers["GetProject"].append(
        ServiceError(errors_pb2.ERROR_REASON_PROJECT_NOT_FOUND, "None.", metadata={"a": "b"})
    )
    with pytest.raises(NotFound) as raised:
        failing.get_project("x")
    assert type(raised.value) is ProjectNotFound
    assert raised.value.metadata == {"a": "b"}


def test_retry_after_is_in_seconds(standin: Standin, failing: PersonaClient) -> None:
    standin.answers["GetProject"].append(
        ServiceError(errors_pb2.ERROR_REASON_DATABASE_UNAVAILABLE, "Later.", retry_after=60.0)
    )
    with pytest.raises(DatabaseUnavailable) as raised:
        failing.get_project("x")
    assert raised.value.retry_after == 60.0


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.NOT_FOUND, NotFound),
        (grpc.StatusCode.DEADLINE_EXCEEDED, DeadlineExceeded),
        (grpc.StatusCode.UNKNOWN, PersonaError),
    ],
)
def test_without_details_the_code_decides(
    standin: Standin,
    failing: PersonaClient,
    code: grpc.StatusCode,
    kind: type[PersonaError],
) -> None:
    standin.answers["GetProject"].append(code)
    with pytest.raises(PersonaError) as raised:
        failing.get_project("x")
    assert type(raised.value) is kind
    assert (raised.value.code, raised.value.reason) == (code, "")


def test_details_that_are_no_message_are_none() -> None:
    """A proxy may give any bytes."""

    def refuse(_request: bytes, context: grpc.ServicerContext) -> bytes:
        context.set_trailing_metadata((("grpc-status-details-bin", b"\xff"),))
        context.abort(grpc.StatusCode.NOT_FOUND, "None.")

    handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
        "GetProject": grpc.unary_unary_rpc_method_handler(refuse)
    }
    server = grpc.server(ThreadPoolExecutor(1))
    server.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("persona.v1.ProjectService", handlers),)
    )
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        with PersonaClient(address) as client, pytest.raises(NotFound) as raised:
            client.get_project("x")
    finally:
        server.stop(0).wait()
    assert (raised.value.message, raised.value.reason) == ("None.", "")


def test_no_server_is_unavailable(standin: Standin, failing: PersonaClient) -> None:
    standin.stop()
    with pytest.raises(Unavailable) as raised:
        failing.get_project("x", timeout=20.0)  # it is refused at once, and this is not waited for
    assert raised.value.reason == ""


def test_a_token_that_cannot_be_sent_is_refused(standin: Standin) -> None:
    with pytest.raises(ValueError, match="token"):
        PersonaClient(standin.address, "a\nb")


@pytest.mark.parametrize(
    "address", ["", "http://127.0.0.1:50051", "127.0.0.1:50051/", "127.0.0.1", "localhost"]
)
def test_an_address_of_rest_or_without_a_port_is_refused_before_any_call(address: str) -> None:
    with pytest.raises(ValueError, match="HOST:PORT of gRPC"):
        PersonaClient(address, "x")


@pytest.mark.parametrize("port", ["0", "65536", "99999"])
@pytest.mark.parametrize("address", ["127.0.0.1:", "[::1]:", "dns:///localhost:", "https://h:"])
def test_a_port_that_can_not_be_is_refused(address: str, port: str) -> None:
    """Of a larger one gRPC takes what is left of a division, and would send the token there."""
    with pytest.raises(ValueError, match=r"(?i)port"):
        PersonaClient(f"{address}{port}", "x")


def test_a_scheme_may_be_in_capitals() -> None:
    with pytest.raises(ValueError, match="HOST:PORT of gRPC"):
        PersonaClient("HTTP://127.0.0.1:50051", "x")
    with pytest.raises(ValueError, match="nowhere"):  # so TLS is meant
        PersonaClient("HTTPS://127.0.0.1:50051", "x", tls=TlsFiles(ca="/nowhere"))


def test_the_environment_names_address_and_token(
    standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERSONA_ADDRESS", standin.address)
    monkeypatch.setenv("PERSONA_TOKEN", "from-the-environment\n")
    standin.answers["GetProject"].append(GetProjectResponse())
    with PersonaClient.from_environment() as client:
        client.get_project("x")
    assert standin.metadata[0]["authorization"] == "Bearer from-the-environment"


def test_without_environment_the_address_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PERSONA_ADDRESS", raising=False)
    monkeypatch.delenv("PERSONA_TOKEN", raising=False)
    with PersonaClient.from_environment() as client:
        assert client.address == "127.0.0.1:50051"
