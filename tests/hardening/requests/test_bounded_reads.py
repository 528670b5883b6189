"""R12: no call looks at more than 10,000 entries of a list, however few of them match.

A page that stopped there has less than was asked for, or nothing, and its token goes on behind it.
Every walk here meets such pages, so whatever would take one for the end finds too little.
"""

import itertools
import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from persona.v1 import persona_service_pb2 as pb
from persona_client import PersonaClient
from support.answering.references import group_fidelity
from support.answering.summaries import summaries
from support.answers import answer, listed, pages, record
from support.data import Place, at, make_place, persona, rich_persona, uid
from support.errors import refused
from support.importer import Importer
from support.library import DAY, START, answer_reliably, promote, reuse
from support.service import Service, running_service

BATCH, BATCHES = 1000, 30
WHOLE = 4  # pages of 30,000 entries, where nobody matches: three that stop at 9,000, and the rest
FIRST, LAST = "First", "Last"  # genders that the first and the last persona alone have


@dataclass(frozen=True)
class Crowd:
    """A group of 30,002 personas, by who may read it."""

    service: Service
    place: Place
    client: PersonaClient


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    with running_service(tmp_path_factory.mktemp("crowd") / "data") as service:
        caller = service.connect()
        place = make_place(caller)
        place.create(persona(gender=FIRST, created_at=at(1)))
        assert Importer(place, BATCHES, BATCH, text=0).run(caller)
        place.create(persona(gender=LAST))
        with PersonaClient(service.grpc, service.token()) as client:
            yield Crowd(service, place, client)
        caller.close()


def sizes(found: Any) -> list[int]:
    """Return how many personas each page or chunk has."""
    return [len(page.personas) for page in found]


def test_a_summary_of_more_than_ten_thousand_is_refused(crowd: Crowd) -> None:
    with refused("INVALID_FIELD") as refusal:
        summaries(crowd.place, group_id=crowd.place.group)
    assert "10000" in refusal.problem.fields["group_id"]


def test_fidelity_of_more_than_ten_thousand_is_refused(crowd: Crowd) -> None:
    with refused("INVALID_FIELD") as refusal:
        group_fidelity(crowd.place)
    assert "10000" in refusal.problem.fields["group_id"]


def test_a_list_looks_at_ten_thousand_a_page(crowd: Crowd) -> None:
    assert sizes(crowd.place.pages(gender=LAST)) == [0] * (WHOLE - 1) + [1]
    assert sizes(crowd.place.pages(gender="Nobody")) == [0] * WHOLE


def test_what_follows_a_full_page_is_looked_for_no_further(crowd: Crowd) -> None:
    """Behind the one that matches nobody does, which the first page can't know."""
    assert sizes(crowd.place.pages(gender=FIRST, page_size=1)) == [1] + [0] * WHOLE
    assert sizes(crowd.place.pages(gender=FIRST, page_size=2)) == [1] + [0] * (WHOLE - 1)


def test_a_list_without_filters_is_as_it_was(crowd: Crowd) -> None:
    assert sizes(crowd.place.pages()) == [BATCH] * BATCHES + [2]


def test_an_export_says_how_far_it_is(crowd: Crowd) -> None:
    """So it can be resumed, and cancelled, where it finds nobody for long."""
    chunks = crowd.place.export(gender=LAST)
    assert sizes(chunks) == [0] * (WHOLE - 1) + [1]
    for i, chunk in enumerate(chunks):
        rest = crowd.place.export(gender=LAST, resume_token=chunk.resume_token)
        assert sizes(rest) == sizes(chunks[i + 1 :])


def counts(crowd: Crowd, **filters: Any) -> list[int]:
    """Return what each call counts."""
    found, token = [], ""
    while True:
        request = pb.CountPersonasRequest(**crowd.place.ids, page_token=token, **filters)
        part = crowd.place.caller.personas.CountPersonas(request)
        found.append(part.count)
        if not (token := part.next_page_token):
            return found


def test_a_count_looks_at_ten_thousand_a_call(crowd: Crowd) -> None:
    assert counts(crowd, gender=LAST) == [0, 0, 0, 1]
    assert counts(crowd, gender=FIRST) == [1, 0, 0, 0]
    assert sum(counts(crowd, age_max=130)) == 0
    assert counts(crowd) == [BATCHES * BATCH + 2]
    assert counts(crowd, attributes={"nobody": "x"}) == [0]


def test_a_list_of_all_groups_looks_at_ten_thousand_a_page(crowd: Crowd) -> None:
    """Whole groups after the first, as long as they fit."""
    behind = make_place(crowd.place.caller, crowd.place.project)
    behind.create(persona(gender=LAST))
    everybody = Place(crowd.place.caller, crowd.place.project, "-")
    assert sizes(everybody.pages(gender=LAST)) == [0] * (WHOLE - 1) + [1, 1]
    assert sizes(everybody.pages(gender="Nobody")) == [0] * (WHOLE + 1)
    assert sizes(everybody.pages(full_name="Maria Santos")) == [3]


