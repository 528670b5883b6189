"""The process around a command: closed, full and unread streams, names that are no UTF-8."""

import os
from pathlib import Path

import pytest
from cli.conftest import Cli, Place

from persona_client import Persona, PersonaClient, Response
from support.data import uid

NO_READER = 141
CLOSED = "persona: Standard input or standard output is closed.\n"
FULL = "persona: standard output: No space left on device\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "personas.jsonl"
    path.write_text("".join(f'{{"full_name": "{i}"}}\n' for i in range(3)))
    return path


@pytest.fixture
def full(client: PersonaClient, place: Place) -> Place:
    """A group whose export is more than a pipe holds."""
    client.batch_create_personas(*place.ids, [Persona(full_name=f"{i}") for i in range(1000)])
    return place


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("command", ["persona projects --json", "persona --help"])
def test_what_cannot_be_printed_is_a_failure(cli: Cli, command: str) -> None:
    assert cli.shell(f"{command} >&-") == (1, "", CLOSED)
    assert cli.shell(f"{command} > /dev/full") == (1, "", FULL)


def test_what_cannot_be_written_is_not_said_to_be(cli: Cli, place: Place, file: Path) -> None:
    assert cli.run("import", file, *place.options).code == 0
    for form in ("jsonl", "csv"):
        script = f'persona export --format {form} "$@"'
        assert cli.shell(f"{script} > /dev/full", *place.options) == (1, "", FULL)
        assert cli.shell(f"{script} >&-", *place.options) == (1, "", CLOSED)


def test_a_closed_stdout_takes_nothing_that_comes_after_it(
    cli: Cli, client: PersonaClient, place: Place, file: Path
) -> None:
    done = cli.shell('persona import "$@" >&-', file, *place.options)
    assert (done.code, done.err) == (1, CLOSED)
    assert client.get_persona_group(*place.ids).persona_count == 3
    assert not any(cli.journals.iterdir())


def test_a_closed_stdin_is_not_an_empty_one(cli: Cli, place: Place, file: Path) -> None:
    done = cli.shell('persona import - "$@" <&-', *place.options)
    assert (done.code, done.out) == (1, "")
    assert done.err.endswith(CLOSED)
    assert cli.shell('persona import "$@" <&-', file, *place.options).code == 0
    asked = cli.shell('persona delete --all "$@" <&-', *place.options)
    assert (asked.code, "--yes" in asked.err) == (2, True)


UNREADABLE = "/proc/self/mem"  # at whose beginning is nothing


@pytest.mark.parametrize(
    "words",
    [
        ("import", UNREADABLE),
        ("import", "{file}", "--mapping", UNREADABLE),
        ("responses", "record", UNREADABLE, "-s", uid()),
        ("fidelity", "--references", UNREADABLE),
    ],
    ids=["personas", "mapping", "answers", "references"],
)
def test_a_file_that_cannot_be_read_is_named(
    cli: Cli, place: Place, file: Path, words: tuple[str, ...]
) -> None:
    done = cli.run(*(word.format(file=file) for word in words), *place.options)
    assert (done.code, done.err) == (1, f"persona: {UNREADABLE}: Input/output error\n")


def test_nobody_need_read_what_is_said(cli: Cli, place: Place, file: Path) -> None:
    file.write_text(file.read_text() + "{bad\n")
    for nowhere in ("2>&-", "2> /dev/full"):
        done = cli.shell(f'persona import --again "$@" {nowhere}', file, *place.options)
        assert done == (1, "3 imported, 1 refused.\n", "")
        done = cli.shell(f"persona projects show nobody {nowhere}")
        assert done == (1, "", "")


@pytest.mark.parametrize("command", ["projects", "--help", "nothing 2>&1"])
def test_a_reader_that_has_seen_enough_is_no_failure(cli: Cli, command: str) -> None:
    assert cli.shell(f"persona {command} | true") == (NO_READER, "", "")


def test_an_export_ends_with_its_reader(cli: Cli, full: Place) -> None:
    done = cli.shell('persona export "$@" | head -n 1', *full.options)
    assert (done.code, len(done.lines()), done.err) == (NO_READER, 1, "")


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1"])
def test_an_open_output_is_written_to_as_it_is(
    cli: Cli, full: Place, tmp_path: Path, name: str
) -> None:
    piped = cli.shell('persona export -o "$@" | cat', name, *full.options)
    assert (piped.code, len(piped.lines())) == (0, 1000)
    script = '(echo before; persona export -o "$@"; echo after) >> "$0"'
    target = tmp_path / "log"
    target.write_text("first\n")
    assert cli.shell(script.replace("$0", str(target)), name, *full.options).code == 0
    lines = target.read_text().splitlines()
    assert (lines[:2], len(lines), lines[-1]) == (["first", "before"], 1003, "after")


def test_other_outputs(cli: Cli, full: Place, tmp_path: Path) -> None:
    def export(target: str) -> tuple[int, str]:
        done = cli.shell('persona export -o "$@"', target, *full.options)
        assert done.out == ""
        return done.code, done.err

    assert export("/dev/null") == (0, "Exported 1000 personas.\n")
    assert export("/dev/full") == (1, "persona: /dev/full: No space left on device\n")
    assert export(f"{tmp_path}") == (1, f"persona: {tmp_path}: Is a directory\n")
    assert export(f"{tmp_path}/") == (1, f"persona: {tmp_path}/: Is a directory\n")
    assert export(f"{tmp_path}/no/file") == (
        1,
        f"persona: {tmp_path}/no/file: No such file or directory\n",
    )
    assert not any(tmp_path.iterdir())


