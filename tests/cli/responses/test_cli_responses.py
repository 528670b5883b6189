"""`persona responses`: what is recorded, once; what is refused; how a broken run goes on."""

import json
from pathlib import Path

import pytest
from cli.answers import as_csv, jsonl, rated
from cli.conftest import Cli, Done, Place
from client.standin import Standin

from persona.v1 import errors_pb2
from persona.v1.response_service_pb2 import ListResponsesResponse, RecordResponsesResponse
from persona_cli.runs import record_run
from persona_client import Persona, PersonaClient, PersonaGroup, Project
from persona_server.errors import ServiceError, Violation
from support.data import uid
from support.ports import free_port
from support.service import Service, running_service
from support.waiting import eventually


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "answers.jsonl"


def test_a_file_is_recorded_once_however_often(
    cli: Cli, client: PersonaClient, persona: Persona, file: Path
) -> None:
    simulation = uid()
    file.write_text(jsonl(rated(persona.id, f"q{i}") for i in range(3)))
    for said in ("3 recorded", "0 recorded, 3 were there already"):
        done = cli.run("responses", "record", file, "--simulation", simulation.upper())
        assert (done.code, done.out, done.err) == (0, f"{said}, 0 refused.\n", "")
    more = jsonl(rated(persona.id, f"q{i}") for i in range(5))
    done = cli.run("responses", "record", "-", "-s", simulation, "--json", stdin=more)
    assert done.lines() == [{"recorded": 2, "already_recorded": 3, "refused": 0, "warned": 0}]
    found = [one.question_key for one in client.list_responses(simulation_id=simulation)]
    assert sorted(found) == [f"q{i}" for i in range(5)]
    assert not any(cli.journals.iterdir())


def test_one_file_holds_several_waves_in_any_order(
    cli: Cli, client: PersonaClient, persona: Persona, file: Path
) -> None:
    waves = [uid(), uid()]
    cells = {"persona_id": persona.id, "kind": "sentiment"}
    file.write_text(
        as_csv(
            cells | {"question_key": f"q{i}", "value": i / 10, "simulation_id": waves[i % 2]}
            for i in range(10)
        )
    )
    assert cli.run("responses", "record", file).out == "10 recorded, 0 refused.\n"
    for wave, first in zip(waves, (0, 1), strict=True):
        found = client.list_responses(simulation_id=wave)
        assert sorted(one.question_key for one in found) == [f"q{i}" for i in range(first, 10, 2)]


def test_what_can_not_be_recorded_is_listed_and_the_rest_is(
    cli: Cli, client: PersonaClient, persona: Persona, file: Path
) -> None:
    missing, taken, simulation = uid(), uid(), uid()
    client_own = json.dumps({"responses": [rated(persona.id, "first", id=taken)]})
    file.write_text(jsonl(json.loads(client_own)["responses"]))
    assert cli.run("responses", "record", file, "-s", simulation).code == 0
    elsewhere = client.create_project(Project(name="elsewhere"))
    group = client.create_persona_group(elsewhere.id, PersonaGroup(name="g"))
    stranger = client.create_persona(elsewhere.id, group.id, Persona(full_name="x"))
    rows = [
        rated(persona.id, "a"),
        rated(persona.id, "a"),  # the same answer
        *(rated(missing, f"m{i}") for i in range(30)),  # more than an error names
        rated(persona.id, "other", id=taken),
        rated(stranger.id, "b"),
        {"persona_id": persona.id},
        rated(persona.id, "c"),
    ]
    file.write_text(jsonl(rows))
    done = cli.run("responses", "record", file, "-s", simulation)
    assert (done.code, done.out) == (1, "2 recorded, 34 refused.\n")
    told = dict(line.split(": ", 1) for line in done.err.splitlines())
    assert told.pop(f"{file}:2").startswith(f"repeats the answer of {file}:1;")
    for n in range(3, 33):
        assert told.pop(f"{file}:{n}") == f"persona_id is not the id of a persona: {missing}"
    assert told.pop(f"{file}:33").startswith(f"id: the id {taken} is taken")
    assert "belongs to another project" in told.pop(f"{file}:34")
    assert "question_key is required" in told.pop(f"{file}:35")
    assert not told
    found = [one.question_key for one in client.list_responses(simulation_id=simulation)]
    assert sorted(found) == ["a", "c", "first"]


def test_a_file_of_nothing_but_taken_ids_stops_soon(
    cli: Cli, persona: Persona, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_run, "MAX_REFUSED_REQUESTS", 3)
    ids, simulation = [uid() for _ in range(9)], uid()
    for value in (1, 2):
        file.write_text(jsonl(rated(persona.id, f"q{i}", value, id=ids[i]) for i in range(9)))
        done = cli.run("responses", "record", file, "-s", simulation)
    assert done.code == 1
    *listed, last = done.err.splitlines()
    assert len(listed) == 3
    assert last.startswith("persona: The service has refused 3 batches")


def test_one_refusal_is_enough_for_all_answers_of_a_missing_persona(
    tmp_path: Path, file: Path
) -> None:
    """An error names twenty answers; the others of the same persona are not sent again."""
    missing, known = uid(), uid()
    named = [Violation(f"responses[{i}].persona_id", "names no persona") for i in range(20)]
    refusal = ServiceError(errors_pb2.ERROR_REASON_PERSONA_NOT_FOUND, "No.", violations=named)
    standin = Standin()
    standin.answers["ListResponses"].append(ListResponsesResponse())
    standin.answers["RecordResponses"].extend([refusal, RecordResponsesResponse()])
    file.write_text(jsonl([*(rated(missing, f"q{i}") for i in range(100)), rated(known)]))
    done = Cli(standin.address, "token", tmp_path).run("responses", "record", file, "-s", uid())
    standin.stop()
    assert done.out == "1 recorded, 100 refused.\n"
    sent = [[r.persona_id for r in one.responses] for one in standin.requests["RecordResponses"]]
    assert sent == [[missing] * 100 + [known], [known]]


