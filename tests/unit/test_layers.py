"""The rules of the house, read from the source: transport → services → storage, and no way back."""

import ast
from pathlib import Path

import pytest

import persona_server

ROOT = Path(persona_server.__file__).parent

ENGINES = {"peewee", "apsw", "playhouse", "sqlite3"}
GRPC = {"grpc", "grpc_status", "grpc_health", "grpc_reflection"}
# room → what no module in it may import
FORBIDDEN = {
    "services": ENGINES | GRPC | {"persona_server.transport", "persona_server.app"},
    "storage": GRPC | {"persona_server.transport", "persona_server.services", "persona_server.app"},
    "transport": ENGINES | {"persona_server.storage", "persona_server.app"},
    "measures": ENGINES | GRPC | {"persona_server"},
}
# What stays within the package beside its own modules.
ALLOWED = {"measures": {"persona_server.measures"}}


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
            raise AssertionError(f"{path}: an import that no test can read")
    return found


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def modules(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


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
    for room in ("services", "storage", "transport"):
        assert len(modules(room)) > 3


def test_what_all_rooms_share_knows_none_of_them() -> None:
    for name in ("errors.py", "logs.py", "metrics.py", "config.py"):
        for imported in imports_of(ROOT / name):
            assert not any(within(imported, package) for package in ENGINES | GRPC)
            assert not any(within(imported, f"persona_server.{room}") for room in FORBIDDEN)


def calls_in(path: Path) -> set[tuple[str, str]]:
    """Return (function that calls, attribute called) for every call of an attribute."""
    found = set()
    for function in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    found.add((function.name, node.func.attr))
    return found


def test_only_the_shield_aborts_a_call() -> None:
    """Setting a status and carrying on would still write; so there is one place for it."""
    calls = {
        (path.relative_to(ROOT).as_posix(), *call)
        for path in sorted(ROOT.rglob("*.py"))
        for call in calls_in(path)
    }
    ending = {"abort", "abort_with_status", "set_code", "set_details"}
    aborts = [(path, called) for path, _, called in calls if called in ending]
    assert aborts == [("transport/interceptors.py", "abort")]
