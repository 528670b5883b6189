"""Write the tables of the docs anew from the code: settings, RPCs, reasons, errors of the database.

Each stands between `<!-- NAME:begin -->` and `<!-- NAME:end -->`. A test wants no difference.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path

from persona.v1 import errors_pb2
from persona_server.settings.config import SETTINGS, default_data
from persona_server.storage.engine.faults import FAULTS, Effect
from persona_server.transport.errors import CODES, internal
from persona_server.transport.methods import SERVICES, methods_of

ROOT = Path(__file__).parent.parent
GATEWAY = ROOT / "protos/persona/v1/gateway.yaml"
REST_ONLY = {
    "METHOD_NOT_ALLOWED": "405",
    "TOO_MANY_REQUESTS": "429",
    "UNREACHABLE": "503",
}


def paths() -> dict[str, str]:
    """Return the REST forms of each RPC that has any, such as "`GET /api/v1/projects`"."""
    found: dict[str, str] = {}
    for rule in GATEWAY.read_text().split("selector: ")[1:]:
        forms = re.findall(r"(get|post|patch|delete): (\S+)", rule)
        found[rule.split()[0]] = " or ".join(f"`{verb.upper()} {path}`" for verb, path in forms)
    return found


def rpcs() -> str:
    """Return the table of all RPCs."""
    rest = paths()
    lines = ["| RPC | REST | scopes |", "|---|---|---|"]
    for service in SERVICES:
        for method in methods_of(service):
            name = f"{method.service}.{method.name}"
            path = rest.get(name, "–")
            scopes = " + ".join(f"`{scope}`" for scope in method.scopes or ())
            lines.append(f"| {service.name}/**{method.name}** | {path} | {scopes} |")
    return "\n".join(lines)


def settings() -> str:
    """Return the table of all settings."""
    lines = ["| flag | variable | default | what |", "|---|---|---|---|"]
    for setting in SETTINGS:
        default = "`~/.local/share/persona`" if setting.default == default_data() else ""
        default = default or (f"`{setting.default}`" if setting.default else "unset")
        lines.append(f"| `{setting.flag}` | `{setting.variable}` | {default} | {setting.help} |")
    return "\n".join(lines)


def reasons() -> str:
    """Return the table of error reasons, with the meaning that errors.proto gives them."""
    text = (ROOT / "protos/persona/v1/errors.proto").read_text()
    entry = re.compile(r"((?:  //[^\n]*\n)+)  ERROR_REASON_(\w+) = \d+;")
    lines = ["| reason | code | HTTP | meaning |", "|---|---|---|---|"]
    for comment, name in entry.findall(text):
        if name == "UNSPECIFIED":
            continue
        words = " ".join(line.strip().removeprefix("//").strip() for line in comment.splitlines())
        meaning = words.partition(": ")[2]
        value = errors_pb2.ErrorReason.Value(f"ERROR_REASON_{name}")
        code = f"`{CODES[value].name}`" if value in CODES else "–"
        http = REST_ONLY.get(name) or _HTTP[CODES[value].name]
        lines.append(f"| `{name}` | {code} | {http} | {meaning[:1].upper() + meaning[1:]} |")
    return "\n".join(lines)


def faults() -> str:
    """Return the table of what the engines' errors mean."""
    head = "| kind | what | SQLite | PostgreSQL | code | reason | retry | health |"
    lines = [head, "|---|---|---|---|---|---|---|---|"]
    for fault in FAULTS:
        refusal = fault.refusal() if fault.refusal else internal("")
        cells = [
            f"`{fault.kind}`",
            fault.what,
            ", ".join(fault.sqlite) or "–",
            ", ".join(fault.postgresql) or "–",
            f"`{CODES[refusal.reason].name}`",
            f"`{refusal.reason_name}`",
            f"{refusal.retry_after:g} s" if refusal.retry_after else "–",
            "–" if fault.effect is Effect.NONE else fault.effect,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


_HTTP = {
    "NOT_FOUND": "404",
    "INVALID_ARGUMENT": "400",
    "ALREADY_EXISTS": "409",
    "OUT_OF_RANGE": "400",
    "FAILED_PRECONDITION": "400",
    "ABORTED": "409",
    "UNAUTHENTICATED": "401",
    "PERMISSION_DENIED": "403",
    "RESOURCE_EXHAUSTED": "429",
    "UNAVAILABLE": "503",
    "DEADLINE_EXCEEDED": "504",
    "INTERNAL": "500",
    "DATA_LOSS": "500",
}
TABLES: dict[str, tuple[str, Callable[[], str]]] = {
    "rpcs": ("docs/rpcs.md", rpcs),
    "settings": ("docs/configuration.md", settings),
    "reasons": ("docs/api.md", reasons),
    "faults": ("docs/operations.md", faults),
}


def updated(name: str) -> tuple[Path, str, str]:
    """Return the file of a table, its text as it is, and as it should be."""
    file, make = TABLES[name]
    text = (ROOT / file).read_text()
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    head, rest = text.split(begin)
    tail = rest.split(end)[1]
    return ROOT / file, text, f"{head}{begin}\n{make()}\n{end}{tail}"


def main() -> None:
    """Write what differs; with --check only say so and fail."""
    for name in TABLES:
        path, text, wanted = updated(name)
        if text == wanted:
            continue
        if "--check" in sys.argv:
            sys.exit(f"{path.relative_to(ROOT)}: table {name} is out of date; run `make generate`")
        path.write_text(wanted)


if __name__ == "__main__":
    main()
