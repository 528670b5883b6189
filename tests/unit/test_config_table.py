"""The settings table: flags over environment over defaults, and nothing that is not in it."""

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from persona_server.measures.individual.policy import Policy
from persona_server.running.composing import policy_of
from persona_server.settings import config
from persona_server.settings.config import SETTINGS, Settings
from persona_server.settings.loading import SettingError, load, unknown_variables
from persona_server.settings.values import Address

NAMES = [setting.name for setting in SETTINGS]
# setting → (a default's value, texts that it takes and their values, texts that it refuses)
CASES: dict[str, tuple[object, dict[str, object], list[str]]] = {
    "config": (None, {"": None}, []),
    "data": (None, {"/var/lib/x": Path("/var/lib/x"), "x": Path("x").absolute()}, [""]),
    "database": (
        "",
        {
            "postgresql://u@h:1/d": "postgresql://u@h:1/d",
            "postgres:///d?host=/run": "postgres:///d?host=/run",
        },
        ["sqlite:///x", "u@h/d", "/var/lib/x"],
    ),
    "pooler": (False, {"on": True, "off": False}, ["maybe"]),
    "read_database": ("", {"postgresql://u@h:1/d": "postgresql://u@h:1/d"}, ["/var/lib/x"]),
    "listen": (
        Address("127.0.0.1", 50051),
        {"[::1]:1": Address("::1", 1), "localhost:0": Address("localhost", 0)},
        ["", "127.0.0.1", ":1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1", "::1:5", "off"],
    ),
    "rest": (Address("127.0.0.1", 8080), {"off": None}, ["", "OFF", "127.0.0.1"]),
    "metrics": (Address("127.0.0.1", 9464), {"off": None}, ["", "on"]),
    "tracing": (False, {"on": True}, ["otlp"]),
    "metrics_tenants": (0, {"20": 20, "1000": 1000}, ["-1", "1001", "all"]),
    "tls_cert": (None, {"/etc/x.pem": Path("/etc/x.pem"), "": None}, []),
    "tls_key": (None, {"x.pem": Path("x.pem").absolute()}, []),
    "tls_client_ca": (None, {"/etc/x.pem": Path("/etc/x.pem")}, []),
    "demo": (False, {"on": True, "off": False, "1": True, "True": True, "": False}, ["maybe"]),
    "init": (False, {"on": True}, ["maybe"]),
    "local_tokens": (None, {"on": True, "off": False, "yes": True}, ["maybe"]),
    "jwks_url": (
        "",
        {
            "https://id.example.org/keys?v=1": "https://id.example.org/keys?v=1",
            "http://127.0.0.1:8081/keys": "http://127.0.0.1:8081/keys",
            "http://[::1]/keys": "http://[::1]/keys",
            "http://localhost/keys": "http://localhost/keys",
        },
        [
            "http://id.example.org/keys",
            "http://10.0.0.1/keys",
            "http://127.0.0.1.example.org/keys",
            "ftp://127.0.0.1/keys",
            "file:///etc/keys",
            "https://",
            "https://me:secret@id.example.org/keys",
            "https://id.example.org:port/keys",
            "https://id.example.org/a b",
            "keys",
        ],
    ),
    "jwks_issuer": ("", {"https://id.example.org/": "https://id.example.org/"}, []),
    "jwks_audience": ("", {"persona": "persona"}, []),
    "jwks_tenant_claim": ("tenant", {"https://x.example/org": "https://x.example/org"}, ["", "\n"]),
    "jwks_scope_claim": ("scope", {"scp": "scp"}, [""]),
    "jwks_refresh": (30.0, {"1": 1.0}, ["0.5", "3601", "x"]),
    "jwks_keep": (86_400.0, {"1": 1.0}, ["0", "2592001"]),
    "print_token": (False, {"on": True}, ["2"]),
    "open_reflection": (False, {"on": True}, ["2"]),
    "public_grpcio": (False, {"on": True}, ["2"]),
    "gateway_program": ("", {"/bin/x": "/bin/x"}, []),
    "trusted_proxies": (
        "",
        {"10.0.0.0/8, ::1": "10.0.0.0/8, ::1"},
        ["10.0.0.0/33", "proxy", "10.0.0.0/8;::1"],
    ),
    "cors_origin": (
        (),
        {
            "https://a.example": ("https://a.example",),
            "http://localhost:3000, HTTPS://[::1]": ("http://localhost:3000", "https://[::1]"),
            "tauri://localhost": ("tauri://localhost",),
        },
        [*("*", "null", "https://*.example", "a.example", "https://a.example/"), "https://a,"],
    ),
    "gateway_options": (
        (),
        {"--max-calls=64 --max-exports 4": ("--max-calls=64", "--max-exports", "4")},
        ["max-calls=64", '--x "'],
    ),
    "retention": (
        30.0 * 86_400,
        {"60": 60.0, "90.5": 90.5},
        ["59.9", "0", "-1", "nan", "inf", "1d", ""],
    ),
    "promotion": (False, {"automatic": True, "manual": False}, ["", "on", "Automatic"]),
    "min_simulations": (3, {"2": 2, "4": 4}, ["1", "-1", "2.5", "x", ""]),
    "min_questions": (15, {"1": 1}, ["0"]),
    "min_attainable": (0.7, {"0": 0.0, "1": 1.0, "0.65": 0.65}, ["-0.1", "1.1", "nan", ""]),
    "min_lower_bound": (0.7, {"0.5": 0.5}, ["2", "x"]),
    "max_straight_lining": (0.4, {"0.1": 0.1}, ["-1", "inf"]),
    "max_acquiescence": (0.45, {"1": 1.0}, ["-0.1", "1.1"]),
    "max_first_option": (0.35, {"0": 0.0}, ["2", "x"]),
    "min_noise_differences": (10, {"1": 1}, ["0"]),
    "min_noise_individuals": (5, {"1": 1}, ["0"]),
    "max_trend_points": (60, {"5": 5, "200": 200}, ["4", "201"]),
    "workers": (1, {"2": 2, "256": 256}, ["0", "257", "-1", "two", ""]),
    "quota_calls_per_second": (10_000, {"1": 1}, ["0", "-1", "1.5", ""]),
    "quota_bytes_per_second": (1 << 30, {"1": 1}, ["0"]),
    "quota_concurrent_calls": (2500, {"1": 1}, ["0"]),
    "quota_streams": (8, {"1": 1}, ["0"]),
    "quota_stored_bytes": (1 << 40, {"1000000000000000": 10**15}, ["0", "1000000000000001"]),
    "page_cache_bytes": (0, {"0": 0, "1099511627776": 1 << 40}, ["-1", "1099511627777"]),
    "stream_idle_seconds": (30.0, {"1": 1.0, "3600": 3600.0}, ["0.9", "3601", "nan", ""]),
    "grace": (10.0, {"0": 0.0, "600": 600.0}, ["-0.1", "601", "nan", "x"]),
    "log_level": ("info", {"debug": "debug", "error": "error"}, ["INFO", "trace", ""]),
}


