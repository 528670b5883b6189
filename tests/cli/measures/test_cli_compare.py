"""`persona compare`: two selections, or one and targets, as a table and as a picture."""

import uuid
from pathlib import Path
from xml.etree import ElementTree as ET

from cli.conftest import Cli, Place

from persona_client import Persona, PersonaClient, RatingAnswer, Response, Simulation

SVG = "{http://www.w3.org/2000/svg}"
TARGET = (
    '{"question": {"key": "nps", "kind": "QUESTION_KIND_RATING", "min": 1, "max": 2}, '
    '"shares": [0.5, 0.5]}\n'
)


def answered_twice(client: PersonaClient, place: Place) -> tuple[str, str]:
    """Let 20 personas rate in two simulations: half of them 1, then 2; return both."""
    people = client.batch_create_personas(
        *place.ids, [Persona(full_name=f"Person {i}") for i in range(20)]
    )
    simulations = str(uuid.uuid4()), str(uuid.uuid4())
    for wave, simulation in enumerate(simulations):
        said = [RatingAnswer(value=2 if i % 2 and wave else 1, min=1, max=2) for i in range(20)]
        client.record_responses(
            simulation,
            [
                Response(persona_id=one.id, question_key="nps", rating=rating)
                for one, rating in zip(people, said, strict=True)
            ],
        )
    return simulations


def test_two_simulations_are_compared_by_individual(
    cli: Cli, client: PersonaClient, place: Place, tmp_path: Path
) -> None:
    first, second = answered_twice(client, place)
    asked = ("compare", "--project", place.project, "-s", first, "--other-simulation", second)
    table = cli.run(*asked).out.splitlines()
    assert table[1].startswith("nps       0.5 (")
    assert [cell for cell in table[1].split("  ") if cell.strip()][-1].strip() == "rating 1 to 2"
    (one,) = cli.run(*asked, "--json").lines()
    assert (one["paired"], one["distance"]["value"]) == (True, 0.5)
    assert one["mean_difference"]["value"] == 0.5
    assert cli.run(*asked, "--question", "other", "--json").lines() == []
    itself = cli.run(
        "compare", "--project", place.project, "-s", first, "--other-simulation", first
    )
    assert (itself.code, itself.err.startswith("Nothing to compare: ")) == (0, True)
    target = tmp_path / "pairs.svg"
    assert cli.run(*asked, "--plot", target).err == f"Wrote {target}.\n"
    picture = ET.fromstring(target.read_bytes())  # noqa: S314
    said = ["".join(text.itertext()) for text in picture.iter(f"{SVG}text")]
    assert {"nps", "1", "2"} <= set(said)
    assert any(text.startswith("distance 0.5 (") for text in said)


def test_a_picture_names_all_that_was_selected(
    cli: Cli, client: PersonaClient, place: Place, tmp_path: Path
) -> None:
    """Or two groups in one simulation, and two simulations of a group, would be called the same."""
    first, second = answered_twice(client, place)
    for name, simulation in (("one", first), ("two", second)):
        client.update_simulation(place.ids[0], simulation, Simulation(name=name))
    target, group = tmp_path / "pairs.svg", place.group
    given = ("--project", place.project, "--group", group, "-s", "one", "--plot", target)
    cli.run("compare", *given, "--other-group", group, "--other-simulation", "two")
    assert f"{group}, one and {group}, two" in titles(target)
    cli.run("summary", *given)
    assert f"{group}, one" in titles(target)


def titles(picture: Path) -> list[str]:
    found = ET.fromstring(picture.read_bytes()).iter(f"{SVG}text")  # noqa: S314
    return ["".join(text.itertext()) for text in found]


def test_targets_come_from_a_file(
    cli: Cli, client: PersonaClient, place: Place, tmp_path: Path
) -> None:
    first, second = answered_twice(client, place)
    file = tmp_path / "targets.jsonl"
    file.write_text(TARGET)
    asked = ("compare", "--project", place.project, "--targets", file)
    (one,) = cli.run(*asked, "-s", second, "--json").lines()
    assert (one["distance"]["value"], one["distance"]["p"]) == (0, 1)
    (one,) = cli.run(*asked, "-s", first, "--json").lines()
    assert one["distance"]["value"] == 0.5
    assert "exact" in cli.run(*asked).out
    file.write_text(TARGET.replace('"max": 2', '"max": 3').replace("0.5]", "0.2, 0.3]") + TARGET)
    done = cli.run(*asked, "--json")
    assert (done.code, len(done.lines())) == (0, 1)
    assert done.err.startswith("None of the selection answered 'nps' (rating 1 to 3): ")
    file.write_text(TARGET + '{"shares": 1}')
    wrong = cli.run(*asked)
    assert (wrong.code, f"{file}:2: " in wrong.err) == (1, True)
    file.write_text(TARGET + TARGET.replace("0.5]", "0.4]"))
    why = "shares must be from 0 to 1, and 1 together, but are 0.9"
    assert cli.run(*asked) == (1, "", f"persona: {file}:2: {why}\n")
    file.write_text("")
    assert cli.run(*asked) == (1, "", f"persona: {file}: has no target\n")
    assert cli.run("compare", "--project", place.project).code == 2
    assert cli.run(*asked, "--other-model", "m").code == 2
