"""`persona reliability`, `promote`, `library` and `lineage` against the service."""

import json
import re
from pathlib import Path
from typing import NamedTuple

import pytest
from cli.conftest import Cli, Place

from persona_client import LibraryPersona, Persona, PersonaClient, PersonaGroup
from support.answering.shifting import shifting_individual
from support.answers import answer, record
from support.data import Place as Group
from support.data import rich_persona, uid
from support.library import QUESTIONS, answer_reliably, individual, ratings


@pytest.fixture
def found(group: Group) -> LibraryPersona:
    """An individual of the library."""
    return individual(group, full_name="Kwame Mensah")


def rows(table: str) -> list[list[str]]:
    """Return the cells of a table's lines: two spaces or more part them."""
    return [re.split(r" {2,}| $", line.strip()) for line in table.splitlines()]


def rules(out: str) -> dict[str, list[str]]:
    """Return figure, limit and whether it holds of each rule."""
    return {line[0]: line[1:] for line in rows(out) if len(line) == 4 and line[0] != "RULE"}


def test_reliability_shows_every_rule_with_its_figure(
    cli: Cli, client: PersonaClient, place: Place, group: Group
) -> None:
    one = client.create_persona(*place.ids, rich_persona()).id
    answer_reliably(group, one)
    done = cli.run("reliability", one, *place.options)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"persona_id {one}")
    assert "status  eligible for the library" in done.out
    assert "C       1, 90%: 0.81 to 1 (" in done.out
    assert "4 comparable simulations, 6 individuals in each" in done.out
    assert rules(done.out) == {
        "comparable simulations": ["4", "at least 3", "yes"],
        "comparable questions": ["16", "at least 15", "yes"],
        "attainable bound": ["0.81", "at least 0.7", "yes"],
        "lower bound of C": ["0.81", "at least 0.7", "yes"],
        "straight-lining": ["0.3", "at most 0.4", "yes"],
        "acquiescence, either way": ["0.2", "at most 0.45", "yes"],
        "first option shown": ["too few such questions", "at most 0.35", "yes"],
    }


def test_what_is_undefined_has_a_reason_and_no_number(
    cli: Cli, client: PersonaClient, place: Place
) -> None:
    first, second = (client.create_persona(*place.ids, Persona(full_name=n)).id for n in "ab")
    done = cli.run("reliability", first, second, *place.options)
    assert done.out.count("status  insufficient data, which says nothing") == 2
    assert f"\npersona_id {second}" in done.out
    assert "C       undefined: no question was answered in two simulations" in done.out
    shown = rules(done.out)
    undefined = "undefined: no question was answered in two simulations"
    assert shown["attainable bound"] == [undefined, "at least 0.7", "no"]
    assert shown["lower bound of C"][0] == undefined
    assert shown["straight-lining"][0] == "too few such questions"
    assert "No question was answered in two simulations: ask the same questions again." in done.out
    lines = cli.run("reliability", first, second, *place.options, "--json").lines()
    assert [line["persona_id"] for line in lines] == [first, second]
    assert lines[0]["coefficient"] is None
    assert lines[0]["coefficient_reason"] == "UNDEFINED_REASON_NO_REPEATED_QUESTION"
    assert [rule["figure"] for rule in lines[0]["rules"][:2]] == [0.0, 0.0]
    assert lines[0]["rules"][3]["figure"] is None


def test_contradictions_and_models_are_shown(
    cli: Cli, client: PersonaClient, place: Place, group: Group
) -> None:
    one = client.create_persona(*place.ids, rich_persona()).id
    tag = answer_reliably(group, one)
    given = ratings(one, tag, 2, day=9, model="m2", prompt_version="7")
    record(group.caller, uid(), *given)
    done = cli.run("reliability", one, *place.options)
    assert "status  not eligible for the library" in done.out
    assert "Its answers agree too little" in done.out
    assert "Contradicting pairs of answers: 64 of 160." in done.out
    assert "several models or prompt versions: " in done.out
    assert "m2 7" in done.out
    head, *lines = rows(done.out[done.out.index("QUESTION") :])
    assert head == ["QUESTION", "SCALE", "PAIRS", "FIRST ANSWER", "GIVEN", "THEN", "GIVEN"]
    assert len(lines) == QUESTIONS
    assert lines[0][:3] == [f"{tag}-00", "rating 1 to 5", "4 of 10"]
    assert lines[0][3::2] == ["4", "2"]
    assert lines[0][4] < lines[0][6]


def test_reliability_names_group_or_library(cli: Cli, found: LibraryPersona) -> None:
    assert cli.run("reliability", found.id).code == 2
    assert cli.run("reliability", found.id, "--project", "x").code == 2
    assert cli.run("reliability", found.id, "--library", "-p", "x", "-g", "y").code == 2
    done = cli.run("reliability", found.id, "--library")
    assert done.out.startswith(f"library_persona_id {found.id}")
    assert f"In the library as {found.id}." in done.out


