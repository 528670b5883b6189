"""`make demo`: start a service, run the study on it, tell it, and stop the service.

Exits with 1 if anything is not as docs/study.md tells it.
"""

import sys

from persona_client import PersonaClient, PersonaError
from study.page import PAGE, as_text, story_of
from study.report import NotAsTold, expect
from study.server import StartError, temporary_service
from study.story import tell


def main() -> None:
    """Tell the study, and hold it against the page."""
    lines: list[str] = []

    def tell_line(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    try:
        with temporary_service() as access, PersonaClient(*access) as client:
            tell(client, tell_line)
        told = story_of(PAGE.read_text("utf-8"))
        expect(as_text(lines) == told, "The story of docs/study.md is another one.")
    except NotAsTold as error:
        sys.exit(f"Not as told: {error}")
    except (PersonaError, StartError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
