"""`persona responses`: answers listed and shown."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cli.answers import jsonl, rated
from cli.conftest import Cli, Place

from persona_client import Persona, PersonaClient, Response, Simulation
from support.data import uid


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "answers.jsonl"


def test_answers_are_listed_by_what_they_belong_to(
    cli: Cli, place: Place, persona: Persona, file: Path
) -> None:
    simulation = uid()
    start = datetime(2026, 3, 1, tzinfo=UTC)
    rows = [
        rated(persona.id, "nps", 4),
        {"persona_id": persona.id, "question_key": "mood", "sentiment": -0.25},
        {"persona_id": persona.id, "question_key": "why", "text": "It lasts.", "themes": ["time"]},
    ]
    for i, row in enumerate(rows):
        row["occurred_at"] = (start + timedelta(days=i)).isoformat()
    file.write_text(jsonl(rows))
    cli.run("responses", "record", file, "-s", simulation)
    for scope in (
        ("--simulation", simulation),
        ("--project", place.project),
        ("--persona", persona.id),
    ):
        lines = cli.run("responses", *scope, "--json").lines()
        assert [line["question_key"] for line in lines] == ["nps", "mood", "why"]
    assert lines[1]["sentiment"] == -0.25
    assert lines[0]["simulation_id"] == simulation
    table = cli.run("responses", "list", "-s", simulation).out.splitlines()
    assert table[0].split() == ["ID", "OCCURRED", "PERSONA", "QUESTION", "ANSWER"]
    assert [line.rstrip().split(maxsplit=4)[1:] for line in table[1:]] == [
        ["2026-03-01T00:00:00Z", persona.id, "nps", "4 of 1 to 5"],
        ["2026-03-02T00:00:00Z", persona.id, "mood", "−0.25"],
        ["2026-03-03T00:00:00Z", persona.id, "why", "themes: time"],
    ]
    chosen = cli.run("responses", "-s", simulation, "--since", "2026-03-02", "--until",
                     "2026-03-03T00:00:00Z", "--json").lines()  # fmt: skip
    assert [line["question_key"] for line in chosen] == ["mood"]
    chosen = cli.run("responses", "-s", simulation, "--question", "why", "--json").lines()
    assert [line["text"] for line in chosen] == ["It lasts."]
    few = cli.run("responses", "-s", simulation, "--limit", "1")
    assert len(few.out.splitlines()) == 2


def test_a_simulation_is_known_by_its_name_in_a_project(
    cli: Cli, client: PersonaClient, place: Place, persona: Persona, file: Path
) -> None:
    file.write_text(jsonl([rated(persona.id)]))
    client.create_simulation(place.project_id, Simulation(name="Wave 2"))
    named = ("--simulation", "Wave 2", "--project", place.project)
    assert cli.run("responses", "record", file, *named).code == 0
    for command in (("responses", "list", *named, "--json"), ("responses", "export", *named)):
        [line] = cli.run(*command).lines()
        assert line["persona_id"] == persona.id
    done = cli.run("responses", "void", *named, "--reason", "A test.", "--yes")
    assert (done.code, done.out) == (0, "1 voided.\n")
    nameless = cli.run("responses", "list", "--simulation", "Wave 2")
    assert (nameless.code, "a name in --project" in nameless.err) == (2, True)
    unknown = cli.run("responses", "export", "--project", place.project, "-s", "Wave 3")
    assert (unknown.code, 'no simulation named "Wave 3"' in unknown.err) == (1, True)


def test_answers_are_listed_by_several_options_and_shown(
    cli: Cli, client: PersonaClient, place: Place, persona: Persona
) -> None:
    say = [
        Response(persona_id=persona.id, question_key=f"q{i}", quote="Yes.", sentiment=0.5)
        for i in range(2)
    ]
    first, second = client.record_responses(uid(), say), client.record_responses(uid(), say)
    group = client.get_persona_group(*place.ids).name
    project = ("--project", place.project)
    for named in (("--group", place.group_id), (*project, "--group", group)):
        lines = cli.run("responses", *named, "--question", "q1",
                        "--order-by", "recorded_at desc", "--json").lines()  # fmt: skip
        assert [line["id"] for line in lines] == [second[1].id, first[1].id]
    seen = first[0].recorded_at.ToJsonString()
    late = cli.run("responses", *project, "--recorded-after", seen, "--json").lines()
    assert [line["id"] for line in late] == [one.id for one in second]
    assert cli.run("responses", "show", first[1].id, "--json").lines()[0]["sentiment"] == 0.5
    lines = cli.run("responses", "show", first[1].id).out.splitlines()
    shown = dict(line.split(maxsplit=1) for line in lines if " " in line.strip())
    assert shown["quote"].strip() == "Yes."
    assert shown["sentiment"].strip() == "+0.5"
    assert "rating.value" not in shown
    missing = cli.run("responses", "show", uid())
    assert (missing.code, "[RESPONSE_NOT_FOUND]" in missing.err) == (1, True)


def test_a_list_names_something_and_good_times(cli: Cli) -> None:
    for nothing in ((), ("--since", "2026-03-01"), ("--group", "by name")):
        assert cli.run("responses", *nothing).code == 2
    done = cli.run("responses", "--persona", uid(), "--since", "2026-03-01T10:00")
    assert (done.code, "time zone" in done.err) == (2, True)
    for option, time in (("--since", "0001-01-01T00:00+01:00"), ("--until", "9999-12-31T23:59-01")):
        done = cli.run("responses", "--persona", uid(), option, time)
        assert (done.code, "outside the calendar" in done.err) == (2, True)
    done = cli.run("responses", "--persona", uid())
    assert (done.code, "[PERSONA_NOT_FOUND]" in done.err) == (1, True)
