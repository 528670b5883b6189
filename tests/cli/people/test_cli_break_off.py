"""An import that is killed, interrupted, or finds its group emptied, against the service itself."""

import json
import signal
import subprocess
from pathlib import Path

import pytest
from cli.conftest import Cli, Place

from persona_client import PersonaClient
from support.waiting import eventually


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """40,000 personas without ids of their own."""
    path = tmp_path / "large.jsonl"
    path.write_text("".join(f'{{"full_name": "{i}"}}\n' for i in range(40_000)))
    return path


def underway(cli: Cli, *words: str | Path) -> "subprocess.Popen[str]":
    """Start an import, and return when batches of it are on disk."""
    process = cli.start("import", *words)

    def acknowledged() -> bool:
        journals = list(cli.journals.glob("*")) if cli.journals.exists() else []
        return any('"acknowledged":3' in path.read_text() for path in journals)

    eventually(acknowledged)
    return process


def test_a_killed_import_goes_on_to_exactly_all(
    cli: Cli, client: PersonaClient, place: Place, large: Path
) -> None:
    process = underway(cli, large, *place.options)
    process.send_signal(signal.SIGSTOP)  # else it may be over before the other one starts
    again = cli.run("import", large, *place.options)
    assert (again.code, again.err) == (1, "persona: The same import is already running.\n")
    process.kill()
    process.communicate()
    assert 3000 <= client.get_persona_group(*place.ids).persona_count < 40_000
    done = cli.run("import", large, *place.options)
    assert (done.code, done.out) == (0, "40000 imported, 0 refused.\n")
    names = [persona.full_name for persona in client.list_personas(*place.ids)]
    assert sorted(names, key=int) == [f"{i}" for i in range(40_000)]


def test_an_interrupted_import_says_how_to_go_on(cli: Cli, place: Place, large: Path) -> None:
    process = underway(cli, large, *place.options)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert "Interrupted." in err
    assert "same command" in err
    assert "Traceback" not in err


NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("words", "row"),
    [
        (("import",), {"full_name": "x"}),
        (
            ("responses", "record", "-s", NOBODY),
            {"persona_id": NOBODY, "question_key": "q", "text": "x"},
        ),
    ],
    ids=["import", "record"],
)
def test_a_run_of_which_nothing_was_done_leaves_nothing(
    cli: Cli, place: Place, tmp_path: Path, words: tuple[str, ...], row: dict[str, str]
) -> None:
    file = tmp_path / "few.jsonl"
    file.write_text(json.dumps(row))
    place = place._replace(project=place.project_id, group=place.group_id)
    done = cli.run(*words, file, *place.options, "--token", "none")
    assert (done.code, "[UNAUTHENTICATED]" in done.err) == (1, True)
    assert not any(cli.journals.iterdir())


def test_an_import_into_a_group_that_was_emptied_is_forgotten(
    cli: Cli, client: PersonaClient, place: Place, large: Path
) -> None:
    process = underway(cli, large, *place.options)
    process.kill()
    process.communicate()
    assert client.delete_all_personas(*place.ids) >= 3000
    done = cli.run("import", large, *place.options)
    assert done.code == 1
    assert "[IMPORT_CONFLICT]" in done.err
    assert "anew" in done.err
    assert not any(cli.journals.iterdir())
    assert client.get_persona_group(*place.ids).persona_count == 0
    assert cli.run("import", large, *place.options).code == 0
    assert client.get_persona_group(*place.ids).persona_count == 40_000
