"""The files that the docs show, and that no command of theirs makes, are read as they say."""

import re
import shutil
from pathlib import Path

import pytest
from docs.test_readme import ROOT, Step, environment, run_steps
from monitoring.test_alerts import ALERTS, needs_promtool, promtool

from persona_client import Persona, PersonaClient, PersonaGroup, Project
from persona_server.settings import loading
from support.data import uid
from support.service import Service

PLACE = "--project Shown --group All"


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", (ROOT / page).read_text("utf-8"), re.M | re.S)


def test_settings_are_read(tmp_path: Path) -> None:
    (text,) = blocks("docs/configuration.md", "toml")
    path = tmp_path / "persona.toml"
    path.write_text(text)
    assert loading.load({"config": str(path)}, {}).retention == 604_800


@needs_promtool
def test_a_configuration_of_prometheus_is_good(tmp_path: Path) -> None:
    (text,) = blocks("docs/monitoring.md", "yaml")
    path = tmp_path / "prometheus.yml"
    path.write_text(text)
    shutil.copy(ALERTS, tmp_path)
    promtool("check", "config", path)


@pytest.fixture
def shell(service: Service, tmp_path: Path) -> dict[str, str]:
    """What a shell has, and in a tenant of its own the people that the files are of."""
    variables = environment(service, f"shown-{uid()[:8]}", tmp_path / "state")
    with PersonaClient(service.grpc, variables["PERSONA_TOKEN"]) as client:
        project = client.create_project(Project(name="Shown"))
        group = client.create_persona_group(project.id, PersonaGroup(name="All"))
        for number, name in enumerate(("respondent-7", "r-1")):
            made = Persona(full_name="Ada", external_id=name)
            variables[f"ID_{number}"] = client.create_persona(project.id, group.id, made).id
    return variables


def test_reference_answers_are_recorded(shell: dict[str, str], tmp_path: Path) -> None:
    text, _ = blocks("docs/command-line.md", "json")
    (tmp_path / "people.jsonl").write_text(text)
    record = f"persona fidelity {PLACE} --references people.jsonl"
    run_steps([Step(record, "…Recorded 2 of 2;…")], tmp_path, shell)


def test_answers_are_compared_with_targets(shell: dict[str, str], tmp_path: Path) -> None:
    _, targets = blocks("docs/command-line.md", "json")
    answers = f"""persona_id,question_key,kind,value,options,min,max
{shell["ID_0"]},nps,rating,4,,1,5
{shell["ID_0"]},brews,choice,at home,at home|elsewhere,,
"""
    (tmp_path / "answers.csv").write_text(answers)
    (tmp_path / "targets.jsonl").write_text(targets)
    record = f"persona responses record answers.csv --simulation {uid()} 2> /dev/null"
    compare = "persona compare --project Shown --targets targets.jsonl"
    transcript = [Step(record, "2 recorded, 0 refused."), Step(compare, "…nps…exact…brews…1200…")]
    run_steps(transcript, tmp_path, shell)


def test_answers_are_recorded(shell: dict[str, str], tmp_path: Path) -> None:
    (labels,) = blocks("docs/files.md", "toml")
    rows, table = blocks("docs/files.md", "csv")
    persona = "0190b5a4-0000-7000-8000-00000000000a"
    for name, text in {
        "rows.csv": rows.replace(persona, shell["ID_0"]),
        "labels.toml": f'respondent = "respondent"\n{labels}',
        "labelled.csv": "respondent,sex,recommend\nr-1,1 - Male,9\n",
        "table.csv": table,
        "tabled.csv": "respondent,Q1,Q2,Q4\nr-1,4,TV|Web,9\n",
    }.items():
        (tmp_path / name).write_text(text)
    wide = f"{PLACE} --simulation {uid()}"
    recorded = {
        "rows.csv": "2 recorded, 0 refused.",
        f"labelled.csv --codebook labels.toml {wide}": "2 recorded, 0 refused.",
        f"tabled.csv --codebook table.csv {wide}": "3 recorded, 0 refused.",
    }
    transcript = [
        Step(f"persona responses record {words} 2> /dev/null", said)
        for words, said in recorded.items()
    ]
    run_steps(transcript, tmp_path, shell)
