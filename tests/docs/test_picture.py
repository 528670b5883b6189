"""The picture of docs/command-line.md is what the command draws of these answers."""

from pathlib import Path

from persona.v1.response_pb2 import ChoiceAnswer, RatingAnswer
from persona_cli.plot.picture import write_picture
from persona_client import PersonaClient, PersonaGroup, Project, Response
from support.data import Place, at, make_place, uid
from support.library import DAY, individual
from support.service import Service

PICTURE = Path(__file__).parents[2] / "docs/kinds.svg"
START = 1_768_212_000_000_000  # microseconds
RECOMMEND, FAIR, HOME, WHY = "would_recommend", "price_is_fair", "brews_at_home", "what_matters"
OPTIONS = ["Capsules", "Espresso", "Filter", "Instant"]
# What Maria says in five waves: a rating, a sentiment, a choice, and themes.
WAVES = (
    (0, 2, 0.2, "Espresso", ("price", "taste")),
    (30, 2, -0.1, "Espresso", ("taste",)),
    (60, 3, 0.1, "Filter", ("origin", "taste")),
    (90, 4, -0.2, "Filter", ("fairness", "origin", "taste")),
    (150, 4, -0.1, "Filter", ("fairness", "origin")),
)
# What five others say in the first three.
RATINGS = ((3, 3, 4), (2, 2, 2), (5, 4, 4), (1, 1, 2), (3, 4, 3))
SENTIMENTS = ((0, 0.2, 0.1), (0.4, 0.3, 0.5), (-0.2, 0, -0.3), (0.1, 0.3, 0), (0.6, 0.4, 0.5))


def given(persona_id: str, day: int, rating: int, sentiment: float) -> list[Response]:
    time = at(START + day * DAY)
    scale = RatingAnswer(value=rating, min=1, max=5)
    return [
        Response(persona_id=persona_id, question_key=RECOMMEND, rating=scale, occurred_at=time),
        Response(persona_id=persona_id, question_key=FAIR, sentiment=sentiment, occurred_at=time),
    ]


def record(client: PersonaClient, place: Place, maria: str) -> None:
    peers = [one.id for one in make_place(place.caller, place.project).fill(len(RATINGS))]
    for number, (day, rating, sentiment, choice, themes) in enumerate(WAVES):
        taken = ChoiceAnswer(value=choice, options=OPTIONS)
        time = at(START + day * DAY)
        answers = [
            *given(maria, day, rating, sentiment),
            Response(persona_id=maria, question_key=HOME, choice=taken, occurred_at=time),
            Response(persona_id=maria, question_key=WHY, text="", themes=themes, occurred_at=time),
        ]
        if number < len(RATINGS[0]):
            for peer, ratings, feelings in zip(peers, RATINGS, SENTIMENTS, strict=True):
                answers += given(peer, day, ratings[number], feelings[number])
        client.record_responses(uid(), answers)


def test_the_picture_is_what_the_service_and_the_command_make(
    service: Service, tmp_path: Path
) -> None:
    token = service.token(tenant="picture")
    with PersonaClient(service.grpc, token) as client:
        project = client.create_project(Project(name="Coffee study")).id
        group = client.create_persona_group(project, PersonaGroup(name="Home baristas")).id
        place = Place(service.connect(token), project, group)
        maria = individual(place, full_name="Maria Santos")
        record(client, place, maria.origin_persona_id)
        shown = [RECOMMEND, FAIR, HOME, WHY]
        found = {
            one.question.key: one for one in client.get_library_persona_attitude_timeline(maria.id)
        }
        drawn = tmp_path / PICTURE.name
        write_picture(str(drawn), "Maria Santos", [found[key] for key in shown])
    same = PICTURE.exists() and PICTURE.read_bytes() == drawn.read_bytes()
    assert same, f"if the change is meant: cp {drawn} {PICTURE}"
