"""Start the service: settings, the demo, what a first run prints, and how a start fails."""

import contextlib
import os
import shlex
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

from persona_server.errors import ServiceError
from persona_server.identity.scopes import SCOPES
from persona_server.process import descriptors, memory, supervisor
from persona_server.process.certificates import CertificateError
from persona_server.process.gateway_process import GatewayError
from persona_server.process.signals import outlive_hangups
from persona_server.running.app import App
from persona_server.running.composing import Addresses, StartError
from persona_server.running.demo import TENANT, make_demo, newest_group
from persona_server.settings.config import Settings
from persona_server.settings.loading import SettingError, load, unknown_variables
from persona_server.storage.engine.database import shown
from persona_server.storage.engine.errors import DatabaseError, refusing_to_open
from persona_server.telemetry import logs
from persona_server.workers.parent import Workers

TOKEN_HOURS = 12
GRPCURL = "github.com/fullstorydev/grpcurl/cmd/grpcurl@v1.9.4"

_REFUSALS = (
    SettingError,
    CertificateError,
    DatabaseError,
    ServiceError,
    StartError,
    GatewayError,
)
_ROOTS = (
    "Where the system does not know the root of the certificate, name its file: "
    "PERSONA_TLS_CA=FILE for persona, -cacert FILE for grpcurl, --cacert FILE for curl."
)


def serve(flags: dict[str, str | None]) -> None:
    """Run the service until it is told to stop, and exit. `flags` is by setting name."""
    logs.take_over_stderr()
    outlive_hangups()
    app: App | Workers
    try:
        settings = load(flags, os.environ)
        logs.configure(settings.log_level)
        for name in unknown_variables(os.environ):
            logs.LOGGER.warning("unknown setting ignored", extra={"variable": name})
        with refusing_to_open(shown(settings.place)):
            limit = descriptors.raise_limit()  # by which a server knows how many it may let in
            app = App(settings) if settings.workers == 1 else Workers(settings)
            limit.tell()
            if settings.demo and app.store.created:
                app.metrics.written.inc(make_demo(app.projects, app.personas))
            addresses = app.start()
    except _REFUSALS as error:
        if str(error):
            print(f"persona serve: {error}", file=sys.stderr)
        _leave(1)
    except KeyboardInterrupt as interrupt:
        number = getattr(interrupt, "number", signal.SIGINT)
        print(f"persona serve: stopped by {signal.Signals(number).name}.", file=sys.stderr)
        _leave(128 + number)
    except Exception:  # noqa: BLE001 (a fault of ours, which must not leave half a service)
        logs.LOGGER.exception("the start failed")
        _leave(1)
    memory.set_apart()
    supervisor.tell(supervisor.READY)
    logs.print_out(banner(app, settings, addresses))
    code = app.run(lambda: load(flags, os.environ, again=True))
    sys.exit(code)


def _leave(code: int) -> NoReturn:
    """End a half-started service, whose threads would keep the interpreter alive."""
    logs.drain()
    os._exit(code)


def banner(app: App | Workers, settings: Settings, addresses: Addresses) -> str:
    """Return what a start prints: addresses, where things are, and lines to paste."""
    http = _http(settings)
    lines = [
        f"persona-service {version('persona-service')}",
        f"  gRPC     {addresses.grpc}{' by TLS' if settings.tls_cert else ''}",
        f"  REST     {http + addresses.rest if addresses.rest else 'off'}",
        f"  metrics  {f'{http}{addresses.metrics}/metrics' if addresses.metrics else 'off'}",
        f"  data     {app.store.database.place if settings.database else settings.data}",
        f"  command  {Path(sys.argv[0]).absolute()}",
        "",
    ]
    lines += _environment(app, settings, addresses)
    lines += _examples(app, settings, addresses)
    if settings.tls_cert:
        lines += [_ROOTS, ""]
    return "\n".join(lines)


def _http(settings: Settings) -> str:
    return "https://" if settings.tls_cert else "http://"


def _environment(app: App | Workers, settings: Settings, addresses: Addresses) -> list[str]:
    """Return the exports, with a token unless there is a reason to print none."""
    grpc = f"https://{addresses.grpc}" if settings.tls_cert else addresses.grpc
    values = {"PERSONA_ADDRESS": grpc}
    if settings.database:  # as far as it may be shown
        values["PERSONA_DATABASE"] = app.store.database.place
    else:
        values["PERSONA_DATA"] = str(settings.data)
    if addresses.rest:
        values["PERSONA_REST_URL"] = f"{_http(settings)}{addresses.rest}"
    if reason := _why_no_token(settings):
        return [f"No token is printed, {reason}.", "", _exports(values), ""]
    values["PERSONA_TOKEN"] = app.key.issue(TENANT, "first-run", SCOPES, TOKEN_HOURS * 3600)
    return [
        f"For another terminal (the token is of tenant {TENANT}, all scopes, {TOKEN_HOURS} hours):",
        "",
        _exports(values),
        "",
    ]


def _why_no_token(settings: Settings) -> str:
    """Return why no token is printed; "" if nothing is configured and it does not end in a log."""
    if settings.jwks_url:
        return "since tokens are an identity provider's"
    if settings.local_tokens is not None:
        return "since --local-tokens was said"
    if not (settings.print_token or os.isatty(logs.STDOUT)):
        return f"since this is no terminal: say --print-token, or persona token --tenant {TENANT}"
    return ""


def _exports(values: dict[str, str]) -> str:
    words = (f"{name}={shlex.quote(value)}" for name, value in values.items())
    return f"export {' '.join(words)}"


def _examples(app: App | Workers, settings: Settings, addresses: Addresses) -> list[str]:
    """Return a grpcurl line and a curl line for a group that exists, or how to make one."""
    header = '-H "authorization: Bearer $PERSONA_TOKEN"'
    group = None
    with contextlib.suppress(ServiceError):  # a damaged database, of which callers are told
        group = newest_group(app.projects)
    if group is None:
        persona = Path(sys.argv[0]).absolute()
        return [
            "There is no persona group in tenant local yet. Make one, or import into one:",
            "",
            f"{persona} import FILE.jsonl --project Trial --group all",
        ]
    body = f'{{"project_id": "{group.project_id}", "group_id": "{group.group_id}"}}'
    method = "persona.v1.PersonaService/ListPersonas"
    plain = "" if settings.tls_cert else "-plaintext "
    lines = [
        f"List personas over gRPC (to get grpcurl: go install {GRPCURL}):",
        "",
        f"grpcurl {plain}{header} -d '{body}' {addresses.grpc} {method}",
        "",
    ]
    if addresses.rest:
        path = f"/api/v1/projects/{group.project_id}/persona-groups/{group.group_id}/personas"
        url = f"{_http(settings)}{addresses.rest}{path}"
        lines += ["and over REST:", "", f"curl {header} {url}", ""]
    return lines
