"""Where a database is, as people are told: no part of a password, whatever is wrong with it."""

import pytest
import typer

from persona_server.commands.places import database_place, named_place
from persona_server.settings.loading import SettingError, load
from persona_server.storage.engine.database import shown
from persona_server.storage.engine.errors import DatabaseError
from persona_server.storage.store import open_store


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("postgresql://u@h:1/d", "postgresql://u@h:1/d"),
        ("postgres:///d?host=/run", "postgres:///d"),
        ("postgresql://h/d?user=u&password=secret", "postgresql://h/d"),
        ("postgresql://u:secret@h:1/d?sslmode=require", "postgresql://u@h:1/d"),
        ("postgresql://u:sec?ret@h/d", "postgresql://u@h/d"),
        ("postgresql://u:sec/ret@h/d", "postgresql://u@…"),
        ("postgresql://u:sec@ret@h/d", "postgresql://u@…"),
        ("postgresql://u:12@sec/ret@h/d", "postgresql://u@…"),
        ("postgresql://u:secret@h/d?password=sec@ret", "postgresql://u@…"),
        ("postgresql://h/d?password=sec@ret", "postgresql://h@…"),
    ],
)
def test_a_url_is_shown_without_any_of_its_password(url: str, told: str) -> None:
    assert shown(url) == told


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:sec%ret@127.0.0.1/d",
        "postgresql://u:pw@127.0.0.1:secret/d",
        "postgresql://127.0.0.1:secret/ret@127.0.0.1/d",
        "postgresql://u:pw@secret@127.0.0.1/d",
        "postgresql://u:pw/x?secret@127.0.0.1/d",
    ],
)
def test_a_url_that_can_not_be_read_is_not_quoted(url: str) -> None:
    with pytest.raises(DatabaseError, match="A port is a number, what follows") as refused:
        open_store(url)
    assert "secret" not in str(refused.value)
    assert "sec%" not in str(refused.value)


SLIPS = {
    "postgresql+psycopg://u:secret@h/d": "got postgresql+psycopg://….",
    "host=h password=secret": "got something else.",
    "u:secret@h/d": "got something else.",
}


@pytest.mark.parametrize("text", SLIPS)
def test_a_slip_in_the_setting_is_not_repeated(text: str) -> None:
    for flags, variables in (({"database": text}, {}), ({}, {"PERSONA_DATABASE": text})):
        with pytest.raises(SettingError) as refused:
            load(flags, variables)
        assert str(refused.value).endswith(SLIPS[text])
        assert "secret" not in str(refused.value)


@pytest.mark.parametrize("text", SLIPS)
def test_a_slip_in_a_command_is_not_repeated(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        database_place("", text)
    assert capsys.readouterr().err.endswith(f"{SLIPS[text]}\n")


def test_nor_is_one_in_a_copy(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit):
        named_place("--to", "mysql://u:secret@h/d")
    assert capsys.readouterr().err.endswith("got mysql://….\n")
