"""An individual whose attitude shifts: worked case 5 of the measures."""

from persona.v1.library_pb2 import LibraryPersona
from persona.v1.response_pb2 import ChoiceAnswer, RatingAnswer, Response
from support.answers import answer, record
from support.data import Place, at, make_place, uid
from support.library import DAY, START, individual

OWN = ((0, 2), (30, 2), (60, 3), (90, 4), (150, 4))
PEERS = ((3, 3, 4), (2, 2, 2), (5, 4, 4), (1, 1, 2), (3, 4, 3))
CHOICES = ("Espresso", "Espresso", "Filter", "Espresso", "Filter")
# What it says of a rating that goes from 2 to 4.
RCI, SLOPE, LOW, HIGH = 2.828427, 0.472973, 0.076477, 0.869469


def shifting_individual(place: Place, key: str) -> LibraryPersona:
    """Promote an individual, and record its ratings, choices and themes under keys of `key`."""
    found = individual(place)
    peers = [one.id for one in make_place(place.caller, place.project).fill(len(PEERS))]
    waves = [uid() for _ in OWN]
    for wave, (day, value), choice in zip(waves, OWN, CHOICES, strict=True):
        record(place.caller, wave, *_own(found.origin_persona_id, key, day, value, choice))
    for wave, day in zip(waves, (0, 30, 60), strict=False):
        given = zip(peers, PEERS, strict=True)
        record(place.caller, wave, *(_rating(peer, key, day, v[day // 30]) for peer, v in given))
    return found


def _own(persona_id: str, key: str, day: int, value: int, choice: str) -> list[Response]:
    taken = ChoiceAnswer(value=choice, options=["Espresso", "Filter", "Instant"])
    time = at(START + day * DAY)
    themes = ["price"] if day < 60 else ["taste", "price"]
    return [
        _rating(persona_id, key, day, value),
        answer(persona_id, question_key=f"{key}-choice", choice=taken, occurred_at=time),
        answer(persona_id, question_key=f"{key}-why", text="", themes=themes, occurred_at=time),
    ]


def _rating(persona_id: str, key: str, day: int, value: int) -> Response:
    rating = RatingAnswer(value=value, min=1, max=5)
    return answer(persona_id, question_key=key, rating=rating, occurred_at=at(START + day * DAY))
