"""Settings from a file: beneath flags and variables, and read again on SIGHUP."""

import os
import signal
import threading
from pathlib import Path

import grpc
import pytest

from persona.v1.project_service_pb2 import ListProjectsRequest
from persona_server.settings.config import SETTINGS
from persona_server.settings.loading import SettingError, load
from support.service import Service, running_service
from support.waiting import eventually


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "persona.toml"


def settings(file: Path, text: str, **flags: str) -> object:
    file.write_text(text)
    return load({"config": str(file), **flags}, {})


def test_a_file_beats_the_defaults_and_nothing_else(file: Path) -> None:
    file.write_text('listen = "127.0.0.1:1"\ngrace = 3.5\ndemo = true\nquota_streams = 4\n')
    named = {"PERSONA_CONFIG": str(file)}
    found = load({}, named)
    assert (found.listen.port, found.grace, found.demo, found.quota_streams) == (1, 3.5, True, 4)
    assert found.log_level == "info"
    assert load({}, named | {"PERSONA_GRACE": "4"}).grace == 4.0
    assert load({"grace": "5"}, named | {"PERSONA_GRACE": "4"}).grace == 5.0
    assert load({"config": "", "grace": None}, named).grace == 10.0  # no file, after all


def test_every_setting_may_be_in_a_file(file: Path) -> None:
    lines = [f'{each.name} = "{each.default}"' for each in SETTINGS if each.name != "config"]
    file.write_text("\n".join(lines))
    assert load({"config": str(file)}, {}) == load({}, {}).__class__(
        **{**vars(load({}, {})), "config": file}
    )


def test_a_list_is_what_its_flag_has(file: Path) -> None:
    file.write_text(
        'gateway_options = ["--max-calls", "6 4"]\ntrusted_proxies = ["::1", "10.0.0.0/8"]\n'
    )
    found = load({"config": str(file)}, {})
    assert found.gateway_options == ("--max-calls", "6 4")
    assert found.trusted_proxies == "::1,10.0.0.0/8"


REFUSED = {
    "lisen = 1": "'lisen' (perhaps listen is meant)",
    "log-level = 'info'": "'log-level' (perhaps log_level is meant)",
    "zzz = 1": "'zzz'.",
    "config = 'x'": "'config'",
    "[listen]\nport = 1": "wants a text, a number",
    "grace = 'x'": "grace wants a number of seconds",
    "grace = -1": "grace wants a number of seconds",
    "grace": "is no TOML",
    'data = "a\\u0000b"': "has a zero byte in data",
    'gateway_options = ["--max-calls", "6\\u0000"]': "has a zero byte in gateway_options",
    'data = ["/srv/persona", "/srv/other"]': "wants a text, a number, true or false for data",
    "trusted_proxies = [1]": "or a list of texts for trusted_proxies",
    f"workers = '{'9' * 5000}'": "wants a whole number from 1 to 256",
}


def test_a_file_without_an_end_is_refused() -> None:
    with pytest.raises(SettingError, match="has more than 1024 KiB"):
        load({"config": "/dev/zero"}, {})


@pytest.mark.parametrize("text", REFUSED)
def test_what_can_not_be_is_refused_by_file_and_name(file: Path, text: str) -> None:
    with pytest.raises(SettingError) as refused:
        settings(file, text)
    assert str(refused.value).startswith(str(file))
    assert REFUSED[text] in str(refused.value)


def test_a_file_that_can_not_be_read_is_refused(file: Path) -> None:
    with pytest.raises(SettingError, match="can't be read: No such file"):
        load({"config": str(file)}, {})
    file.write_bytes(b"\xff")
    with pytest.raises(SettingError, match="is not UTF-8"):
        load({"config": str(file)}, {})


def test_a_file_in_a_home_that_there_is_not_is_refused() -> None:
    text = "~no-such-user/persona.toml"
    with pytest.raises(SettingError, match=r"--config wants a file, since .* no home; got"):
        load({"config": text}, {})
    with pytest.raises(SettingError, match="PERSONA_CONFIG wants a file"):
        load({}, {"PERSONA_CONFIG": text})


def messages(service: Service) -> list[str]:
    return [line["message"] for line in service.log]


def read_again(service: Service, message: str = "settings read again") -> dict[str, object]:
    """Ask for it, and return the line that says so."""
    before = messages(service).count(message)
    service.process.send_signal(signal.SIGHUP)
    eventually(lambda: messages(service).count(message) > before)
    return [line for line in service.log if line["message"] == message][-1]


def test_sighup_reads_what_may_change_and_kills_nobody(data: Path, file: Path) -> None:
    file.write_text("")
    with running_service(data, "--rest", "off", "--config", str(file)) as service:
        caller = service.connect()
        file.write_text("log_level = 'warning'\nmin_questions = 20\n")
        line = read_again(service)
        assert (line["changed"], line["waiting"]) == (["log_level"], ["min_questions"])
        file.write_text("log_level = 'loud'\n")
        assert "log_level wants" in str(read_again(service, "settings not read again")["reason"])
        file.write_text("min_questions = 20\n")
        assert read_again(service)["changed"] == ["log_level"]
        caller.projects.ListProjects(ListProjectsRequest())
        eventually(lambda: "call" in messages(service))
        file.write_text("log_level = 'warning'\nmin_questions = 20\n")
        read_again(service)
        caller.projects.ListProjects(ListProjectsRequest())
        assert service.stop() == 0  # and what was not written yet is
        assert messages(service).count("call") == 1


def test_a_pipe_is_read_once(data: Path, file: Path) -> None:
    """As a shell's <(…) is one. Who opens it again would wait, and no signal would end that."""
    os.mkfifo(file)
    writer = threading.Thread(target=file.write_text, args=("grace = 3\n",), daemon=True)
    writer.start()
    with running_service(data, "--rest", "off", "--config", str(file)) as service:
        writer.join()
        line = read_again(service, "settings not read again")
        assert line["reason"] == f"{file} is no file, and can't be read again."
        assert service.stop() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_quotas_are_read_again(data: Path, file: Path, workers: str) -> None:
    file.write_text("")
    flags = ["--rest", "off", "--config", str(file), "--workers", workers]
    with running_service(data, *flags) as service:
        caller = service.connect()
        caller.projects.ListProjects(ListProjectsRequest())
        file.write_text("quota_calls_per_second = 1\n")
        read_again(service)

        def refused() -> bool:
            try:
                caller.projects.ListProjects(ListProjectsRequest())
            except grpc.RpcError as error:
                return error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            return False

        eventually(refused)
