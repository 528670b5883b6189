"""Bytes of a file to answers, as `persona responses record` reads them."""

import tempfile
from pathlib import Path
from typing import Any

from persona_cli.files.answers.answer import SimulationResponse
from persona_cli.files.answers.answer_files import AnswerFiles, AnswerOptions
from persona_cli.files.inputs import InputFile
from persona_cli.files.json_lines import LineError

SIMULATION = "0190b5a4-0000-7000-8000-0000000000aa"


def read(content: str | bytes, **options: Any) -> list[tuple[int, SimulationResponse | LineError]]:
    """Return the answers of a file of this content by number, or why each is none."""
    options = {"simulation_id": SIMULATION} | options
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "answers")
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        with AnswerFiles([InputFile(str(path))], AnswerOptions(**options)) as answers:
            return list(answers.items(0, lambda _: None))


def said(content: str | bytes, **options: Any) -> list[Any]:
    """Return the responses of a file, and of what is none the text that says why."""
    return [
        str(item) if isinstance(item, LineError) else item.response
        for _, item in read(content, **options)
    ]
