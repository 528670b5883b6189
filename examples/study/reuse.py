"""Chapters 4 and 5: a second project reuses individuals, asks them again, and sees who changed."""

from persona.v1.library_pb2 import LibraryMatch
from persona.v1.measures_pb2 import QuestionTimeline
from persona_client import PersonaGroup
from study.panel import day, make_place, record
from study.report import expect, number, signed
from study.respondents import SHIFTS, WAVES, Manner
from study.stage import Study

PROJECT, GROUP = "Store brand test", "Tight budgets"
REUSED = 12
_SHOWN = 4  # of a table's rows


def match_and_reuse(study: Study) -> None:
    """Make a second project, and put into its group whom the library has for it."""
    wanted = PersonaGroup(
        name=GROUP, age_min=25, age_max=75, income_level="Low", location="Lisbon, Portugal"
    )
    place = make_place(study, PROJECT, wanted)
    matches = list(study.client.match_library_personas(place.project_id, place.group_id))
    matches.sort(key=lambda match: (-match.score, match.library_persona.profile.full_name))
    best = matches[:REUSED]
    personas = study.client.reuse_library_personas(
        place.project_id, place.group_id, [match.library_persona.id for match in best]
    )
    study.reused = {persona.full_name: persona for persona in personas}
    for name, persona in study.reused.items():
        library_id = study.library[name].id
        expect(persona.library_persona_id.value == library_id, "A reused persona names its source.")
        expect(persona.id != study.respondents[name].persona.id, "It is a persona of its own.")
    study.report.chapter("4. Reused")
    study.report.say(
        f'A second project, "{PROJECT}", needs a group "{GROUP}": 25 to 75 years old, low income, '
        f"Lisbon. {len(matches)} individuals of the library are of that age. The best {REUSED} of "
        "them join the group, as personas of their own with the same profile and a link to the "
        f"individual: nobody is made anew. Here are {_SHOWN} with their scores (1 fits perfectly):"
    )
    head = ["consumer", ">score", ">age", ">income", ">place", "who it is"]
    study.report.table(head, [_row(match) for match in best[:_SHOWN]])


def _row(match: LibraryMatch) -> list[str]:
    profile, parts = match.library_persona.profile, match.parts
    who = f"{profile.age.value}, {profile.income_level} income, {profile.location.split(',')[0]}"
    figures = (match.score, parts.age.value, parts.income_level.value, parts.location.value)
    return [profile.full_name, *map(number, figures), who]


def follow_over_five_waves(study: Study) -> None:
    """Record a fifth wave in the second project, and show whose attitude has shifted."""
    answering = {p.id: study.respondents[name] for name, p in study.reused.items()}
    recorded = record(study, WAVES - 1, answering)
    for name in study.reused:
        found = study.client.get_library_persona_attitude_timeline(study.library[name].id)
        study.timelines[name] = {t.question.key: t for t in found}
        study.followed[name] = study.client.get_library_persona_reliability(study.library[name].id)
    name = study.protagonist
    study.report.chapter("5. A fifth wave, and who has changed")
    study.report.say(
        f"On {day(WAVES - 1)} the {len(answering)} answer the same questions in the second project "
        f"({recorded} answers). Their timelines go on over both projects. {name} is one of them; "
        "of all ratings and sentiments these have changed most:"
    )
    _show_shifts(study, name)
    study.report.say(
        "RCI, the reliable change index, is the change in units of its standard error, as others' "
        "answers show it; p is adjusted over all questions of the individual. Below 0.05 chance "
        "hardly explains the change. Over all who were reused, a reliable change "
        f"is found in {_share(shifts_found(study, True))} timelines that truly shift, and in "
        f"{_share(shifts_found(study, False))} that do not."
    )


def _share(flags: list[bool]) -> str:
    return f"{sum(flags)} of {len(flags)}"


def shifts_found(study: Study, planted: bool) -> list[bool]:
    """Whether each change was found reliable: of those that truly shift, or of all others."""
    return [
        timeline.numeric_shift.reliable_change.reliable
        for name, timelines in study.timelines.items()
        for key, timeline in timelines.items()
        if timeline.HasField("numeric_shift")
        and planted == (study.respondents[name].manner is Manner.SHIFTING and key in SHIFTS)
    ]


def _show_shifts(study: Study, name: str) -> None:
    numeric = [t for t in study.timelines[name].values() if t.HasField("numeric_shift")]
    numeric.sort(key=lambda t: (-abs(t.numeric_shift.reliable_change.rci), t.question.key))
    head = [
        "question",
        ">wave 1",
        *(f">{wave + 1}" for wave in range(1, WAVES)),
        ">change",
        ">RCI",
        ">p",
        "reliable",
    ]
    study.report.table(head, [_shift_row(study, t) for t in numeric[:_SHOWN]])


def _shift_row(study: Study, timeline: QuestionTimeline) -> list[str]:
    item, shift = study.item(timeline.question.key), timeline.numeric_shift
    decimals = 0 if item.kind == "rating" else 1
    change = shift.reliable_change
    return [
        item.text,
        *(number(point.value.value, decimals) for point in timeline.points),
        signed(shift.change.value, decimals),
        signed(change.rci),
        f"{change.adjusted_p:.3f}",
        "yes" if change.reliable else "no",
    ]