# What is set together or not at all.
PROVIDER: dict[str, str | None] = {
    "jwks_url": "https://id.example.org/keys",
    "jwks_issuer": "https://id.example.org",
    "jwks_audience": "persona",
}


# Settings of a database of PostgreSQL alone, with a value of each.
OF_POSTGRESQL = {"pooler": "on", "read_database": "postgresql://u@h/d"}


def beside(name: str) -> dict[str, str | None]:
    """Return the flags that a setting needs beside it."""
    if name in OF_POSTGRESQL:
        return {"database": "postgresql://h/d"}
    return {n: text for n, text in PROVIDER.items() if n != name} if name in PROVIDER else {}


def value(settings: Settings, name: str) -> object:
    return getattr(settings, name)


def test_every_setting_is_tested() -> None:
    assert set(CASES) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_default(name: str) -> None:
    default = CASES[name][0]
    if default is None and name == "data":
        default = Path(config.default_data()).expanduser().absolute()
    assert value(load({}, {}), name) == default


def test_the_limits_are_those_of_the_measures() -> None:
    assert policy_of(load({}, {})) == Policy()
    assert policy_of(load({"min_lower_bound": "0.5"}, {})) == Policy(min_lower_bound=0.5)


@pytest.mark.parametrize("name", NAMES)
def test_a_value_never_changes(name: str) -> None:
    settings = load({}, {})
    with pytest.raises(FrozenInstanceError):
        setattr(settings, name, value(settings, name))