def test_answers_may_name_their_persona_by_its_external_id(
    cli: Cli, client: PersonaClient, place: Place, file: Path
) -> None:
    people = [Persona(full_name=f"{i}", external_id=f"crm-{i}") for i in range(2)]
    made = client.batch_create_personas(*place.ids, people)
    named = ["crm-1", "crm-0", "nobody", "nobody", "crm-1"]
    cells = {"kind": "text", "value": "x"}
    rows = [
        cells | {"persona_external_id": name, "question_key": f"q{i}"}
        for i, name in enumerate(named)
    ]
    file.write_text(as_csv(rows, columns=list(rows[0])))
    simulation = uid()
    done = cli.run("responses", "record", file, "-s", simulation, *place.options)
    assert (done.code, done.out) == (1, "3 recorded, 2 refused.\n")
    assert [line.split(":")[1] for line in done.err.splitlines()] == ["4", "5"]
    found = {r.question_key: r.persona_id for r in client.list_responses(simulation_id=simulation)}
    assert found == {"q0": made[1].id, "q1": made[0].id, "q4": made[1].id}
    assert cli.run("responses", "record", file, "-s", simulation, "-g", place.group_id).code == 2


def test_a_simulation_is_a_uuid(cli: Cli, file: Path) -> None:
    file.write_text("")
    done = cli.run("responses", "record", file, "--simulation", "wave 1")
    assert done.code == 2
    assert "--simulation must be a UUID" in done.err


@pytest.fixture
def many(persona: Persona, tmp_path: Path) -> Path:
    """12,000 answers of three waves, without ids of their own, and a line that is none."""
    waves = [uid() for _ in range(3)]
    path = tmp_path / "many.jsonl"
    rows = [rated(persona.id, f"q{i}", simulation_id=waves[i % 3]) for i in range(12_000)]
    path.write_text(jsonl(rows[:10]) + "{bad\n" + jsonl(rows[10:]))
    return path


def test_a_killed_run_goes_on_to_exactly_all(
    cli: Cli, client: PersonaClient, persona: Persona, many: Path
) -> None:
    process = cli.start("responses", "record", many)

    def some_are_noted() -> bool:
        journals = list(cli.journals.glob("*")) if cli.journals.exists() else []
        return any('"acknowledged":2' in path.read_text() for path in journals)

    eventually(some_are_noted)
    process.kill()
    process.communicate()
    before = sum(1 for _ in client.list_responses(persona_id=persona.id))
    assert 2000 <= before < 12_000
    done = cli.run("responses", "record", many)
    assert (done.code, done.out) == (1, "12000 recorded, 1 refused.\n")
    listed, note = sorted(done.err.splitlines(), key=lambda line: "Resuming" in line)
    assert listed.startswith(f"{many}:11: is not JSON")
    assert note == "Resuming what was interrupted."
    keys = [one.question_key for one in client.list_responses(persona_id=persona.id)]
    assert sorted(keys, key=lambda key: int(key[1:])) == [f"q{i}" for i in range(12_000)]
    assert not any(cli.journals.iterdir())


@pytest.mark.parametrize("ends", [False, True])
def test_a_run_outlasts_its_service_or_goes_on_later(tmp_path: Path, ends: bool) -> None:
    """What was noted as recorded is not sent again, and what was not is."""
    data = tmp_path / "data"
    flags = ("--rest", "off", "--listen", f"127.0.0.1:{free_port()}")
    with running_service(data, *flags) as service:
        project, persona = _persona_of(service)
        file = tmp_path / "answers.jsonl"
        simulation = uid()
        rows = (rated(persona.id, f"q{i}", simulation_id=simulation) for i in range(16_000))
        file.write_text(jsonl(rows))
        cli = Cli(service.grpc, service.token(), tmp_path / "state")
        process = cli.start("responses", "record", file)
        eventually(lambda: _notes(cli, '"acknowledged":1'))
        service.kill()
        if ends:
            process.kill()
            process.communicate()
    with running_service(data, *flags) as again:
        if ends:
            done = cli.run("responses", "record", file)
        else:
            out, err = process.communicate()
            done = Done(process.returncode, out, err)
        assert (done.code, done.out) == (0, "16000 recorded, 0 refused.\n")
        with PersonaClient(again.grpc, again.token()) as client:
            found = client.list_responses(project_id=project)
            assert sorted(one.question_key for one in found) == sorted(
                f"q{i}" for i in range(16_000)
            )


def _persona_of(service: Service) -> tuple[str, Persona]:
    with PersonaClient(service.grpc, service.token()) as client:
        project = client.create_project(Project(name="p"))
        group = client.create_persona_group(project.id, PersonaGroup(name="g"))
        return project.id, client.create_persona(project.id, group.id, Persona(full_name="x"))


def _notes(cli: Cli, text: str) -> bool:
    journals = list(cli.journals.glob("*")) if cli.journals.exists() else []
    return any(text in path.read_text() for path in journals)
