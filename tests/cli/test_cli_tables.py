"""What people see: whole lines in a pipe, what a terminal has room for, nothing that steers it."""

import fcntl
import json
import os
import pty
import re
import struct
import termios
import tomllib
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from cli.answers import jsonl, rated
from cli.conftest import Cli, Place

from persona_client import (
    Persona,
    PersonaClient,
    PersonaGroup,
    Project,
    RatingAnswer,
    Response,
)
from support.waiting import LIMIT

ID = re.compile(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
LONG = "a description that has so many words that they fill more than one line of a terminal " * 3


def on_terminal(cli: Cli, *words: str, columns: int = 80) -> tuple[list[str], str]:
    """Run a command whose output is a terminal; return its lines, and what it said beside them."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    cli.environment |= {"COLUMNS": "", "TERM": "xterm", "NO_COLOR": "1"}
    process = cli.start(*words, stdout=theirs)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(ours, 1 << 16):
            shown += part
    except OSError:  # the other end is closed
        pass
    _, said = process.communicate(timeout=LIMIT)
    os.close(ours)
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown.decode())
    return text.splitlines(), said


def test_a_pipe_gets_whole_lines_as_long_as_they_are(
    cli: Cli, client: PersonaClient, place: Place
) -> None:
    client.create_persona_group(place.project_id, PersonaGroup(name="x", description=LONG))
    done = cli.run("groups", "--project", place.project)
    head, long, short = done.out.splitlines()
    assert head.split() == ["ID", "NAME", "PERSONAS", "PROJECT", "CREATED", "DESCRIPTION"]
    assert long.endswith(f"Z  {LONG.strip()}")
    assert short == short.rstrip()
    assert len(short) < 150


def test_a_narrow_terminal_parts_texts_alone(cli: Cli, client: PersonaClient, place: Place) -> None:
    client.create_persona_group(place.project_id, PersonaGroup(name=LONG[:80], age_min=3))
    lines, said = on_terminal(cli, "groups", "--project", place.project_id)
    assert all(len(line) <= 80 for line in lines)
    rows = [line for line in lines if ID.match(line)]
    assert [line.split()[1:3] for line in rows if "everyone" in line] == [["everyone", "0"]]
    assert len(rows) == 2
    assert "Without room here, and in --json: " in said
    wide, said = on_terminal(cli, "groups", "--project", place.project_id, columns=250)
    assert (len(wide), said) == (3, "")


def test_many_reliabilities_are_a_line_each(cli: Cli, client: PersonaClient, place: Place) -> None:
    client.batch_create_personas(
        *place.ids, [Persona(full_name=f"{i} {LONG[:60]}") for i in range(500)]
    )
    lines, said = on_terminal(cli, "reliabilities", *place.options, "--limit", "0")
    assert lines[0].split()[:6] == ["ID", "NAME", "STATUS", "C", "LOW", "HIGH"]
    assert len(lines) == 501
    assert all(ID.match(line) and len(line) <= 80 for line in lines[1:])
    assert "WHAT IS MISSING" in said


def test_a_figure_and_its_interval_stay_together(
    cli: Cli, client: PersonaClient, place: Place
) -> None:
    people = client.batch_create_personas(
        *place.ids, [Persona(full_name=f"Person {i}") for i in range(20)]
    )
    simulations = str(uuid.uuid4()), str(uuid.uuid4())
    for wave, simulation in enumerate(simulations):
        ratings = [RatingAnswer(value=1 + wave * (i % 2), min=1, max=5) for i in range(20)]
        answers = [
            Response(persona_id=one.id, question_key=f"question_{j}", rating=rating)
            for one, rating in zip(people, ratings, strict=True)
            for j in range(3)
        ]
        client.record_responses(simulation, answers)
    given = ("-s", simulations[0], "--other-simulation", simulations[1])
    lines, said = on_terminal(cli, "compare", "--project", place.project, *given)
    assert lines[0].split()[:3] == ["QUESTION", "DISTANCE", "P"]
    rows = [line for line in lines if line.startswith("question_")]
    figure = re.compile(r"question_\d  0\.125 \([\d.]+ to [\d.]+\) +(0|below 0)\.\d{3} ")
    assert all(map(figure.match, rows)), rows
    assert (len(rows), "VARIANCE" in said) == (3, True)
    narrow, _ = on_terminal(cli, "compare", "--project", place.project, *given, columns=40)
    assert [len(narrow), narrow[1][:21]] == [4, rows[0][:21]]


def test_what_steers_is_shown_and_what_joins_is_itself(
    cli: Cli, client: PersonaClient, place: Place
) -> None:
    persian, emoji = (
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\U0001f469\u200d\U0001f52c",
    )
    plain = f"{persian} {emoji} a\u3000b\u202fc\u00a0d"
    client.create_persona(*place.ids, Persona(full_name=plain))
    for steering in ("\u202e", "\u2066", "\u200b", "\u200f", "\ufeff", "\u2028"):
        client.create_persona(*place.ids, Persona(full_name=f"x{steering}y"))
    out = cli.run("list", *place.options).out
    assert plain in out
    assert [line[38:].strip() for line in out.splitlines()[2:]] == [
        r"x\u202ey", r"x\u2066y", r"x\u200by", r"x\u200fy", r"x\ufeffy", r"x\u2028y",
    ]  # fmt: skip
    named = f"{uuid.uuid4()} \u202egnp.exe"
    client.create_project(Project(name=named))
    assert "\u202e" not in cli.run("projects", "delete", named, "--yes").err
    assert "\u202e" not in cli.run("projects", "show", named).err


STEERING = "a\x7f\x9b31m\u202e\U000e0001b\u200cc"  # and a joiner
DRAFT = ("responses", "record", "--draft-codebook")


def test_what_steers_is_an_escape_in_json_too(
    cli: Cli, client: PersonaClient, place: Place
) -> None:
    made = client.create_persona(*place.ids, Persona(full_name="x", attributes={"note": STEERING}))
    for command in ("get", made.id), ("list",):
        done = cli.run(*command, *place.options, "--json")
        [found] = done.lines()
        assert found["attributes"] == {"note": STEERING}
        assert r"a\u007f\u009b31m\u202e\udb40\udc01b" + "\u200cc" in done.out


@pytest.mark.parametrize(
    ("command", "place_of"),
    [
        (("import", "--explain"), lambda drafted: drafted["fields"]["age"].strip("{}")),
        (DRAFT, lambda drafted: next(iter(drafted["questions"]))),
    ],
)
def test_what_steers_is_an_escape_of_toml_in_a_draft(
    cli: Cli, command: tuple[str, ...], place_of: Callable[[dict[str, Any]], str]
) -> None:
    """A mapping and a codebook name the columns of a file, which may be anybody's."""
    row = {"name": "x", STEERING: 7, "income": STEERING}
    said = ("--map", f"age={STEERING}") if command[0] == "import" else ()
    out = cli.run(*command, *said, "-", stdin=json.dumps(row)).out
    assert place_of(tomllib.loads(out)) == STEERING
    assert not set(STEERING) & set(out) - set("abc31m\u200c")
    assert r"\u007f\u009b31m\u202e\U000e0001" in out


@pytest.mark.parametrize(
    ("command", "row", "shown"),
    [
        (("import", "--explain"), {"income": "\ud800"}, '# "\ufffd" = "Middle"'),
        (("import", "--explain"), {"income\ud800": "x"}, 'income_level = "{income\ufffd}"'),
        (DRAFT, {"income\ud800": "x"}, '[questions."income\ufffd"]'),
        (DRAFT, {"income": "\ud800"}, "income must be a string of valid Unicode"),
    ],
)
def test_half_a_character_is_no_end_of_a_draft(
    cli: Cli, command: tuple[str, ...], row: dict[str, str], shown: str
) -> None:
    done = cli.run(*command, "-", stdin=json.dumps({"name": "x"} | row))
    assert shown in done.out + done.err
    assert tomllib.loads(done.out) or done.code == 1
    assert "Traceback" not in done.err


def test_the_beginning_of_time_is_a_time(cli: Cli, client: PersonaClient, place: Place) -> None:
    persona = client.create_persona(*place.ids, Persona(full_name="x"))
    simulation, epoch = str(uuid.uuid4()), "1970-01-01T00:00:00Z"
    row = jsonl([rated(persona.id, occurred_at=epoch)])
    cli.run("responses", "record", "-", "-s", simulation, stdin=row)
    [answer] = cli.run("responses", "-s", simulation, "--json").lines()
    for words in (
        ("responses", "-s", simulation),
        ("responses", "show", answer["id"]),
        ("simulations", "show", simulation, "-p", place.project),
        ("simulations", "-p", place.project),
        ("simulations", "questions", "-p", place.project),
    ):
        assert epoch in cli.run(*words).out, words


def test_a_terminal_may_be_as_narrow_and_a_limit_as_large_as_it_likes(
    cli: Cli, client: PersonaClient, place: Place
) -> None:
    client.create_persona(*place.ids, Persona(full_name="Ada"))
    for columns in (1, 2, 3, 4):
        lines, said = on_terminal(cli, "projects", "list", columns=columns)
        assert lines
        assert "Traceback" not in said
    done = cli.run("list", *place.options, "--json", "--limit", str(10**20))
    assert [one["full_name"] for one in done.lines()] == ["Ada"]
