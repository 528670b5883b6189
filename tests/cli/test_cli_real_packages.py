"""Files that real packages make, imported and exported, and what the packages then read."""

import os
import subprocess
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pandas
import pyarrow
import pytest
import yaml
from cli.conftest import Cli, Place
from pyarrow import parquet

from persona_client import PersonaClient

ROOT = Path(__file__).parents[2]
AGENTS = [
    ["Bo Lind", 30, "nurse", None, "a, b", "Upper-middle"],
    ["Mira Sandberg", 41, "engineer", "Low", "cat", None],
]
PEOPLE = [
    {"key": "0017", "full_name": "Jürgen Groß", "age": 47, "joined": None, "score": 1.5},
    {"key": "r-2", "full_name": "李 Wei", "age": None, "joined": "2026-03-01", "score": None},
]


@pytest.fixture(scope="session")
def edsl_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files that EDSL made, in an environment of its own."""
    folder = tmp_path_factory.mktemp("edsl")
    subprocess.run(
        # Without -P, modules beside the program would be taken for the standard library's.
        [ROOT / ".tools/edsl/bin/python", "-P", ROOT / "tests/support/edsl_files.py", folder],
        env=os.environ | {"HOME": str(folder)},  # where it keeps a cache
        check=True,
    )
    return folder


def exported(cli: Cli, target: Path, *options: str) -> Any:
    """Return the table of an export as pandas reads it."""
    done = cli.run(*options, "-o", target)
    assert done.code == 0, done.err
    readers: dict[str, Callable[..., Any]] = {
        ".parquet": pandas.read_parquet,
        ".csv": lambda path: pandas.read_csv(path, keep_default_na=False, na_values=[""]),
    }
    return readers[target.suffix](target)


def plain(rows: Iterable[Iterable[Any]]) -> list[list[Any]]:
    """Return cells as Python has them, None for what pandas says is missing."""
    return [[None if pandas.isna(cell) else cell for cell in row] for row in rows]


@pytest.mark.parametrize("ending", ["json", "jsonl", "csv"])
def test_agents_of_edsl_come_out_as_they_went_in(
    cli: Cli, place: Place, edsl_files: Path, ending: str, tmp_path: Path
) -> None:
    done = cli.run("import", edsl_files / f"agents.{ending}", *place.options)
    assert (done.code, done.out) == (0, "2 imported, 0 refused.\n")
    assert done.err.splitlines()[0].endswith("EDSL agents.")
    names = ["Bo Lind", "Mira Sandberg"] if ending != "csv" else ["nurse, 30", "engineer, 41"]
    for form in ("csv", "parquet"):
        table = exported(cli, tmp_path / f"out.{form}", "export", *place.options)
        table = table.sort_values("age")
        kept = ["full_name", "age", "occupation", "income_level"]
        kept += ["attributes.pet", "attributes.income_level"]
        expected = [[name, *agent[1:]] for name, agent in zip(names, AGENTS, strict=True)]
        assert plain(table[kept].to_numpy()) == expected
        keys = names if ending != "csv" else [None, None]  # its CSV leaves them out
        assert plain([table["external_id"]]) == [keys]


@pytest.mark.parametrize("ending", ["json", "jsonl", "csv"])
def test_results_of_edsl_are_joined_to_its_agents(
    cli: Cli, client: PersonaClient, place: Place, edsl_files: Path, ending: str, tmp_path: Path
) -> None:
    assert cli.run("import", edsl_files / "agents.jsonl", *place.options).code == 0
    simulation = str(uuid.uuid4())
    record = ("responses", "record", "-s", simulation, *place.options)
    done = cli.run(*record, edsl_files / f"results.{ending}")
    assert (done.code, done.out) == (0, "12 recorded, 0 refused.\n")
    found = {one.question_key: one for one in client.list_responses(simulation_id=simulation)}
    assert list(found["brand"].choice.options) == ["A", "B, the big one"]
    assert list(found["seen"].choices.options) == ["TV", "Web", "Shop"]
    assert (found["likely"].rating.min, found["likely"].rating.max) == (1, 5)
    assert {(one.model, one.question_text[-1]) for one in found.values()} == {("test", "?")}
    # Whatever file they are from, they are the same answers.
    others = [edsl_files / f"results.{other}" for other in ("json", "jsonl", "csv")]
    for other in others:
        assert cli.run(*record, other).out == "0 recorded, 12 were there already, 0 refused.\n"
    export = ("responses", "export", "--simulation", simulation, "--wide", "--personas")
    table = exported(cli, tmp_path / "out.parquet", *export).sort_values("persona.age")
    kept = ["persona.full_name", "persona.attributes.pet", "brand", "likely", "again", "why"]
    said = ["B, the big one", 4, "Yes", 'Because,\nit "lasts".']
    assert plain(table[kept].to_numpy()) == [
        ["Bo Lind", "a, b", *said],
        ["Mira Sandberg", "cat", *said],
    ]
    assert [list(cell) for cell in table["seen"]] == [["TV", "Web"]] * 2
    assert list(table["words"]) == ['["x","y, z"]'] * 2


def frame() -> Any:
    return pandas.DataFrame(PEOPLE)


MAKERS: dict[str, Callable[[Path], Any]] = {
    "pandas.csv": lambda path: frame().to_csv(path, index=False),
    "pandas.csv.gz": lambda path: frame().to_csv(path, index=False, compression="gzip"),
    "pandas.xlsx": lambda path: frame().to_excel(path, index=False, engine="openpyxl"),
    "pandas.parquet": lambda path: frame().to_parquet(path, engine="pyarrow"),
    "pandas.jsonl": lambda path: frame().to_json(path, orient="records", lines=True),
    "pandas.json": lambda path: frame().to_json(path, orient="records", indent=2),
    "pyarrow.parquet": lambda path: parquet.write_table(pyarrow.Table.from_pylist(PEOPLE), path),
    "yaml.yaml": lambda path: path.write_text(yaml.safe_dump(PEOPLE, allow_unicode=True)),
}


@pytest.mark.parametrize("name", MAKERS)
def test_a_table_of_each_kind_comes_out_as_it_went_in(
    cli: Cli, place: Place, name: str, tmp_path: Path
) -> None:
    source = tmp_path / name
    MAKERS[name](source)
    done = cli.run("import", source, *place.options, "--map", "external_id=key")
    assert (done.code, done.out) == (0, "2 imported, 0 refused.\n")
    for form in ("csv", "parquet"):
        table = exported(cli, tmp_path / f"out.{form}", "export", *place.options)
        table = table.sort_values("external_id").astype(object)
        kept = ["external_id", "full_name", "age", "attributes.joined", "attributes.score"]
        first, second = plain(table[kept].to_numpy())
        assert (first[:3], float(first[4])) == (["0017", "Jürgen Groß", 47], 1.5)
        assert second == ["r-2", "李 Wei", None, "2026-03-01", None]
        assert first[3] is None
