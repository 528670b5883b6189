"""What a shell completes: commands, those below them, and options."""

import pytest
from cli.conftest import Cli


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("persona proj", {"projects"}),
        ("persona projects ", {"list", "create", "show", "rename", "delete"}),
        ("persona groups re", {"rename"}),
        ("persona responses ", {"record", "correct", "list", "show", "void", "export"}),
        ("persona library m", {"match"}),
        ("persona projects create --desc", {"--description"}),
    ],
)
def test_commands_are_completed_at_every_depth(cli: Cli, typed: str, wanted: set[str]) -> None:
    words = typed.split(" ")
    done = cli.shell(
        "persona",
        COMP_WORDS=typed,
        COMP_CWORD=f"{len(words) - 1}",
        _PERSONA_COMPLETE="complete_bash",
    )
    assert (set(done.out.split()), done.err) == (wanted, "")
