"""Chapter 6: everything is deleted, and what was said by whom is still there."""

from persona.v1.library_pb2 import LibraryLinkRelation, LibraryPersonaProject
from persona_client import Persona, Project, ProjectNotFound
from study.panel import response_id
from study.report import expect, number
from study.stage import Study


def delete_everything(study: Study) -> None:
    """Delete personas, groups and projects; the first project gets another name before."""
    client, (first, second) = study.client, study.places
    client.update_project(first.project_id, Project(name="Old panel"))
    reused = client.delete_all_personas(second.project_id, second.group_id)
    for place in study.places:
        client.delete_persona_group(place.project_id, place.group_id)
        client.delete_project(place.project_id)
        expect(_is_gone(study, place.project_id), "A deleted project is gone.")
    study.report.chapter("6. Everything deleted, nothing lost")
    study.report.say(
        f"The {reused} personas of the second project are deleted in one step, then both groups "
        "and both projects with all that is in them; the first project got another name before. "
        f"Projects left: {_left(study)}. Still there:"
    )


def read_what_stays(study: Study) -> None:
    """Read answers, personas, figures and lineage once more, and hold them against before."""
    name = study.protagonist
    study.report.table(["what", "as it is now"], _what_stays(study, name))
    study.report.say(f"And the lineage of {name}, newest first, with the names as they were:")
    place = study.places[1]
    lineage = study.client.get_persona_lineage(
        place.project_id, place.group_id, study.reused[name].id
    )
    head = ["project", "group", "how", ">match", "persona"]
    study.report.table(head, [_link_row(link) for link in lineage.personas])


def _left(study: Study) -> int:
    return sum(1 for _ in study.client.list_projects())


def _is_gone(study: Study, project_id: str) -> bool:
    try:
        study.client.get_project(project_id)
    except ProjectNotFound:
        return True
    return False


def _what_stays(study: Study, name: str) -> list[list[str]]:
    client, individual = study.client, study.library[name]
    answers = [
        response
        for place in study.places
        for response in client.list_responses(project_id=place.project_id)
    ]
    expect(all(answer.persona_deleted for answer in answers), "Answers tell of the deletion.")
    timelines = {
        t.question.key: t for t in client.get_library_persona_attitude_timeline(individual.id)
    }
    expect(timelines == study.timelines[name], "Timelines stay as they are.")
    now = client.get_library_persona_reliability(individual.id)
    now.measured_at.CopyFrom(study.followed[name].measured_at)
    expect(now == study.followed[name], "Reliability stays as it is.")
    said = f"C {number(now.coefficient.value)}, at least {number(now.lower_bound.value)}"
    changes = now.reliable_change_count
    changed = "1 question has changed" if changes == 1 else f"{changes} questions have changed"
    library = list(client.list_library_personas())
    return [
        ["answers", f"all {number(len(answers), 0)}, each marked: its persona is deleted"],
        ["persona", f"{_persona_then(study, name).full_name}, every field as when it answered"],
        ["reliability", f"of {name}: {said}; {changed}"],
        ["timeline", f"of {name}: {len(timelines)} questions, the same to the last digit"],
        ["library", f"{len(library)} individuals, ready for the next project"],
    ]


def _persona_then(study: Study, name: str) -> Persona:
    """Return the persona that gave the first answer, once it is found to be as it was imported."""
    respondent = study.respondents[name]
    first = response_id(respondent, respondent.waves[0], study.items[0].key)
    then = study.client.get_response_persona(first)
    wanted = Persona()
    wanted.CopyFrom(respondent.persona)
    wanted.project_id, wanted.group_id = study.places[0].project_id, study.places[0].group_id
    wanted.created_at.CopyFrom(then.created_at)  # the server's time: it was left unset
    expect(then == wanted, "The persona is as it was when it answered.")
    return then


def _link_row(link: LibraryPersonaProject) -> list[str]:
    reused = link.relation == LibraryLinkRelation.LIBRARY_LINK_RELATION_REUSE
    return [
        link.project_name,
        link.group_name,
        "reused" if reused else "promoted",
        number(link.match_score.value if link.HasField("match_score") else None),
        "deleted" if link.HasField("persona_deleted_at") else "there",
    ]