TAKEN = [(name, text, got) for name, case in CASES.items() for text, got in case[1].items()]
REFUSED = [(name, text) for name, case in CASES.items() for text in case[2]]


@pytest.mark.parametrize(("name", "text", "got"), TAKEN)
def test_a_flag_beats_a_variable_which_beats_the_default(name: str, text: str, got: object) -> None:
    (setting,) = [s for s in SETTINGS if s.name == name]
    rest = beside(name)
    assert value(load(rest, {setting.variable: text}), name) == got
    assert value(load({name: text} | rest, {}), name) == got
    other = {"data": "/elsewhere", "gateway_program": "/other"}.get(name, setting.default)
    assert value(load({name: text} | rest, {setting.variable: other}), name) == got
    assert value(load({name: None} | rest, {setting.variable: text}), name) == got


@pytest.mark.parametrize(("name", "text"), REFUSED)
def test_a_bad_value_is_refused_by_the_name_it_came_under(name: str, text: str) -> None:
    (setting,) = [s for s in SETTINGS if s.name == name]
    with pytest.raises(SettingError) as refused:
        load({name: text}, {})
    assert str(refused.value).startswith(f"{setting.flag} ")
    with pytest.raises(SettingError) as refused:
        load({}, {setting.variable: text})
    assert str(refused.value).startswith(f"{setting.variable} ")


@pytest.mark.parametrize(("name", "text"), OF_POSTGRESQL.items())
def test_what_is_of_postgresql_wants_a_database_of_it(name: str, text: str) -> None:
    with pytest.raises(SettingError, match="name it with --database"):
        load({name: text}, {})


@pytest.mark.parametrize("missing", PROVIDER)
def test_an_identity_provider_is_named_whole(missing: str) -> None:
    with pytest.raises(SettingError, match="--jwks-issuer"):
        load(beside(missing), {})


def test_off_loopback_it_must_be_said_whose_tokens_are_taken() -> None:
    open_ = {"listen": "0.0.0.0:50051"}
    with pytest.raises(SettingError, match="--local-tokens"):
        load(open_, {})
    assert load(open_ | PROVIDER, {}).local_tokens is None
    assert load(open_ | {"local_tokens": "off"}, {}).local_tokens is False


def test_names_of_flags_and_variables() -> None:
    for setting in SETTINGS:
        assert setting.flag == "--" + setting.name.replace("_", "-")
        assert setting.variable == "PERSONA_" + setting.name.upper()
        assert setting.help.endswith(".")
    switches = {"demo", "init", "print_token", "open_reflection", "public_grpcio", "tracing"}
    switches |= {"pooler"}
    assert {s.name for s in SETTINGS if s.is_switch} == switches


def test_unknown_variables_are_found_and_the_clients_are_not() -> None:
    environment = {
        "PERSONA_LISTEN": "x",
        "PERSONA_LISTNE": "x",
        "PERSONA_ADDRESS": "x",
        "PERSONA_TOKEN": "x",
        "PERSONAL": "x",
        "PATH": "x",
        "PERSONA_": "x",
    }
    assert unknown_variables(environment) == ["PERSONA_", "PERSONA_LISTNE"]


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("localhost", True),
        ("::1", True),
        ("0.0.0.0", False),  # noqa: S104 (what must not pass for loopback)
        ("::", False),
        ("10.0.0.1", False),
        ("127.example.org", False),
        ("localhost.example.org", False),
    ],
)
def test_loopback(host: str, loopback: bool) -> None:
    assert Address(host, 1).is_loopback is loopback


def test_off_loopback_local_tokens_must_be_said() -> None:
    with pytest.raises(SettingError, match="--local-tokens"):
        load({"listen": "0.0.0.0:1"}, {})
    for said in ("on", "off"):
        assert load({"listen": "0.0.0.0:1", "local_tokens": said}, {}).listen.port == 1


def test_address_is_written_as_it_is_read() -> None:
    for text in ("127.0.0.1:5", "[::1]:5", "host:0"):
        assert str(load({"rest": text, "local_tokens": "on"}, {}).rest) == text


def test_data_folder_follows_xdg(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/somewhere")
    assert config.default_data() == "/somewhere/persona"
    monkeypatch.delenv("XDG_DATA_HOME")
    assert config.default_data() == "~/.local/share/persona"
