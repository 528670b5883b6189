"""Results of EDSL, as its CSV and its JSON have them."""

import csv
import io
import json
from typing import Any

import pytest
from cli.answers import jsonl
from files.answers import read, said

from persona_cli.files.json_lines import LineError

QUESTIONS: dict[str, dict[str, Any]] = {
    "brand": {"question_text": "Which?", "question_type": "multiple_choice",
              "question_options": ["A", "B, the big one"]},
    "likely": {"question_text": "How likely?", "question_type": "linear_scale",
               "question_options": [1, 2, 3, 4, 5]},
    "seen": {"question_text": "", "question_type": "checkbox", "question_options": ["TV", "Web"]},
    "why": {"question_text": "Why?", "question_type": "free_text", "question_options": None},
    "list": {"question_text": "", "question_type": "list", "question_options": None},
}  # fmt: skip
ANSWERS = {"brand": "A", "likely": 4, "seen": ["Web"], "why": "Because,\nit lasts.", "list": ["x"]}
RESULT = {
    "agent": {"name": "Mira 0", "traits": {"age": 20}},
    "scenario": {"scenario_index": 0},
    "model": {"model": "gpt-4o", "service_name": "openai"},
    "iteration": 0,
    "answer": ANSWERS,
    "question_to_attributes": QUESTIONS,
    "comments_dict": {"brand_comment": "I like A."},
}

HEADER = {"__header__": True, "edsl_class_name": "Results"}


def as_csv(*results: dict[str, Any]) -> str:
    """Return results in the columns that EDSL writes, whose lists are Python's."""
    rows = []
    for result in results:
        row = {"agent.agent_name": result["agent"]["name"], "model.model": "gpt-4o"}
        row["iteration.iteration"] = result["iteration"]
        for name, answer in result["answer"].items():
            row[f"answer.{name}"] = answer
            row[f"comment.{name}_comment"] = result["comments_dict"].get(f"{name}_comment")
            for part, value in QUESTIONS[name].items():
                row[f"{part}.{name}_{part}"] = value
        rows.append(row)
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        as_csv(RESULT),
        jsonl([HEADER, {"n_results": 1}, *({"question": i} for i in range(200)), RESULT]),
        json.dumps({"data": [RESULT], "survey": {}, "created_columns": []}, indent=1),
    ],
    ids=["CSV", "JSON lines", "JSON"],
)
def test_results_say_their_kinds_and_options(content: str) -> None:
    brand, likely, seen, why, listed = said(content)
    assert (brand.choice.value, list(brand.choice.options)) == ("A", ["A", "B, the big one"])
    assert (brand.question_text, brand.quote) == ("Which?", "I like A.")
    assert (likely.rating.value, likely.rating.min, likely.rating.max) == (4, 1, 5)
    assert (list(seen.choices.values), list(seen.choices.options)) == (["Web"], ["TV", "Web"])
    assert (why.text, why.quote) == ("Because,\nit lasts.", "")
    assert json.loads(listed.text.replace("'", '"')) == ["x"]
    for one in (brand, likely, seen, why, listed):
        assert (one.persona_external_id, one.model) == ("Mira 0", "gpt-4o")


def test_a_kind_that_is_no_text_is_none_of_those_that_are_known() -> None:
    row = {"agent.agent_name": "Mira 0", "answer.q": "a", "question_type.q_question_type": ["x"]}
    [found] = said(json.dumps([row]))
    assert (found.question_key, found.text) == ("q", "a")


def test_a_list_that_numpy_printed_is_one() -> None:
    both = RESULT | {"answer": {"seen": ["TV", "Web"]}}
    written = as_csv(both).replace("['TV', 'Web']", "['TV' 'Web']")
    [found] = said(written)
    assert (list(found.choices.values), list(found.choices.options)) == (["TV", "Web"],) * 2


def test_columns_that_name_no_options_are_texts() -> None:
    [found] = said("agent.agent_name,answer.used\nMira 0,\"['Phone', 'Shop']\"\n")
    assert (found.question_key, found.text) == ("used", "['Phone', 'Shop']")


def test_equal_answers_of_two_iterations_are_two() -> None:
    second = RESULT | {"iteration": 1}
    for content in (jsonl([RESULT, second]), as_csv(RESULT, second)):
        found = [item for _, item in read(content)]
        assert not any(isinstance(item, LineError) for item in found)
        assert len({item.response.id for item in found if not isinstance(item, LineError)}) == 10


def test_what_a_result_lacks_is_refused_or_skipped() -> None:
    nameless = RESULT | {"agent": {"traits": {}}}
    partly = RESULT | {"answer": {"brand": "C", "likely": None, "seen": "", "why": "x"}}
    found = read(jsonl([nameless, partly]))
    refused = [(n, str(i), i.count) for n, i in found if isinstance(i, LineError)]
    assert refused == [
        (1, "has no name of its agent, which is the external id of a persona", 5),
        (
            2,
            "brand: choice.value must be one of the options: got 'C', not 'A', 'B, the big one'",
            1,
        ),
    ]
    assert len(found) == 3
