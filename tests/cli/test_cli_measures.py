"""Measures of any persona and of whole groups by the `persona` command."""

from pathlib import Path
from xml.etree import ElementTree as ET

from cli.conftest import Cli, Place

from support.data import Place as Group
from support.data import rich_persona, uid
from support.library import QUESTIONS, answer_reliably


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
