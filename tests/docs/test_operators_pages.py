"""Every command that the pages show to operators is run, in the order of its page, on real parts.

Those that can't be run here are named, with why; what `persona` is told in them is parsed. Blocks
that show what commands print too (```console) are run by the tests of their pages.
"""

import re
import shlex
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest
from docs.shell import ROOT, flags, parse, shell, shell_commands

from support.data import make_place, persona
from support.operating.authority import Authority
from support.peers.pgbouncer import running_pooler
from support.ports import free_port
from support.postgresql import running_cluster
from support.service import running_service

pytestmark = pytest.mark.sqlite("the pages name folders, and databases of PostgreSQL by their URLs")

NOT_RUN = {
    "make ": "it makes the checkout that the tests run from, or starts them",
    "pip install ": "it asks a registry; tests/operating/test_wheel.py installs what is built here",
    "@coordinator/": "no Citus runs here; tests/conformance/engines/test_store_distribution.py",
}
PAGES = sorted(
    page.relative_to(ROOT).as_posix()
    for page in (*(ROOT / "docs").glob("*.md"), ROOT / "README.md")
    if "```sh\n" in page.read_text("utf-8")
)
CONSOLE = {  # pages of which another test runs what their console blocks show
    "README.md": "test_readme.py",
    "docs/api.md": "test_api_page.py",
    "docs/command-line.md": "test_readme.py",
    "docs/files.md": "test_readme.py",
    "docs/rest.md": "test_api_page.py",
    "docs/security.md": "test_security_page.py",
    "docs/study.md": "test_study_survey.py",
}
# Blocks of other kinds hold no commands.
OTHERS = {"sh", "console", "csv", "json", "python", "text", "toml", "yaml"}
OTHERS |= {"go", "java", "rust", "typescript"}
TENANT = "acme"


class Prepared(NamedTuple):
    """A data folder with a persona of a tenant, and a token of that."""

    data: Path
    persona: str
    token: str


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    folder = tmp_path_factory.mktemp("prepared") / "data"
    with running_service(folder, "--rest", "off") as service:
        token = service.token(TENANT)
        kept = make_place(service.connect(token)).create(persona())
    return Prepared(folder, kept.id, token)


def ports() -> dict[str, str]:
    """Return ports of this test for those that the pages name, and that nothing else may have."""
    return {f":{port}": f":{free_port()}" for port in (50051, 8080, 9464, 4318)}


def files(folder: Path) -> dict[str, str]:
    """Return folders for those of an operator, with the certificates that the pages name."""
    for name in ("srv", "backups", "etc"):
        (folder / name).mkdir()
    services, clients = Authority("services"), Authority("clients")
    services.issue("server").write(folder / "etc", "server")
    clients.issue("client").write(folder / "etc", "client")
    (folder / "etc/root.pem").write_bytes(services.root)
    (folder / "etc/clients.pem").write_bytes(clients.root)
    return {
        "/srv/": f"{folder}/srv/",
        "/backups/": f"{folder}/backups/",
        "/etc/persona/": f"{folder}/etc/",
    }


def databases(stack: ExitStack) -> tuple[dict[str, str], dict[str, str]]:
    """Return servers of PostgreSQL for those of the pages, and what lets its programs find them."""
    primary = stack.enter_context(running_cluster())
    replica = stack.enter_context(running_cluster(of=primary))
    pooler = stack.enter_context(running_pooler(primary))
    here = f"@127.0.0.1:{primary.port}/"
    places = {
        "@127.0.0.1:5432/": here,
        "@db/": here,
        "@replica/": f"@127.0.0.1:{replica.port}/",
        "@pooler:6432/": f"@127.0.0.1:{pooler.port}/",
    }
    return places, {"PGHOST": "127.0.0.1", "PGPORT": str(primary.port), "PGUSER": "persona"}


def why_not_run(command: str) -> str | None:
    """Return why a command of a page can't be run here, None for one that can."""
    return next((why for part, why in NOT_RUN.items() if part in command), None)


@pytest.fixture
def world(
    request: pytest.FixtureRequest, prepared: Prepared, tmp_path: Path
) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """What stands here for the places that a page names, and the variables of its shell."""
    here = ports()
    places = here | files(tmp_path) | {"0190b5a4-7c3e-7b1a-8f00-0123456789ab": prepared.persona}
    data = shutil.copytree(prepared.data, tmp_path / "srv/persona")
    variables = {
        "PERSONA_DATA": str(data),
        "PERSONA_LISTEN": f"127.0.0.1{here[':50051']}",
        "PERSONA_REST": f"127.0.0.1{here[':8080']}",
        "PERSONA_METRICS": f"127.0.0.1{here[':9464']}",
        "PERSONA_TOKEN": prepared.token,
    }
    with ExitStack() as stack:
        if "postgresql://" in (ROOT / request.getfixturevalue("page")).read_text("utf-8"):
            of_postgresql = databases(stack)
            places, variables = places | of_postgresql[0], variables | of_postgresql[1]
        yield places, variables


@pytest.mark.parametrize("page", PAGES)
def test_a_page_can_be_followed(
    page: str, world: tuple[dict[str, str], dict[str, str]], tmp_path: Path
) -> None:
    with shell(tmp_path, *world) as operator:
        for command in shell_commands(page):
            if why_not_run(command) is None:
                operator.follow(command)
            elif command.startswith("persona "):
                parse(shlex.split(command)[1:])


def test_every_reason_is_of_a_command_of_a_page() -> None:
    commands = [command for page in PAGES for command in shell_commands(page)]
    assert [part for part in NOT_RUN if not any(part in command for command in commands)] == []


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("*.md")), ids=lambda page: page.name)
def test_no_command_of_a_page_stands_where_nobody_runs_it(page: Path) -> None:
    text = page.read_text("utf-8")
    kinds = set(re.findall(r"^\s*```(.*)$", text, re.M)[::2])
    assert kinds <= OTHERS
    if "console" in kinds:
        name = page.relative_to(ROOT).as_posix()
        assert name in (ROOT / "tests/docs" / CONSOLE[name]).read_text()


def spans(page: str) -> list[str]:
    """Return what stands in a page's backticks, outside of its blocks."""
    prose = re.sub(r"^```.*?^```", "", (ROOT / page).read_text("utf-8"), flags=re.M | re.S)
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose)]


@pytest.mark.parametrize("page", PAGES)
def test_commands_and_flags_in_the_text_of_a_page_are_there(page: str) -> None:
    known = flags()
    for span in spans(page):
        if span.startswith("persona "):
            parse(shlex.split(span)[1:])
        if span.startswith(("--", "persona")):
            named = set(re.findall(r"(?<!\S)--[a-z-]+(?=[\s=]|$)", span))
            assert named <= known | {"--help"}, span


# In a comment of a file of deploy/, or where systemd is told what to start.
DEPLOYED = re.compile(r"(?:#.*|ExecStart=\S*/)\bpersona ((?:serve|token|migrate)\b.*)")


def test_commands_in_the_files_of_deploy_are_there() -> None:
    texts = [file.read_text("utf-8") for file in (ROOT / "deploy").rglob("*") if file.is_file()]
    found = [words for text in texts for words in DEPLOYED.findall(text)]
    assert len(found) >= 2
    for words in found:
        parse(shlex.split(words))