def test_promotion_shows_the_library_persona_or_why_not(
    cli: Cli, client: PersonaClient, place: Place, group: Group
) -> None:
    one = client.create_persona(*place.ids, rich_persona()).id
    refused = cli.run("promote", one, *place.options)
    assert refused.code == 1
    assert "[NOT_ELIGIBLE]" in refused.err
    assert "insufficient data" in refused.out
    assert rules(refused.out)["comparable simulations"] == ["0", "at least 3", "no"]
    assert cli.run("promote", one, *place.options, "--json").out == ""
    answer_reliably(group, one)
    [line] = cli.run("promote", one, *place.options, "--json").lines()
    assert line["origin_persona_id"] == one
    assert line["profile"]["full_name"] == "Maria Santos"
    assert line["profile"]["library_persona_id"] is None
    assert line["retired_at"] is None
    again = dict(cells for cells in rows(cli.run("promote", one, *place.options).out) if cells[1:])
    assert again["id"] == line["id"]
    assert again["full_name"] == "Maria Santos"
    assert again["reliability"] == "C 1, at least 0.81 (16 questions in 4 simulations)"
    assert (again["projects"], again["answers"]) == ("1", "64")
    assert again["promoted_from"] == f"persona {one}"
    assert again["promoted_in"] == f"group {place.group_id}"
    assert again["promoted_from"] == f"persona {one}"
    assert "project_id" not in again  # the profile has no parents


def test_the_library_is_listed_and_shown(cli: Cli, group: Group) -> None:
    occupation = f"Tester {uid()}"
    ids = [individual(group, occupation=occupation, age=40 + i).id for i in range(2)]
    head, *lines = rows(cli.run("library", "--occupation", occupation, "--order-by",
                                "created_at desc").out)  # fmt: skip
    assert head[:2] == ["ID", "NAME"]
    assert [line[0] for line in lines] == ids[::-1]
    assert lines[0][1:4] == ["Maria Santos", "41", occupation]
    assert lines[0][5:8] == ["0.81", "1", "64"]
    listed = cli.run("library", "list", "--occupation", occupation, "--age-max", "40", "--json")
    assert [line["id"] for line in listed.lines()] == ids[:1]
    none = cli.run("library", "--occupation", occupation, "--lower-bound-min", "0.9", "--json")
    assert none.lines() == []
    assert cli.run("library", "show", ids[0], "--json").lines() == listed.lines()
    few = cli.run("library", "--occupation", occupation, "--limit", "1")
    assert len(few.out.splitlines()) == 2


def test_retirement_is_for_good_so_it_is_asked_for(cli: Cli, found: LibraryPersona) -> None:
    asked = cli.run("library", "retire", found.id)
    assert (asked.code, "--yes" in asked.err) == (2, True)
    assert cli.run("library", "show", found.id, "--json").lines()[0]["retired_at"] is None
    done = cli.run("library", "retire", found.id, "--yes")
    assert (done.code, done.err) == (0, '"Kwame Mensah" is retired.\n')
    [first] = cli.run("library", "retire", found.id, "--json").lines()  # again: nothing to ask
    assert first["retired_at"] is not None
    listed = [line["id"] for line in cli.run("library", "list", "--json").lines()]
    assert found.id not in listed
    everyone = cli.run("library", "list", "--include-retired", "--json").lines()
    assert found.id in [line["id"] for line in everyone]


class Wave(NamedTuple):
    """A group that seeks the individual, by names."""

    project: str
    group: str

    @property
    def options(self) -> tuple[str, ...]:
        return "--project", self.project, "--group", self.group


@pytest.fixture
def wave(client: PersonaClient, place: Place, found: LibraryPersona) -> Wave:
    """A group of the same project that only the individual fits perfectly."""
    age = found.profile.age.value
    group = PersonaGroup(name=f"wave {uid()}", age_min=age, age_max=age, location=uid())
    client.create_persona_group(place.project_id, group)
    return Wave(place.project, group.name)


