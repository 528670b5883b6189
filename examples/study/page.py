"""What docs/study.md shows of the study: the story between two markers, and a picture beside it.

`python -m study.page` (`make story`) writes both anew; tests want no difference.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from persona_client import PersonaClient
from study.server import PERSONA, Access, temporary_service
from study.stage import Study
from study.story import tell

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/study.md"
PICTURE = ROOT / "docs/timeline.svg"

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
    command = [str(PERSONA), "library", "timeline", study.library[study.protagonist].id]
    environment = {"PERSONA_ADDRESS": access.address, "PERSONA_TOKEN": access.token}
    subprocess.run(
        [*command, "--question", "price_first", "--plot", str(target)],
        env=os.environ | environment,
        stdout=sys.stderr,
        check=True,
    )


def main() -> None:
    """Run the study, and write what it tells."""
    lines: list[str] = []
    with temporary_service() as access, PersonaClient(*access) as client:
        draw(access, tell(client, lines.append), PICTURE)
    PAGE.write_text(with_story(PAGE.read_text("utf-8"), as_text(lines)), "utf-8")


if __name__ == "__main__":
    main()
