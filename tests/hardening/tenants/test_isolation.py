"""R7: everything of another tenant answers, byte for byte, as what does not exist."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.json_format import MessageToDict

from persona.v1 import persona_service_pb2 as pb
from persona_server.transport.methods import Method, methods_of
from support.answers import record, rich_answer
from support.data import make_group, make_place, rich_persona, uid
from support.dbfile import DatabaseFile
from support.library import reuse
from support.requests.world import World, id_fields, set_id, set_known
from support.rpcs import BY_NAME, METHODS, Answer, bearer, response_of, send
from support.service import Service

OURS = "isolation-ours"
_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

CASES = [(method, path, names) for method in METHODS for path, names in id_fields(method)]
# A count has a token only behind 10,000 personas (test_bounded_reads.py); it is made as all are. Of
# promotions those of a page have one, not those of named personas (test_rpc_promote_many.py).
TOKENS = [
    (method, field.name)
    for method in METHODS
    for field in method.request.DESCRIPTOR.fields
    if field.name in ("page_token", "resume_token")
    and method.name not in ("CountPersonas", "PromotePersonas")
]
# What is missed first, where it is no project.
_INDIVIDUAL = "LIBRARY_PERSONA_NOT_FOUND"
_FIRST = {
    "ListResponses": _INDIVIDUAL,  # which it names alone
    "GetResponse": "RESPONSE_NOT_FOUND",
    "GetResponsePersona": "RESPONSE_NOT_FOUND",
    "VoidResponses": "SIMULATION_NOT_FOUND",  # so does it
    "ListLibraryPersonaProjects": _INDIVIDUAL,
    "GetLibraryPersonaReliability": _INDIVIDUAL,
    "GetLibraryPersona": _INDIVIDUAL,
    "RetireLibraryPersona": _INDIVIDUAL,
    "GetLibraryPersonaAttitudeTimeline": _INDIVIDUAL,
}
_FOUND = (
    "project_id",
    "group_id",
    "source_project_id",
    "source_group_id",
    "other_group_id",
    "other_simulation_id",
    "persona_id",
    "persona_ids",
    "response_id",
    "response_ids",
    "responses.persona_id",
    "reference_answers.persona_id",
    "library_persona_id",
    "library_persona_ids",
    "persona_ids",
)
# What names a simulation that must be there; recording makes one.
_SIMULATIONS = {("simulation_id", "VoidResponses")} | {
    ("simulation_id", method.name)
    for method in METHODS
    if method.service.endswith((".SimulationService", ".ComparisonService"))
}


class Tenants:
    """Two tenants of one service: ours, who asks, and theirs, whose ids are asked for.

    Theirs is new for each test, since all that it has is read.
    """

    def __init__(self, service: Service) -> None:
        self.their_name = f"isolation-{uid()}"
        ours, theirs = service.token(OURS), service.token(self.their_name)
        self.metadata, self.their_metadata = bearer(ours), bearer(theirs)
        self.ours, self.theirs = service.connect(ours), service.connect(theirs)

    def ask(self, method: Method, changes: dict[str, str]) -> Answer:
        """Call from a world of our own in which some ids are replaced."""
        messages = World(self.ours).messages(method, uid() if method.has_request_id else "")
        for path, value in changes.items():
            set_id(messages, path, value)
        return send(self.ours.channel, method, messages, self.metadata)

    def world(self, method: Method) -> tuple[World, str]:
        """Return a world of theirs, and a request_id that they have used with this method."""
        used, world, spent = uid(), World(self.theirs), World(self.theirs)
        answer = send(
            self.theirs.channel, method, spent.messages(method, used), self.their_metadata
        )
        assert answer.error is None, answer.text
        world.prepare(method)
        place, imports = world.place, BY_NAME["ImportPersonas"]
        before = place.count()
        send(self.theirs.channel, imports, world.messages(imports), self.their_metadata)
        assert place.count() == before + 1
        return world, used


@pytest.fixture
def tenants(own: Service) -> Iterator[Tenants]:
    two = Tenants(own)
    yield two
    two.ours.close()
    two.theirs.close()


def comparable(method: Method, answer: Answer) -> list[Any]:
    """Return an answer without the ids that were sent and the times that the server made."""
    raw = b"\n".join([answer.code.name.encode(), answer.text.encode(), answer.details])
    return [_anonymous(raw), *(_timeless(method, message) for message in answer.messages)]


def _anonymous(raw: bytes) -> bytes:
    seen: dict[bytes, bytes] = {}
    return _UUID.sub(lambda m: seen.setdefault(m[0], b"id-%033d" % len(seen)), raw)


def _timeless(method: Method, message: bytes) -> bytes:
    given = MessageToDict(response_of(method).FromString(message))
    return _anonymous(repr(_without_times(given)).encode())


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_times(v) for k, v in value.items() if k[-2:] != "At"}
    return [_without_times(v) for v in value] if isinstance(value, list) else value


@pytest.mark.parametrize(("method", "path", "names"), CASES, ids=lambda v: getattr(v, "name", v))
def test_foreign_id_is_a_missing_one(
    tenants: Tenants, file: DatabaseFile, method: Method, path: str, names: str
) -> None:
    world, used = tenants.world(method)
    foreign = {"library_persona_id": world.ids["persona_id"], **world.ids, "request_id": used}
    before = file.fingerprint(tenants.their_name)
    missing = tenants.ask(method, {path: uid()})
    answer = tenants.ask(method, {path: foreign[names]})
    assert comparable(method, answer) == comparable(method, missing)
    assert file.fingerprint(tenants.their_name) == before
    if (method.name, path) == ("PromotePersonas", "persona_ids"):  # each has its own outcome
        assert answer.error is None, answer.text
    elif path in _FOUND or (path, method.name) in _SIMULATIONS:
        what = names.removeprefix("source_").removeprefix("other_")[:-3].upper()
        expected = {"GROUP": "PERSONA_GROUP"}.get(what, what)
        assert answer.problem.reason == f"{expected}_NOT_FOUND"
    else:  # on create, and for retries, the id is free; what is output only is ignored
        assert answer.error is None, answer.text


@pytest.mark.parametrize("method", METHODS, ids=lambda m: str(m.name))
def test_all_ids_foreign_are_all_missing(
    tenants: Tenants, file: DatabaseFile, method: Method
) -> None:
    world, _ = tenants.world(method)
    named = {p: n for p, n in id_fields(method) if n in world.ids and "." not in p}
    before = file.fingerprint(tenants.their_name)
    answer = tenants.ask(method, {path: world.ids[name] for path, name in named.items()})
    missing = tenants.ask(method, {path: uid() for path in named})
    if named:  # else it names nothing, and lists what grows from case to case
        assert comparable(method, answer) == comparable(method, missing)
        if method.name != "RecordResponses":  # a foreign simulation is a new one
            assert answer.problem.reason == _FIRST.get(method.name, "PROJECT_NOT_FOUND")
    assert file.fingerprint(tenants.their_name) == before


@pytest.mark.parametrize(("method", "field"), TOKENS, ids=lambda v: getattr(v, "name", v))
def test_foreign_page_token_is_refused(tenants: Tenants, method: Method, field: str) -> None:
    token, world = their_token(tenants, method)
    own = World(tenants.ours)
    own.prepare(method)
    for ids in (world.ids, own.ids, {name: uid() for name in world.ids}):
        request = method.request()
        set_known(request, ids)
        if "page_size" in request.DESCRIPTOR.fields_by_name:
            setattr(request, "page_size", 1)  # noqa: B010 (a generic message)
        setattr(request, field, token)
        theirs = send(tenants.theirs.channel, method, [request], tenants.their_metadata)
        assert (theirs.error is None) == (ids is world.ids or not ids_of(request))
        ours = send(tenants.ours.channel, method, [request], tenants.metadata)
        assert ours.problem.reason == "INVALID_PAGE_TOKEN"


def ids_of(request: Any) -> list[str]:
    return [field.name for field in request.DESCRIPTOR.fields if field.name.endswith("_id")]


def their_token(tenants: Tenants, method: Method) -> tuple[str, World]:
    """Return a token of a first page that theirs got, and the world it walks."""
    world = World(tenants.theirs)
    make_place(tenants.theirs)
    world.place.create(rich_persona())
    make_group(tenants.theirs, world.ids["project_id"])
    for simulation in (world.ids["simulation_id"], uid()):
        record(tenants.theirs, simulation, rich_answer(world.ids["persona_id"]))
    world.prepare(method)
    if "library_persona_id" in world.ids:  # one more individual, and one more use of it
        world.add_individual()
        reuse(make_place(tenants.theirs), world.ids["library_persona_id"])
    (request,) = world.messages(method)
    if "page_size" in request.DESCRIPTOR.fields_by_name:
        request.page_size = 1
    answer = send(tenants.theirs.channel, method, [request], tenants.their_metadata)
    page: Any = response_of(method).FromString(answer.messages[0])
    token = getattr(page, "next_page_token", "") or getattr(page, "resume_token", "")
    assert token
    return token, world


def test_cases_cover_every_rpc_that_names_anything() -> None:
    nothing = {"ListProjects", "ListLibraryPersonas"}
    assert {method.name for method, _, _ in CASES} == {m.name for m in METHODS} - nothing
    assert {method.name for method, _ in TOKENS} == {
        "ListPersonas",
        "ExportPersonas",
        "ListProjects",
        "ListPersonaGroups",
        "ListResponses",
        "ListSimulations",
        "ListQuestions",
        "GetPersonaLineage",
        "ListLibraryPersonaProjects",
        "ListLibraryPersonas",
        "ListReliabilities",
        "MatchLibraryPersonas",
        "GetAttitudeTimeline",
        "GetLibraryPersonaAttitudeTimeline",
        "SummarizeResponses",
        "CompareResponses",
        "MeasureGroupFidelity",
    }


def test_rpc_without_scopes_is_refused() -> None:
    described = FileDescriptorProto(name="rogue.proto", package="persona.v1", syntax="proto3")
    described.dependency.append(pb.DESCRIPTOR.name)
    service = described.service.add(name="PersonaService2")
    request = ".persona.v1.GetPersonaRequest"
    service.method.add(name="StealPersona", input_type=request, output_type=request)
    pool = DescriptorPool()
    for dependency in (*_dependencies(pb.DESCRIPTOR), pb.DESCRIPTOR):
        pool.AddSerializedFile(dependency.serialized_pb)
    pool.AddSerializedFile(described.SerializeToString())
    rogue = pool.FindServiceByName("persona.v1.PersonaService2")
    with pytest.raises(KeyError, match=r"persona\.v1\.PersonaService2\.StealPersona"):
        methods_of(rogue)


def _dependencies(file: Any) -> Iterator[Any]:
    for dependency in file.dependencies:
        yield from _dependencies(dependency)
        yield dependency