def test_the_client_goes_on(crowd: Crowd) -> None:
    ids = (crowd.place.project, crowd.place.group)
    assert crowd.client.count_personas(*ids, gender=LAST) == 1
    assert crowd.client.count_personas(*ids) == BATCHES * BATCH + 2
    assert [one.gender for one in crowd.client.list_personas(*ids, gender=LAST)] == [LAST]
    assert [one.gender for one in crowd.client.export_personas(*ids, gender=LAST)] == [LAST]


@pytest.mark.parametrize("verb", ["", ":export"])
def test_rest_goes_on(crowd: Crowd, verb: str) -> None:
    found = get(crowd, f"{verb}?gender={LAST}")
    rows = json.loads(found.body) if not verb else list(map(json.loads, found.body.splitlines()))
    assert [row["gender"] for row in rows] == [LAST]


def test_rest_shows_an_empty_page_with_its_token(crowd: Crowd) -> None:
    token, empty = "", 0
    while not (rows := json.loads((page := get(crowd, f"?gender={LAST}&page_token={token}")).body)):
        token, empty = page.headers["X-Next-Page-Token"], empty + 1
    assert ([row["gender"] for row in rows], empty) == ([LAST], WHOLE - 1)
    assert "X-Next-Page-Token" not in page.headers


@dataclass(frozen=True)
class Answer:
    """A REST answer."""

    body: bytes
    headers: Any


def get(crowd: Crowd, rest: str) -> Answer:
    path = f"/api/v1/projects/{crowd.place.project}/persona-groups/{crowd.place.group}/personas"
    headers = {"Authorization": f"Bearer {crowd.service.token()}"}
    request = urllib.request.Request(crowd.service.rest + path + rest, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as found:
        return Answer(found.read(), found.headers)


@dataclass(frozen=True)
class Interview:
    """An individual that gave 30,000 answers, half of them as a reused copy, and a last one."""

    place: Place
    lists: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def interview(crowd: Crowd) -> Interview:
    """In turn, so that a page of the individual's answers is made of both lists."""
    place = make_place(crowd.place.caller)
    origin, simulation = place.create(rich_persona()).id, uid()
    answer_reliably(place, origin)
    library_persona = promote(place, origin).id
    copy = reuse(make_place(place.caller, place.project), library_persona)[0].id
    times = itertools.count(START + 100 * DAY)
    for _ in range(BATCHES):
        both = itertools.islice(itertools.cycle((origin, copy)), BATCH)
        record(place.caller, simulation, *[said(one, "often", next(times)) for one in both])
    record(place.caller, simulation, said(origin, "once", next(times)))
    lists = {
        "simulation": {"simulation_id": simulation},
        "project": {"project_id": place.project},
        "recording": {"project_id": place.project, "order_by": "recorded_at"},
        "backwards": {"simulation_id": simulation, "order_by": "occurred_at desc"},
        "persona": {"persona_id": origin},
        "library": {"library_persona_id": library_persona},
    }
    return Interview(place, lists)


def said(persona_id: str, question: str, micros: int) -> Any:
    return answer(persona_id, question_key=question, text="Yes.", occurred_at=at(micros))


@pytest.mark.parametrize(
    ("name", "count"),
    [("simulation", WHOLE), ("recording", WHOLE), ("persona", 2), ("library", 4), ("project", 1)],
)
def test_answers_to_a_rare_question_are_found_in_parts(
    interview: Interview, name: str, count: int
) -> None:
    caller, scope = interview.place.caller, interview.lists[name]
    found = list(pages(caller, **scope, question_key="once"))
    assert [len(page.responses) for page in found] == [0] * (count - 1) + [1]
    assert found[-1].responses[0].question_key == "once"
    none = list(pages(caller, **scope, question_key="never"))
    if name == "project":  # in it the question's own index is walked, as in a larger one
        assert len(none) == 1
        return
    assert [len(page.responses) for page in none] == [0] * count


def test_the_latest_answer_is_found_at_once_from_the_end(interview: Interview) -> None:
    """And whoever wants more is sent on, through all that is older."""
    caller, scope = interview.place.caller, interview.lists["backwards"]
    found = list(pages(caller, **scope, question_key="once"))
    assert [len(page.responses) for page in found] == [1] + [0] * (WHOLE - 1)


def test_answers_to_a_common_question_fill_their_pages(interview: Interview) -> None:
    caller, scope = interview.place.caller, interview.lists["library"]
    found = list(pages(caller, **scope, question_key="often"))
    assert [len(page.responses) for page in found] == [BATCH] * BATCHES
    whole = listed(caller, **scope)
    often = [one for one in whole if one.question_key == "often"]
    assert [one for page in found for one in page.responses] == often


def test_a_range_of_time_is_found_by_the_index(interview: Interview) -> None:
    """What lies before it is not looked at."""
    caller, scope = interview.place.caller, interview.lists["project"]
    late = at(START + 100 * DAY + BATCH * BATCHES)
    found = list(pages(caller, **scope, question_key="once", occurred_from=late))
    assert [len(page.responses) for page in found] == [1]
