"""The rules of the house, read from the source: transport → services → storage, and no way back."""

import ast
import subprocess
import sys
from pathlib import Path
from sys import stdlib_module_names

import pytest

import persona_server

ROOT = Path(persona_server.__file__).parent

DRIVERS = {"apsw", "playhouse", "psycopg", "sqlite3"}
ENGINES = DRIVERS | {"peewee"}
GRPC = {"grpc", "grpc_status", "grpc_health", "grpc_reflection"}
SHARED = ("errors.py", "settings/config.py", "settings/values.py")  # and telemetry/
# room → what no module in it may import
FORBIDDEN = {
    "services": ENGINES | GRPC | {"persona_server.transport", "persona_server.running"},
    "storage": GRPC
    | {"persona_server.transport", "persona_server.services", "persona_server.running"},
    "transport": ENGINES | {"persona_server.storage", "persona_server.running"},
    "measures": ENGINES | GRPC | {"persona_server"},
    "validation": ENGINES | GRPC | {"persona_server"},
}
# What of a forbidden package a room may import all the same: itself, and what both remember with.
ALLOWED = {
    "measures": {"persona_server.measures", "persona_server.validation.remembering"},
    "validation": {"persona_server.validation"},
}


def imports_of(path: Path) -> set[str]:
    """Return the dotted names that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a module stands"
            assert node.module is not None
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            found.add(package_of(node.args[0], path))
    return found


def package_of(name: ast.expr, path: Path) -> str:
    """Return the package within which a module is imported by a name that is computed."""
    start = name.values[0] if isinstance(name, ast.JoinedStr) else None
    text = start.value if isinstance(start, ast.Constant) else ""
    assert isinstance(text, str), path
    assert text.endswith("."), f"{path}: an import that no test can read"
    return text.removesuffix(".")


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def modules(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


def shared() -> list[Path]:
    return [*(ROOT / name for name in SHARED), *modules("telemetry")]


def importers(packages: set[str], rooms: list[Path]) -> set[str]:
    """Return the modules, by their path, that import one of these packages."""
    return {
        path.relative_to(ROOT).as_posix()
        for path in rooms
        for name in imports_of(path)
        if any(within(name, package) for package in packages)
    }


def outside(room: str) -> list[Path]:
    return sorted(set(ROOT.rglob("*.py")) - set(modules(room)))


def test_only_the_engine_knows_the_driver() -> None:
    """Repositories build their statements with peewee; what runs them is the engine's alone."""
    assert not importers(DRIVERS, outside("storage/engine"))
    assert importers(DRIVERS, modules("storage/engine"))
    assert not importers({"peewee"}, outside("storage"))


def test_only_what_is_derived_knows_the_measures() -> None:
    measures = {"persona_server.measures"}
    rest = [path for path in modules("storage") if path not in modules("storage/derived")]
    assert not importers(measures, rest)
    assert importers(measures, modules("storage/derived"))


def test_migrations_import_no_living_code() -> None:
    """They are history: what they once did must not change with the code of today."""
    migrations = sorted((ROOT / "storage/migrations").glob("[0-9]*.py"))
    assert len(migrations) >= 4
    imported = {name.partition(".")[0] for path in migrations for name in imports_of(path)}
    assert imported <= stdlib_module_names | {"peewee"}


@pytest.mark.parametrize("room", FORBIDDEN)
def test_room_imports_nothing_that_it_must_not_know(room: str) -> None:
    allowed = ALLOWED.get(room, set())
    wrong = {
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules(room)
        for name in imports_of(path)
        if any(within(name, package) for package in FORBIDDEN[room])
        and not any(within(name, package) for package in allowed)
    }
    assert not wrong


def test_rooms_are_where_the_test_looks() -> None:
    for room in FORBIDDEN:
        assert len(modules(room)) > 3


def test_what_all_rooms_share_knows_none_of_them() -> None:
    rooms = [f"persona_server.{room}" for room in FORBIDDEN if room != "validation"]
    for path in shared():
        for imported in imports_of(path):
            assert not any(within(imported, package) for package in ENGINES | GRPC)
            assert not any(within(imported, room) for room in rooms)


_IMPORT_ALONE = """
import importlib, sys

sys.modules.update(dict.fromkeys(("grpc", "peewee", "apsw", "playhouse", "sqlite3")))
for name in sys.argv[1:]:
    importlib.import_module(name)
print(*sorted(name for name in sys.modules if name.startswith("persona_server")))
"""


def test_validation_can_be_imported_without_the_server() -> None:
    """As the command line does where neither the server nor its dependencies are installed."""
    files = [path.relative_to(ROOT.parent).with_suffix("") for path in modules("validation")]
    names = {".".join(path.parts).removesuffix(".__init__") for path in files}
    assert len(names) > 5
    command = [sys.executable, "-c", _IMPORT_ALONE, *sorted(names)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) == {"persona_server", *names}


def calls_in(path: Path) -> set[tuple[str, str]]:
    """Return (function that calls, attribute called) for every call of an attribute."""
    found = set()
    for function in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    found.add((function.name, node.func.attr))
    return found


def test_calls_are_aborted_in_one_place() -> None:
    """Setting a status and carrying on would still write; so there is one place for it."""
    calls = {
        (path.relative_to(ROOT).as_posix(), *call)
        for path in sorted(ROOT.rglob("*.py"))
        if path not in shared()  # which know no gRPC: what they abort is no call
        for call in calls_in(path)
    }
    ending = {"abort", "abort_with_status", "set_code", "set_details"}
    aborts = [(path, called) for path, _, called in calls if called in ending]
    # It ends a call by `abort`, or later by the other two.
    place = "transport/entrance/refusals.py"
    assert sorted(aborts) == [(place, one) for one in ("abort", "set_code", "set_details")]