def test_an_individual_is_matched_reused_and_its_uses_listed(
    cli: Cli, place: Place, found: LibraryPersona, wave: Wave
) -> None:
    matched = cli.run("library", "match", *wave.options, "--limit", "0")
    head, *lines = rows(matched.out)
    assert head == ["ID", "NAME", "SCORE", "AGE", "INCOME", "LOCATION", "OCCUPATION", "LOWER BOUND"]
    [own] = [line for line in lines if line[0] == found.id]
    assert own[1:] == ["Kwame Mensah", "0.5", "1", "–", "0", "–", "0.81"]
    best = cli.run("library", "match", *wave.options, "--min-score", "0.6", "--json").lines()
    assert found.id not in [line["library_persona"]["id"] for line in best]
    unused = cli.run("library", "match", *wave.options, "--exclude-used", "--json").lines()
    assert found.id not in [line["library_persona"]["id"] for line in unused]

    made = rows(cli.run("library", "reuse", found.id, *wave.options).out)
    assert made[1][1:] == ["Kwame Mensah", found.id]
    again = cli.run("library", "reuse", found.id, *wave.options, "--json")
    assert (again.code, "[ALREADY_EXISTS]" in again.err) == (1, True)

    uses = rows(cli.run("library", "projects", found.id).out)
    assert uses[0][:5] == ["PERSONA", "PROJECT", "GROUP", "RELATION", "LINKED"]
    assert [line[:4] for line in uses[1:]] == [
        [made[1][0], place.project, wave.group, "reuse"],
        [found.origin_persona_id, place.project, place.group, "origin"],
    ]
    assert [line[5] for line in uses[1:]] == ["0.5", "–"]
    lines_of = cli.run("library", "projects", found.id, "--json").lines()
    assert [line["relation"] for line in lines_of] == [
        "LIBRARY_LINK_RELATION_REUSE",
        "LIBRARY_LINK_RELATION_ORIGIN",
    ]
    lineage = cli.run("lineage", made[1][0], *wave.options)
    assert lineage.out.startswith(f"Library persona {found.id}, Kwame Mensah:\n")
    assert rows(lineage.out)[1:] == uses
    assert cli.run("lineage", made[1][0], *wave.options, "--json").lines() == lines_of


def test_a_fresh_persona_has_no_lineage(cli: Cli, client: PersonaClient, place: Place) -> None:
    one = client.create_persona(*place.ids, Persona(full_name="x")).id
    done = cli.run("lineage", one, *place.options)
    assert (done.code, "not in the library" in done.out) == (0, True)
    assert cli.run("lineage", one, *place.options, "--json").lines() == []


def test_an_export_keeps_the_library_id_and_an_import_makes_it_an_attribute(
    cli: Cli,
    client: PersonaClient,
    place: Place,
    found: LibraryPersona,
    wave: Wave,
    tmp_path: Path,
) -> None:
    cli.run("library", "reuse", found.id, *wave.options)
    target = tmp_path / "wave.jsonl"
    cli.run("export", *wave.options, "-o", target)
    [line] = [json.loads(text) for text in target.read_text().splitlines()]
    assert line["library_persona_id"] == found.id
    elsewhere = ("--project", place.project, "--group", "copies")
    done = cli.run("import", target, *elsewhere, "--new-ids")
    assert (done.code, done.out) == (0, "1 imported, 0 refused.\n")
    [copy] = cli.run("list", *elsewhere, "--json").lines()
    assert copy["library_persona_id"] is None
    assert copy["attributes"] == line["attributes"] | {"library_persona_id": found.id}


def test_answers_of_all_copies_are_listed_by_the_library_persona(
    cli: Cli, client: PersonaClient, found: LibraryPersona, wave: Wave, group: Group
) -> None:
    [made] = cli.run("library", "reuse", found.id, *wave.options, "--json").lines()
    record(group.caller, uid(), answer(made["id"], question_key="only here"))
    listed = cli.run("responses", "--library-persona", found.id, "--json").lines()
    assert len(listed) == 64 + 1
    assert listed[-1]["library_persona_id"] == found.id


def test_a_timeline_is_told_in_words(cli: Cli, group: Group) -> None:
    key = uid()
    shifting = shifting_individual(group, key)
    done = cli.run("library", "timeline", shifting.id, "--question", key)
    title, change, trend, *table = done.out.splitlines()
    assert title == f"{key} (rating 1 to 5)"
    assert change == "▲ reliable change +2 (RCI +2.83, adjusted p 0.018)"
    assert trend == "trend +0.473 per 30 days (95%: +0.076 to +0.869)"
    assert [line[1] for line in rows("\n".join(table))] == ["ANSWER", "2", "2", "3", "4", "4"]
    done = cli.run("library", "timeline", shifting.id, "--question", f"{key}-choice")
    assert done.out.splitlines()[:2] == [
        f"{key}-choice (choice of 3)",
        "3 switches: from Espresso to Filter",
    ]
    every = cli.run("library", "timeline", shifting.id, "--json").lines()
    assert len(every) == QUESTIONS + 3
    assert every[0]["choice_shift"] is None
    [one] = [line for line in every if line["question"]["key"] == f"{key}-why"]
    assert [point["items"] for point in one["points"]][-1] == ["price", "taste"]


def test_what_is_not_there_is_said(cli: Cli) -> None:
    for words in (("show",), ("retire", "--yes"), ("timeline",), ("projects",)):
        done = cli.run("library", words[0], uid(), *words[1:])
        assert (done.code, "[LIBRARY_PERSONA_NOT_FOUND]" in done.err) == (1, True)


def test_the_version_is_printed(cli: Cli) -> None:
    done = cli.run("--version")
    assert (done.code, re.fullmatch(r"persona \d+\.\d+\.\d+\n", done.out) is not None) == (0, True)