def test_a_mounted_file_is_written_in_place(cli: Cli, full: Place, tmp_path: Path) -> None:
    """Nothing can take its place; a container has such files."""
    for name in ("outside", "inside"):
        (tmp_path / name).write_text("before\n")
    mounted = 'mount --bind outside inside && persona export -o inside "$@"'
    script = f"cd {tmp_path} && unshare -m bash -c '{mounted}' bash"
    done = cli.shell(f'{script} "$@"', *full.options)
    if "unshare" in done.err or "mount" in done.err:
        pytest.skip("this user can't mount")
    assert (done.code, done.err) == (0, "Exported 1000 personas.\n")
    assert len((tmp_path / "outside").read_text().splitlines()) == 1000
    assert sorted(path.name for path in tmp_path.iterdir()) == ["inside", "outside"]


def test_a_name_may_be_as_long_as_the_system_has_it(cli: Cli, full: Place, tmp_path: Path) -> None:
    target = tmp_path / ("n" * 255)
    assert cli.run("export", "-o", target, *full.options).code == 0
    assert len(target.read_text().splitlines()) == 1000


def test_a_name_of_a_file_may_be_any_bytes(cli: Cli, place: Place, file: Path) -> None:
    named = os.fsencode(file.parent) + b"/caf\xe9.jsonl"
    file.rename(os.fsdecode(named))
    done = cli.shell('persona import "$@"', named, *place.options)
    assert done.out == "3 imported, 0 refused.\n"
    done = cli.shell('persona export -o "$@"', named + b"2", *place.options)
    assert done.code == 0
    assert len(Path(os.fsdecode(named + b"2")).read_text().splitlines()) == 3


def test_every_option_that_names_a_file_takes_any_bytes(cli: Cli, place: Place, file: Path) -> None:
    folder = os.fsencode(file.parent)
    for name, content in {
        "codes.csv": "question,kind,scale\nrespondent,respondent,\nq,rating,1-5\n",
        "map.toml": '[fields]\nage = "{years}"\n',
        "said.jsonl": '{"bad": 1}\n',
        "wide.csv": "respondent,q\nr-1,9\n",
    }.items():
        Path(os.fsdecode(folder + b"/\xe9" + name.encode())).write_text(content)

    def named(name: str) -> bytes:
        return folder + b"/\xe9" + name.encode()

    done = cli.shell(
        'persona import "$@"', file, *place.options, b"--mapping", named("map.toml"),
        b"--refused", named("refused.jsonl"),
    )  # fmt: skip
    assert (done.code, done.out) == (0, "3 imported, 0 refused.\n")
    assert Path(os.fsdecode(named("refused.jsonl"))).exists()
    done = cli.shell(
        'persona responses record "$@"', named("wide.csv"), *place.options, b"-s", uid().encode(),
        b"--codebook", named("codes.csv"),
    )  # fmt: skip
    assert (done.code, done.out) == (1, "0 recorded, 1 refused.\n")
    done = cli.shell('persona fidelity "$@"', *place.options, b"--references", named("said.jsonl"))
    assert (done.code, "said.jsonl:1: " in done.err) == (1, True)


@pytest.mark.parametrize(
    "words",
    [
        ("projects", "show", "caf\udce9"),
        ("groups", "create", "x", "-p", "caf\udce9"),
        ("list", "-p", "x", "-g", "y", "--attribute", "state=caf\udce9"),
        ("get", "caf\udce9", "-p", "x", "-g", "y"),
        ("projects", "--address", "caf\udce9:1"),
        ("tenants", "quotas", "caf\udce9"),
        ("erase", "x", "--tenant", "caf\udce9"),
        ("token", "--tenant", "local", "--data", "caf\udce9"),
    ],
)
def test_a_text_that_is_no_utf_8_is_misuse(cli: Cli, words: tuple[str, ...]) -> None:
    done = cli.run(*words)
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)


def test_a_byte_that_is_no_text_is_shown_and_not_stored(cli: Cli) -> None:
    done = cli.shell('persona projects create "$@"', b"caf\xe9")
    wanted = r"persona: 'caf\udce9' is not UTF-8, as names and texts must be."
    assert done == (2, "", f"{wanted}\n")


def test_a_text_is_utf_8_whatever_the_locale(cli: Cli, place: Place) -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = cli.shell('persona groups create "$@" --json', "Zoë", "-p", place.project, **plain)
    assert [one["name"] for one in done.lines()] == ["Zoë"]
    shown = cli.shell('persona groups show "$@"', "Zoë", "-p", place.project, **plain)
    assert (shown.code, "Zo\\xeb" in shown.out) == (0, True)


def test_a_negative_number_is_one_whatever_the_locale(
    cli: Cli, client: PersonaClient, place: Place
) -> None:
    (one,) = client.batch_create_personas(*place.ids, [Persona(full_name="Zoë")])
    felt = Response(persona_id=one.id, question_key="tea − or café", sentiment=-0.25)
    client.record_responses(uid(), [felt])
    for encoding, what in (("ascii", "tea - or caf\\xe9"), ("cp1252", "tea - or caf")):
        said = f'PYTHONIOENCODING={encoding} persona summary "$@" | iconv -f cp1252 -t utf-8'
        shown = cli.shell(said, "-p", place.project).out
        assert shown.startswith(what)
        assert "(sentiment -1 to +1), 1 individual\nmean -0.25" in shown
