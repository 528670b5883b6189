"""The first start prints what a newcomer needs, and every printed line works when pasted."""

import json
import os
import pty
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from persona.v1.project_service_pb2 import ListProjectsRequest
from support.service import PERSONA, Service, running_service

ROOT = Path(__file__).parents[2]


def paste(lines: list[str], environment: dict[str, str] | None = None) -> str:
    """Run printed lines in one shell, as a person would, and return what they print."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PERSONA_")}
    clean["PATH"] = f"{ROOT / '.tools/bin'}:{clean['PATH']}"
    done = subprocess.run(
        ["bash", "-e", "-c", "\n".join(lines)],
        env=clean | (environment or {}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


def test_the_demo_can_be_listed_with_the_printed_lines(data: Path) -> None:
    with running_service(data, "--demo", "--print-token") as service:
        listed = paste([service.printed("export "), service.printed("curl ")])
        personas = json.loads(listed)
        assert len(personas) == 12
        assert len({persona["location"] for persona in personas}) == 12
        assert all(persona["library_persona_id"] is None for persona in personas)
        answer = paste([service.printed("export "), service.printed("grpcurl ")])
        assert len(json.loads(answer)["personas"]) == 12
        assert str(data) in service.printed("data")
        assert service.printed("command").split()[-1] == str(PERSONA)


def test_a_second_start_keeps_all_data_and_makes_no_second_demo(data: Path) -> None:
    with running_service(data, "--demo", "--print-token") as service:
        first = paste([service.printed("export "), service.printed("curl ")])
        token = service.printed("export ")
    with running_service(data, "--demo", "--print-token") as service:
        assert paste([service.printed("export "), service.printed("curl ")]) == first
        assert service.printed("export ") != token


def test_a_database_without_a_group_says_how_to_make_one(data: Path) -> None:
    with running_service(data, "--print-token") as service:
        lines = [service.printed("export "), service.printed(str(PERSONA))]
        assert not [line for line in service.stdout if line.startswith(("curl ", "grpcurl "))]
        file = data.parent / "FILE.jsonl"
        file.write_text('{"full_name": "Maria Santos"}\n')
        state = {"XDG_STATE_HOME": str(data.parent / "state")}
        paste([f"cd {data.parent}", *lines], state)
        listed = paste([lines[0], f"{PERSONA} list --project Trial --group all --json"])
        assert "Maria Santos" in listed


def failed_start(*flags: str) -> str:
    """Return the one line by which a start fails with exit code 1."""
    command = [str(PERSONA), "serve", *flags]
    clean = {k: v for k, v in os.environ.items() if not k.startswith("PERSONA_")}
    done = subprocess.run(command, env=clean, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    lines = [line for line in done.stderr.splitlines() if not line.startswith("{")]
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.parametrize("flag", ["--listen", "--rest", "--metrics"])
def test_a_taken_port_is_one_line_that_names_port_and_flag(
    service: Service, data: Path, flag: str
) -> None:
    taken = {
        "--listen": service.grpc,
        "--rest": service.rest.removeprefix("http://"),
        "--metrics": service.metrics.removeprefix("http://").removesuffix("/metrics"),
    }[flag]
    free = {"--listen": "127.0.0.1:0", "--rest": "127.0.0.1:0", "--metrics": "127.0.0.1:0"}
    flags = [word for pair in (free | {flag: taken}).items() for word in pair]
    line = failed_start("--data", str(data), *flags)
    assert taken in line
    assert flag in line


def test_a_second_server_on_the_same_data_is_refused(service: Service) -> None:
    line = failed_start("--data", str(service.data), "--listen", "127.0.0.1:0")
    assert str(service.data) in line
    assert "Stop it, or name another folder." in line


def test_a_missing_gateway_names_the_way_out(data: Path) -> None:
    missing = str(data.parent / "nowhere")
    free = ["--listen", "127.0.0.1:0", "--metrics", "off"]
    line = failed_start("--data", str(data), *free, "--gateway-program", missing)
    assert "--rest off" in line


@pytest.mark.parametrize("flag", ["--listen", "--rest"])
def test_off_loopback_local_tokens_must_be_said(data: Path, flag: str) -> None:
    free = {"--listen": "127.0.0.1:0", "--rest": "127.0.0.1:0", "--metrics": "off"}
    flags = [word for pair in (free | {flag: "0.0.0.0:0"}).items() for word in pair]
    line = failed_start("--data", str(data), *flags)
    assert flag in line
    assert "--local-tokens" in line
    with running_service(data, flag, "0.0.0.0:0", "--local-tokens", "on", "--init") as service:
        assert "PERSONA_TOKEN" not in service.printed("export ")


@pytest.mark.parametrize("said", ["on", "off"])
def test_a_token_is_printed_only_when_nothing_is_configured(data: Path, said: str) -> None:
    with running_service(data, "--local-tokens", said, "--print-token") as service:
        assert "PERSONA_TOKEN" not in service.printed("export ")


def test_a_token_is_printed_to_a_terminal_or_when_asked(data: Path) -> None:
    with running_service(data, "--rest", "off") as service:
        assert "PERSONA_TOKEN" not in service.printed("export ")
        assert "--print-token" in service.printed("No token is printed")
    command = [str(PERSONA), "serve", "--data", str(data), "--listen", "127.0.0.1:0"]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*command, "--rest", "off", "--metrics", "off"], stdout=theirs, stderr=subprocess.DEVNULL
    ) as service_at_a_terminal:
        with os.fdopen(ours, errors="replace") as terminal:
            exports = next(line for line in terminal if line.startswith("export "))
        service_at_a_terminal.terminate()
    os.close(theirs)
    assert "PERSONA_TOKEN=ey" in exports


def test_what_is_printed_survives_a_shell(tmp_path: Path) -> None:
    with running_service(tmp_path / "my data", "--demo") as service:
        said = paste([service.printed("export "), 'echo "$PERSONA_DATA"'])
        assert said.strip() == str(tmp_path / "my data")


def test_the_printed_variables_are_not_taken_for_settings(data: Path) -> None:
    """A server that is started in the shell where the line was pasted must start."""
    with running_service(data, "--print-token") as service:
        words = service.printed("export ").split()[1:]
    pasted = dict(word.split("=", 1) for word in words if not word.startswith("PERSONA_DATA="))
    with running_service(data, env=pasted) as service:
        assert not [line for line in service.log if "variable" in line]


def file_in_the_way(data: Path) -> None:
    data.write_text("x")


def damaged(data: Path) -> None:
    data.mkdir()
    (data / "persona.sqlite3").write_bytes(b"this is no database" * 1000)


@pytest.mark.parametrize("spoil", [file_in_the_way, damaged])
def test_a_database_that_can_not_be_used_is_one_line(
    data: Path, spoil: Callable[[Path], None]
) -> None:
    spoil(data)
    free = ["--listen", "127.0.0.1:0", "--rest", "off", "--metrics", "off"]
    assert str(data) in failed_start("--data", str(data), *free)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_is_made_is_private_and_an_existing_folder_keeps_its_mode(data: Path) -> None:
    with running_service(data / "made", "--rest", "off"):
        assert mode(data / "made") == 0o700
        assert mode(data / "made" / "persona.sqlite3") == 0o600
    data.chmod(0o755)
    with running_service(data, "--rest", "off"):
        assert mode(data) == 0o755
        assert {mode(file) for file in data.glob("persona.sqlite3*")} == {0o600}


@pytest.mark.parametrize("program", ["/bin/echo", "/bin/false"])
def test_a_program_that_is_no_gateway_ends_the_start(data: Path, program: str) -> None:
    free = ["--listen", "127.0.0.1:0", "--metrics", "off", "--gateway-program", program]
    command = [str(PERSONA), "serve", "--data", str(data), *free]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_an_unknown_flag_is_refused_and_an_unknown_variable_named_once(data: Path) -> None:
    command = [str(PERSONA), "serve", "--data", str(data), "--lisen", "127.0.0.1:0"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--lisen" in done.stderr
    names = {"PERSONA_LISEN": "x", "PERSONA_TOKEN": "mine"}
    with running_service(data, env=names) as service:
        named = [line["variable"] for line in service.log if "variable" in line]
        assert named == ["PERSONA_LISEN"]


def test_a_token_can_be_made_without_a_server(data: Path) -> None:
    command = [str(PERSONA), "token", "--tenant", "acme", "--data", str(data)]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 1
    assert str(data) in refused.stderr
    assert "Name the folder of one, or make one there" in refused.stderr
    made = subprocess.run([*command, "--init"], capture_output=True, text=True, check=True)
    assert str(data) in made.stderr
    with running_service(data) as service:
        caller = service.connect(made.stdout.strip())
        assert not caller.projects.ListProjects(ListProjectsRequest()).projects
