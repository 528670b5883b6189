"""What the docs show of the study: the story in docs/study.md, and pictures.

`python -m study.page` (`make story`) writes all of it anew; tests want no difference.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from persona_client import PersonaClient
from study.panel import GROUP, PROJECT
from study.server import PERSONA, Access, temporary_service
from study.stage import Study
from study.story import tell

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGE = ROOT / "docs/study.md"
PICTURE = DOCS / "timeline.svg"
_PANEL = ("--project", PROJECT)
# Pictures of docs/measures.md, by their files: what draws each, while the first project is there.
PICTURES = {
    "reliabilities.svg": (
        *("reliabilities", *_PANEL, "--group", GROUP),
        *("--order-by", "lower_bound", "--limit", "36"),
    ),
    "summary.svg": ("summary", *_PANEL, "--group", GROUP, "--question", "shop_where"),
    "comparison.svg": (
        *("compare", *_PANEL, "--simulation", "Wave 1"),
        *("--other-simulation", "Wave 4", "--question", "price_first"),
    ),
}

_BEGIN, _END = "<!-- story:begin -->\n```text\n", "```\n<!-- story:end -->"


def as_text(lines: Sequence[str]) -> str:
    """Return printed lines as one text."""
    return "".join(f"{line}\n" for line in lines)


def story_of(page: str) -> str:
    """Return the story that a page tells."""
    return page.split(_BEGIN)[1].split(_END, maxsplit=1)[0]


def with_story(page: str, story: str) -> str:
    """Return a page that tells another story."""
    head, rest = page.split(_BEGIN)
    return f"{head}{_BEGIN}{story}{_END}{rest.split(_END)[1]}"


def draw(access: Access, study: Study, target: Path) -> None:
    """Draw the answers of one individual that has shifted, as anybody would by the command line."""
    individual = study.library[study.protagonist].id
    _draw(access, ("library", "timeline", individual, "--question", "price_first"), target)


def draw_measures(access: Access, folder: Path) -> None:
    """Draw what is measured of the first project into files of these names in a folder."""
    for name, command in PICTURES.items():
        _draw(access, command, folder / name)


def _draw(access: Access, command: Sequence[str], target: Path) -> None:
    environment = {"PERSONA_ADDRESS": access.address, "PERSONA_TOKEN": access.token}
    subprocess.run(
        [str(PERSONA), *command, "--plot", str(target)],
        env=os.environ | environment,
        stdout=sys.stderr,
        check=True,
    )


def main() -> None:
    """Run the study, and write what it tells and shows."""
    lines: list[str] = []
    with temporary_service() as access, PersonaClient(*access) as client:
        study = tell(client, lines.append, lambda: draw_measures(access, DOCS))
        draw(access, study, PICTURE)
    PAGE.write_text(with_story(PAGE.read_text("utf-8"), as_text(lines)), "utf-8")


if __name__ == "__main__":
    main()
