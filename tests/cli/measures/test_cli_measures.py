"""Measures of any persona and of whole groups by the `persona` command."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

from cli.conftest import Cli, Place

from support.answers import answer, record
from support.data import Place as Group
from support.data import rich_persona, uid
from support.library import QUESTIONS, answer_reliably


def rows(table: str) -> list[list[str]]:
    """Return the cells of a table's lines: two spaces or more part them."""
    return [re.split(r" {2,}", line.strip()) for line in table.splitlines()]


def test_a_persona_is_followed_without_the_library(cli: Cli, place: Place, group: Group) -> None:
    one = group.create(rich_persona()).id
    tag = answer_reliably(group, one)
    done = cli.run("timeline", one, *place.options, "--question", f"{tag}-00")
    title, change, *_ = done.out.splitlines()
    assert title == f"{tag}-00 (rating 1 to 5)"
    assert change == "change 0, not judged: others' noise is unknown"
    assert len(cli.run("timeline", one, *place.options, "--json").lines()) == QUESTIONS
    nobody = cli.run("timeline", uid(), *place.options)
    assert (nobody.code, "[PERSONA_NOT_FOUND]" in nobody.err) == (1, True)


def test_a_picture_is_named_after_the_persona_while_it_is_there(
    cli: Cli, place: Place, group: Group, tmp_path: Path
) -> None:
    one = group.create(rich_persona(full_name="Maria Santos")).id
    key = f"{answer_reliably(group, one, uid()[:8])}-00"
    target = tmp_path / "a.svg"
    for name in ("Maria Santos", one):
        done = cli.run("timeline", one, *place.options, "--question", key, "--plot", target)
        assert done.err == f"Wrote {target}.\n"
        drawn = ET.fromstring(target.read_bytes())  # noqa: S314
        assert name in {each.text for each in drawn.iter()}
        if name != one:
            group.delete(one)


def test_a_group_is_listed_a_row_each(cli: Cli, place: Place, group: Group) -> None:
    people = [one.id for one in group.fill(3)]
    answer_reliably(group, people[1])
    head, *lines = rows(cli.run("reliabilities", *place.options).out)
    assert head[:7] == ["ID", "NAME", "STATUS", "C", "LOW", "HIGH", "QUESTIONS"]
    assert [line[0] for line in lines] == people
    assert lines[1][2:9] == ["eligible", "1", "0.81", "1", "16", "4", "0"]
    assert lines[0][2:9] == ["insufficient data", "–", "–", "–", "0", "0", "–"]
    assert lines[0][-1].startswith("No question was answered in two simulations")
    limited = cli.run("reliabilities", *place.options, "--limit", "2", "--json").lines()
    assert [line["persona_id"] for line in limited] == people[:2]


def test_the_command_sorts_what_it_has_read(cli: Cli, place: Place, group: Group) -> None:
    people = [one.id for one in group.fill(3)]
    answer_reliably(group, people[1])
    best = cli.run("reliabilities", *place.options, "--order-by", "lower_bound desc", "--json")
    assert [line["persona_id"] for line in best.lines()] == [people[1], people[0], people[2]]
    most = cli.run("reliabilities", *place.options, "--order-by", "question_count", "--limit", "1")
    assert [line[0] for line in rows(most.out)[1:]] == [people[0]]
    for order in ("name", "lower_bound up"):
        refused = cli.run("reliabilities", *place.options, "--order-by", order)
        assert (refused.code, "--order-by is one of" in refused.err) == (2, True)


def test_a_group_is_drawn_as_a_forest(cli: Cli, place: Place, group: Group, tmp_path: Path) -> None:
    target = tmp_path / "forest.svg"
    asked: list[str | Path] = ["reliabilities", *place.options, "--order-by", "coefficient"]
    asked += ["--plot", target]
    nobody = cli.run(*asked)
    assert (nobody.code, "no personas to draw" in nobody.err) == (1, True)
    people = [one.id for one in group.fill(3)]
    answer_reliably(group, people[1])
    assert cli.run(*asked).err == f"Wrote {target}.\n"
    texts = [each.text for each in ET.fromstring(target.read_bytes()).iter()]  # noqa: S314
    drawn = [text for text in texts if text and text.startswith(("Person", "no C"))]
    labels, notes = drawn[:3], drawn[3:]
    assert labels == ["Person 1", "Person 0", "Person 2"]
    assert notes == ["no C: too little data"] * 2
    assert {place.group, "Reliability of 3 personas"} <= set(texts)
    first = target.read_bytes()
    cli.run(*asked)
    assert target.read_bytes() == first
    cli.run(*asked, "--limit", "1")
    assert b"Reliability of 1 persona<" in target.read_bytes()
    assert cli.run(*asked[:-1], tmp_path / "forest.gif").code == 2


def test_several_are_promoted_each_by_itself(cli: Cli, place: Place, group: Group) -> None:
    people, nobody = [one.id for one in group.fill(3)], uid()
    answer_reliably(group, people[1])
    done = cli.run("promote", *people[:2], nobody, *place.options)
    assert (done.code, done.err) == (1, "persona: 2 of 3 are not in the library.\n")
    head, *lines = rows(done.out)
    assert head == ["ID", "OUTCOME", "LIBRARY PERSONA", "WHAT IS MISSING"]
    assert [line[:2] for line in lines] == [
        [people[0], "insufficient data"],
        [people[1], "promoted"],
        [nobody, "persona not found"],
    ]
    assert lines[0][-1].startswith("No question was answered in two simulations")
    shown = cli.run("library", "show", lines[1][2], "--json").lines()
    assert shown[0]["origin_persona_id"] == people[1]
    assert cli.run("promote", *people, *place.options, "--json").code == 1
    done = cli.run("promote", "--all", *place.options, "--json")
    assert (done.code, done.err) == (0, "")
    everybody = done.lines()
    assert [one["persona_id"] for one in everybody] == people
    assert everybody[1]["outcome"] == "PROMOTION_OUTCOME_ALREADY_PROMOTED"
    assert everybody[1]["library_persona_id"] == lines[1][2]
    for words in ((), (people[0], "--all")):
        assert cli.run("promote", *words, *place.options).code == 2


def test_a_forest_says_where_nobody_differs(
    cli: Cli, place: Place, group: Group, tmp_path: Path
) -> None:
    """That is not too little data: more of the same would tell no more."""
    people = [one.id for one in group.fill(5)]
    for _ in range(2):
        record(group.caller, uid(), *map(answer, people))
    target = tmp_path / "forest.svg"
    cli.run("reliabilities", *place.options, "--plot", target)
    texts = [each.text for each in ET.fromstring(target.read_bytes()).iter()]  # noqa: S314
    assert texts.count("no C: everybody answers alike") == len(people)
