"""The worked study from the files of a survey: the commands of its page, and the same figures."""

from collections import defaultdict
from pathlib import Path

from docs.test_readme import ROOT, environment, run_steps, steps

from persona_client import PersonaClient
from study.page import PAGE, story_of
from study.panel import row_of
from study.questions import all_items
from study.respondents import all_respondents
from support.service import Service


def test_survey_files_measure_what_the_study_does(service: Service, tmp_path: Path) -> None:
    shell = environment(service, "study", tmp_path / "state")
    transcript = steps("docs/study.md")
    assert len(transcript) >= 6
    run_steps(transcript, tmp_path, shell | {"PYTHONPATH": str(ROOT / "examples")})
    with PersonaClient(shell["PERSONA_ADDRESS"], shell["PERSONA_TOKEN"]) as client:
        [project] = client.list_projects()
        [group] = client.list_persona_groups(project.id)
        measured = {one.full_name: one for one in client.list_reliabilities(project.id, group.id)}
    by_manner = defaultdict(list)
    for respondent in all_respondents(all_items()):
        by_manner[respondent.manner].append(measured[respondent.persona.full_name])
    told = [line.split() for line in story_of(PAGE.read_text("utf-8")).splitlines()]
    for manner, found in by_manner.items():
        row = row_of(manner, found)
        assert " ".join(row).split() in told, row
