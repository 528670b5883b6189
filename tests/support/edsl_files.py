"""Files as EDSL writes them: a list of agents, and the results of a survey that they answer.

A program of its own, run by the Python that has EDSL: python edsl_files.py FOLDER
"""

import json
import sys
from pathlib import Path
from typing import Any

from edsl import (
    Agent,
    AgentList,
    Model,
    QuestionCheckBox,
    QuestionFreeText,
    QuestionLinearScale,
    QuestionList,
    QuestionMultipleChoice,
    QuestionYesNo,
    Survey,
)

TRAITS = {
    "Mira Sandberg": {"age": 41, "occupation": "engineer", "income_level": "low", "pet": "cat"},
    "Bo Lind": {"age": 30, "occupation": "nurse", "income_level": "Upper-middle", "pet": "a, b"},
}
SAID = {
    "brand": "B, the big one", "likely": 4, "seen": ["TV", "Web"], "again": "Yes",
    "why": 'Because,\nit "lasts".', "words": ["x", "y, z"],
}  # fmt: skip


def answer(self: Any, question: Any, scenario: Any) -> Any:
    """Answer as every agent does, asking no model. EDSL wants these names."""
    return SAID[question.question_name]


def main(folder: Path) -> None:
    """Write both, in each of the forms that EDSL has."""
    agents = AgentList([Agent(name=name, traits=traits) for name, traits in TRAITS.items()])
    for agent in agents:
        agent.add_direct_question_answering_method(answer)
    survey = Survey(
        [
            QuestionMultipleChoice("brand", "Which brand?", ["A", "B, the big one"]),
            QuestionLinearScale("likely", "How likely?", [1, 2, 3, 4, 5]),
            QuestionCheckBox("seen", "Where seen?", ["TV", "Web", "Shop"]),
            QuestionYesNo("again", "Again?"),
            QuestionFreeText("why", "Why?"),
            QuestionList("words", "Which words?"),
        ]
    )
    results = (
        survey.by(agents)
        .by(Model("test"))
        .run(
            disable_remote_inference=True,
            disable_remote_cache=True,
            cache=False,
            progress_bar=False,
        )
    )
    for name, made in (("agents", agents), ("results", results)):
        (folder / f"{name}.json").write_text(json.dumps(made.to_dict()))
        made.to_jsonl(str(folder / f"{name}.jsonl"))
        made.to_csv(str(folder / f"{name}.csv"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
