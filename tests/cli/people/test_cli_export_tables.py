"""`persona export` as CSV and Parquet, read back by what others read them with."""

import csv
import io
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from cli.conftest import Cli, Place
from google.protobuf.timestamp_pb2 import Timestamp
from pyarrow import parquet

from persona_client import Persona, PersonaClient
from support.data import persona, rich_persona
from support.service import PERSONA

BORN = "2023-11-14T22:13:20.123456Z"


def csv_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def made(client: PersonaClient, place: Place) -> list[Persona]:
    return client.batch_create_personas(
        *place.ids,
        [
            rich_persona(external_id="row-1", digital_habits='Pays, "by Pix".\nNightly.\r\nOften.'),
            persona(full_name="李娜", attributes={"年齢": "34", "religion": "=1+1", "empty": ""}),
            persona(full_name="-x", created_at=Timestamp(seconds=0), attributes={" wide": "a"}),
        ],
    )


def test_csv_has_a_column_for_each_field_and_attribute(
    cli: Cli, place: Place, made: list[Persona], tmp_path: Path
) -> None:
    target = tmp_path / "people.CSV"
    done = cli.run("export", *place.options, "-o", target)
    assert (done.code, done.out, done.err) == (0, "", "Exported 3 personas.\n")
    text = target.read_bytes().decode()
    last, rich, plain = csv_of(text)
    fields = [field.name for field in Persona.DESCRIPTOR.fields if field.name != "attributes"]
    attributes = ["attributes.religion", "attributes.sixth_trait", "attributes.年齢", "attributes"]
    assert list(rich) == [*fields, *attributes]
    assert rich["digital_habits"] == 'Pays, "by Pix".\nNightly.\r\nOften.'
    assert rich["personality_traits"] == '["curious","careful","warm"]'
    assert [one["age"] for one in (rich, plain, last)] == ["34", "", ""]
    assert (rich["created_at"], last["created_at"]) == (BORN, "1970-01-01T00:00:00Z")
    assert [one["id"] for one in (rich, plain, last)] == [one.id for one in made]
    assert (plain["attributes.年齢"], plain["attributes.religion"]) == ("34", "=1+1")
    assert (plain["attributes"], last["attributes"]) == ('{"empty":""}', '{" wide":"a"}')
    printed = cli.run("export", *place.options, "--format", "csv").out
    assert printed == text.replace("\r\n", "\n")  # as the runner gives it


def test_for_excel_no_text_is_a_formula(cli: Cli, place: Place, made: list[Persona]) -> None:
    text = cli.run("export", *place.options, "--format", "csv", "--excel").out
    assert text.startswith("\ufeffid,")
    last, rich, plain = csv_of(text.removeprefix("\ufeff"))
    assert (plain["attributes.religion"], last["full_name"]) == ("'=1+1", "'-x")
    assert (rich["age"], rich["full_name"]) == ("34", "Maria Santos")
    done = cli.run("export", *place.options, "--excel", "-o", "people.parquet")
    assert (done.code, done.err.partition(":")[2]) == (
        2, " --excel is for CSV: add --format csv, or name a file that ends so.\n",
    )  # fmt: skip


def test_parquet_has_types_and_nulls(
    cli: Cli, place: Place, made: list[Persona], tmp_path: Path
) -> None:
    target = tmp_path / "people.parquet"
    assert cli.run("export", *place.options, "-o", target).code == 0
    table = parquet.read_table(target)
    types = {field.name: field.type for field in table.schema}
    assert types["age"] == pyarrow.int32()
    assert types["trusted_brands"] == pyarrow.list_(pyarrow.string())
    assert types["created_at"] == pyarrow.timestamp("us", "UTC")
    assert types["attributes.religion"] == pyarrow.string()
    last, rich, plain = table.to_pylist()
    assert (rich["age"], plain["age"], plain["gender"], plain["trusted_brands"]) == (
        34,
        *3 * [None],
    )
    assert rich["personality_traits"] == ["curious", "careful", "warm"]
    assert rich["created_at"] == datetime(2023, 11, 14, 22, 13, 20, 123456, UTC)
    assert (rich["attributes.年齢"], plain["attributes.年齢"]) == (None, "34")
    assert last["attributes"] == '{" wide":"a"}'


def test_parquet_goes_into_a_pipe(cli: Cli, place: Place, made: list[Persona]) -> None:
    command: list[str] = [str(PERSONA), "export", *place.options, "--format", "parquet"]
    done = subprocess.run(
        command, capture_output=True, check=True, env=os.environ | cli.environment
    )
    assert done.stderr == b"Exported 3 personas.\n"
    assert parquet.read_table(io.BytesIO(done.stdout))["full_name"].to_pylist() == [
        "-x", "Maria Santos", "李娜",
    ]  # fmt: skip


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_empty_group_is_a_table_without_rows(
    cli: Cli, place: Place, tmp_path: Path, form: str
) -> None:
    target = tmp_path / f"none.{form}"
    assert cli.run("export", *place.options, "-o", target).err == "Exported 0 personas.\n"
    names: list[Any] = (
        parquet.read_schema(target).names
        if form == "parquet"
        else next(csv.reader([target.read_text()]))
    )
    assert names[:4] == ["id", "project_id", "group_id", "full_name"]


def test_more_attributes_than_columns_are_one_object(
    cli: Cli, client: PersonaClient, place: Place
) -> None:
    names = [f"a{i:04}" for i in range(1100)]
    client.batch_create_personas(
        *place.ids,
        [persona(attributes=dict.fromkeys(names[i : i + 100], "x")) for i in range(0, 1100, 100)],
    )
    rows = csv_of(cli.run("export", *place.options, "--format", "csv").out)
    assert [name for name in rows[0] if name.startswith("attributes.")] == [
        f"attributes.{name}" for name in names[:1000]
    ]
    assert rows[9]["attributes"] == ""
    assert rows[10]["attributes"].startswith('{"a1000":"x"')


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_table_imports_again_equal(
    cli: Cli, client: PersonaClient, place: Place, made: list[Persona], tmp_path: Path, form: str
) -> None:
    target = tmp_path / f"people.{form}"
    cli.run("export", *place.options, "-o", target)
    client.delete_all_personas(*place.ids)
    done = cli.run("import", target, *place.options)
    assert (done.code, done.out) == (0, "3 imported, 0 refused.\n"), done.err
    found = {one.id: one for one in client.list_personas(*place.ids)}
    assert [found[one.id] for one in made] == made


def test_parquet_says_what_it_needs(cli: Cli, place: Place, tmp_path: Path) -> None:
    (tmp_path / "pyarrow.py").write_text("raise ImportError")
    command: list[str] = [str(PERSONA), "export", *place.options, "-o", f"{tmp_path}/a.parquet"]
    hidden = os.environ | cli.environment | {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, check=False, env=hidden, text=True)
    needs = "persona: Parquet needs: pip install 'persona-client[formats]'\n"
    assert (done.returncode, done.stderr) == (1, needs)
    assert not (tmp_path / "a.parquet").exists()
