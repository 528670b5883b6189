"""`persona responses void`: what is voided, and what was before."""

from cli.answers import jsonl, rated
from cli.conftest import Cli, Place

from persona_client import Persona, PersonaClient, Response
from support.data import uid


def test_answers_are_voided(cli: Cli, client: PersonaClient, place: Place) -> None:
    persona = client.create_persona(*place.ids, Persona(full_name="Maria Santos"))
    given = [Response(persona_id=persona.id, question_key=f"q{i}", text="Yes.") for i in range(3)]
    ids = [one.id for one in client.record_responses(uid(), given)]
    done = cli.run("responses", "void", ids[0], "--reason", "A test.")
    assert (done.code, done.out, done.err) == (0, "1 voided.\n", "")
    done = cli.run("responses", "void", *ids, "--reason", "Another.", "--json")
    assert done.lines() == [{"voided": 2}]
    reasons = [client.get_response(one).void_reason for one in ids]
    assert reasons == ["A test.", "Another.", "Another."]
    assert "A test." in cli.run("responses", "show", ids[0]).out
    given = [Response(persona_id=persona.id, question_key="another", text="No.")]
    client.record_responses(uid(), given)
    listed = cli.run("responses", "--project", place.project).out
    assert (listed.count("  void: Yes."), listed.count("  No.")) == (3, 1)
    assert cli.run("responses", "void", uid(), "--reason", "A test.").code == 1


def test_a_simulation_is_voided(cli: Cli, client: PersonaClient, place: Place) -> None:
    persona = client.create_persona(*place.ids, Persona(full_name="Maria Santos"))
    simulation = uid()
    row = jsonl([rated(persona.id)])
    record = ("responses", "record", "-", "--simulation", simulation)
    assert cli.run(*record, stdin=row).out == "1 recorded, 0 refused.\n"
    void = ("responses", "void", "--simulation", simulation, "--reason", "A test.")
    unasked = cli.run(*void)  # where there is nobody to ask
    assert (unasked.code, unasked.out, "--yes" in unasked.err) == (2, "", True)
    assert not any(one.void_reason for one in client.list_responses(simulation_id=simulation))
    done = cli.run(*void, "--yes")
    assert (done.code, done.out, done.err) == (0, "1 voided.\n", "")
    again = cli.run(*record, stdin=row)
    assert again.out == "0 recorded, 1 were there already, 0 refused.\n"
    assert again.err.endswith("Void among those that were there: 1. They stay void.\n")
    listed = cli.run("simulations", "--project", place.project).out.splitlines()
    assert [line.split()[-1][:2] for line in listed] == ["VO", "20"]
    assert [one.void_reason for one in client.list_responses(simulation_id=simulation)] == [
        "A test."
    ]
    for more in ([], ["-s", simulation, uid()]):
        assert cli.run("responses", "void", "--reason", "A test.", *more).code == 2
