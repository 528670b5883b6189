"""Chapters 1 and 2: four waves are recorded, and everybody's reliability is measured."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from statistics import fmean

from persona.v1.measures_pb2 import PersonaReliability, Reliability, ReliabilityStatus
from persona_client import PersonaGroup, Project, Response, Simulation
from study.people import client_id
from study.report import expect, number
from study.respondents import TRUE_C, Manner, Respondent
from study.stage import BETWEEN_WAVES, FIRST_WAVE, Place, Study

PROJECT, GROUP = "Grocery panel", "Shoppers"

_MANNERS = {
    Manner.STEADY: "keeps to what it thinks, but for a lapse now and then",
    Manner.SHIFTING: "steady, but prices weigh more on it from wave to wave",
    Manner.WAVERING: "keeps to what it thinks three times in four",
    Manner.RANDOM: "answers as anybody might",
    Manner.CONTRADICTORY: "says the contrary in every other wave, in half of the questions",
    Manner.LATE: "steady, but there since the third wave only",
}


def record_four_waves(study: Study) -> None:
    """Make the project, import the consumers, and record what they answer in four waves."""
    respondents = study.respondents.values()
    place = make_place(study, PROJECT, PersonaGroup(name=GROUP, age_min=18))
    imported = study.client.import_personas(
        place.project_id,
        place.group_id,
        [[r.persona for r in respondents]],
        client_id("import", PROJECT),
    )
    study.report.chapter("1. Four waves")
    study.report.say(
        f'{imported.persona_count} invented consumers are imported into the group "{GROUP}" of the '
        f'project "{PROJECT}". Every 30 days they are asked the same {len(study.items)} questions: '
        "choices, ratings, sentiments, sets, and texts with themes."
    )
    rows = []
    for wave in range(4):
        present = [r for r in respondents if wave in r.waves]
        recorded = record(study, wave, {r.persona.id: r for r in present})
        rows.append([str(wave + 1), day(wave), str(len(present)), number(recorded, 0)])
    study.report.table([">wave", "day", ">consumers", ">answers recorded"], rows)


def measure_everybody(study: Study) -> None:
    """Measure each consumer, and set the figures beside the truth by which it was made."""
    place = study.places[0]
    for name, respondent in study.respondents.items():
        study.measured[name] = study.client.get_reliability(
            place.project_id, place.group_id, respondent.persona.id
        )
    study.report.chapter("2. Who answers reliably?")
    study.report.say(
        "The consumers were made to answer in six ways. The service does not know how:"
    )
    study.report.table(
        ["consumer", "how it truly answers"], [[m.value, text] for m, text in _MANNERS.items()]
    )
    study.report.say(
        "It measures C: how far each agrees with itself from wave to wave, beyond what two "
        "consumers of the same wave would agree by chance. 1 is always, 0 is as by chance. It also "
        "says what C is at least, with 95% certainty, and which share of the pairs of answers "
        "contradict each other:"
    )
    head = [
        "consumer",
        ">how many",
        ">true C",
        ">mean C",
        ">C at least",
        ">contradict",
        ">reliable",
    ]
    measured = {m: [study.measured[name] for name in of_manner(study, m)] for m in _MANNERS}
    study.report.table(head, [row_of(manner, found) for manner, found in measured.items()])


def row_of(manner: Manner, found: Sequence[Reliability | PersonaReliability]) -> list[str]:
    """Return what the table says of those who answer in a manner."""
    bounds = [r.lower_bound.value for r in found if r.HasField("lower_bound")]
    span = f"{number(min(bounds))} to {number(max(bounds))}" if bounds else number(None)
    reliable = sum(r.status == ReliabilityStatus.RELIABILITY_STATUS_ELIGIBLE for r in found)
    return [
        manner.value,
        str(len(found)),
        number(TRUE_C.get(manner)),
        number(fmean(r.coefficient.value for r in found)),
        span,
        f"{fmean(r.contradiction_rate.value for r in found):.0%}",
        str(reliable),
    ]


def of_manner(study: Study, manner: Manner) -> list[str]:
    """Return the names of those who answer in this manner."""
    return [name for name, r in study.respondents.items() if r.manner is manner]


def make_place(study: Study, project: str, group: PersonaGroup) -> Place:
    """Make a project with a group. The ids are ours: made again, it would be the same ones."""
    made = study.client.create_project(Project(id=client_id("project", project), name=project))
    group.id = client_id("group", project)
    place = Place(made.id, study.client.create_persona_group(made.id, group).id)
    study.places.append(place)
    return place


def record(study: Study, wave: int, answering: dict[str, Respondent]) -> int:
    """Record a wave as one simulation; ``answering`` is by the id of the persona."""
    responses = _responses(study, wave, answering.items())
    simulation = Simulation(id=client_id("simulation", wave), name=f"Wave {wave + 1}")
    study.client.create_simulation(study.places[-1].project_id, simulation)
    recorded = study.client.record_responses(simulation.id, responses)
    expected = len(answering) * len(study.items)
    expect(len(recorded) == expected, "Every answer of a wave is recorded.")
    return len(recorded)


def _responses(
    study: Study, wave: int, answering: Iterable[tuple[str, Respondent]]
) -> Iterator[Response]:
    begin = FIRST_WAVE + wave * BETWEEN_WAVES
    for persona_id, respondent in answering:
        for i, item in enumerate(study.items):
            said = item.response(respondent.answers[item.key][wave])
            said.id = response_id(respondent, wave, item.key)
            said.persona_id = persona_id
            said.model, said.prompt_version = "simulated", "1"
            said.occurred_at.FromDatetime(begin + timedelta(seconds=20 * i))
            yield said


def response_id(respondent: Respondent, wave: int, key: str) -> str:
    """Return the id of an answer."""
    return client_id("response", respondent.persona.full_name, wave, key)


def day(wave: int) -> str:
    """Return the day of a wave."""
    return (FIRST_WAVE + wave * BETWEEN_WAVES).date().isoformat()
