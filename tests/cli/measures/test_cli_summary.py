"""`persona summary`: what many individuals answered, as tables and as a picture."""

import uuid
from pathlib import Path
from xml.etree import ElementTree as ET

from cli.conftest import Cli, Place
from cli.pictures import PANEL, panel_widths

from persona_client import ChoiceAnswer, Persona, PersonaClient, RatingAnswer, Response

SVG = "{http://www.w3.org/2000/svg}"


def answered(client: PersonaClient, place: Place) -> str:
    """Let four personas choose and rate; return the simulation."""
    people = client.batch_create_personas(
        *place.ids, [Persona(full_name=f"Person {i}") for i in range(4)]
    )
    simulation, options = str(uuid.uuid4()), ["strong", "decaf", "1/2"]
    chosen, rated = [], []
    for i, one in enumerate(people):
        choice = ChoiceAnswer(value=options[0 if i else 2], options=options)
        chosen.append(Response(persona_id=one.id, question_key="brew", choice=choice))
        rating = RatingAnswer(value=i + 1, min=1, max=5)
        rated.append(Response(persona_id=one.id, question_key="cups", rating=rating))
    # Questions of one call have no order among themselves, and no other test has asked these.
    for given in (chosen, rated):
        client.record_responses(simulation, given)
    return simulation


def test_shares_and_means_are_shown(cli: Cli, client: PersonaClient, place: Place) -> None:
    simulation = answered(client, place)
    in_project = ("--project", place.project)
    shown = cli.run("summary", *in_project, "-s", simulation).out
    assert shown.splitlines()[0] == "brew (choice of 3), 4 individuals"
    rows = [line.split() for line in shown.splitlines()]
    assert ["strong", "3", "0.75", "0.132", "to", "0.998"] in rows
    assert ["1/2", "1", "0.25", "0.002", "to", "0.868"] in rows
    assert "mean 2.5 (95%: 0.446 to 4.554), standard deviation 1.291" in shown
    for selection in (("--group", place.group), ()):
        assert cli.run("summary", *in_project, *selection).out == shown
    one = cli.run("summary", *in_project, "--question", "cups", "--json").lines()
    assert [(each["individual_count"], len(each["shares"])) for each in one] == [(4, 5)]


def test_a_selection_is_a_project_or_the_library(cli: Cli, place: Place) -> None:
    assert cli.run("summary").code == 2
    assert cli.run("summary", "--library", "--project", place.project).code == 2
    assert cli.run("summary", "--library", "--group", place.group).code == 2
    assert cli.run("summary", "--library").code == 0
    assert cli.run("summary", "--project", place.project) == (0, "", "There are no answers.\n")


def test_what_is_said_above_a_panel_takes_no_room_from_it(
    cli: Cli, client: PersonaClient, place: Place, tmp_path: Path
) -> None:
    """Nor does a mean have axes of shares, where no answer has one."""
    simulation, target = answered(client, place), tmp_path / "a.svg"
    for i, one in enumerate(client.list_personas(*place.ids)):
        felt = Response(persona_id=one.id, question_key="feels", sentiment=i / 8)
        client.record_responses(simulation, [felt])
    cli.run("summary", "--project", place.project, "--plot", target)
    widths = panel_widths(ET.fromstring(target.read_bytes()))  # noqa: S314
    assert len(widths) == 2
    assert min(widths) > PANEL * 0.7


def test_a_picture_has_a_panel_for_each_question(
    cli: Cli, client: PersonaClient, place: Place, tmp_path: Path
) -> None:
    answered(client, place)
    first, second = tmp_path / "a.svg", tmp_path / "b.svg"
    in_project = ("--project", place.project)
    for target in (first, second):
        done = cli.run("summary", *in_project, "--plot", target)
        assert (done.code, done.out, done.err) == (0, "", f"Wrote {target}.\n")
    assert first.read_bytes() == second.read_bytes()
    picture = ET.fromstring(first.read_bytes())  # noqa: S314
    said = ["".join(text.itertext()) for text in picture.iter(f"{SVG}text")]
    for expected in ("brew", "cups", "strong", "decaf", "1/2", "0.75", "4 individuals"):
        assert expected in said
    assert "mean 2.5 (95%: 0.446 to 4.554), standard deviation 1.291" in said
    assert cli.run("summary", *in_project, "--plot", tmp_path / "a.pdf").code == 2
    nothing = cli.run("summary", "--project", place.project, "--question", "x", "--plot", first)
    assert (nothing.code, "no answers to draw" in nothing.err) == (1, True)
