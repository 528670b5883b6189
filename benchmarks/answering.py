"""Answers as a study records them: batches of 40 personas × 25 questions of mixed kinds.

Every simulation puts the same questions to the same personas, so that all but the first add to
series that are there.
"""

import random
import uuid
from collections.abc import Sequence
from typing import Any

from persona.v1.response_pb2 import ChoiceAnswer, ChoicesAnswer, RatingAnswer, Response
from persona.v1.response_service_pb2 import RecordResponsesRequest

PERSONAS, QUESTIONS = 40, 25
_OPTIONS = ("never", "seldom", "sometimes", "often", "always")
_THEMES = ("price", "quality", "brand", "service", "delivery", "design", "trust", "habit")
_START = 1_750_000_000  # seconds since 1970


def batches(personas: Sequence[str], simulations: int, seed: int = 1) -> list[bytes]:
    """Return the encoded requests that ask all personas in each simulation, in order of time."""
    random_, requests = random.Random(seed), []
    for number in range(simulations):
        simulation = str(uuid.UUID(int=random_.getrandbits(128)))
        for start in range(0, len(personas), PERSONAS):
            at = _START + number * 86_400 + start
            answers = [
                make_answer(random_, persona, question, at)
                for persona in personas[start : start + PERSONAS]
                for question in range(QUESTIONS)
            ]
            request = RecordResponsesRequest(
                simulation_id=simulation,
                responses=answers,
                request_id=str(uuid.UUID(int=random_.getrandbits(128))),
            )
            requests.append(request.SerializeToString())
    return requests


def make_answer(random_: random.Random, persona: str, question: int, at: int) -> Response:
    """Return an answer of some 300 bytes; 8 of 25 are ratings, 7 choices, 4 sentiments, 3 texts."""
    response = Response(
        id=str(uuid.UUID(int=random_.getrandbits(128))),
        persona_id=persona,
        question_key=f"study-7/q{question:02d}",
        question_text="How likely are you to recommend our product to a friend or colleague?",
        quote="I would, if it were cheaper and lasted longer than a year.",
        model="sim-large-2",
        prompt_version="v12",
        **_answered(random_, question),
    )
    response.occurred_at.seconds, response.occurred_at.nanos = at, random_.randrange(10**6) * 1000
    return response


def _answered(random_: random.Random, question: int) -> dict[str, Any]:
    if question < 8:
        return {"rating": RatingAnswer(value=random_.randint(1, 5), min=1, max=5)}
    if question < 15:
        return {"choice": ChoiceAnswer(value=random_.choice(_OPTIONS), options=_OPTIONS)}
    if question < 19:
        return {"sentiment": random_.randint(-100, 100) / 100}
    if question < 22:
        some = random_.sample(_OPTIONS, random_.randint(0, 2))
        return {"choices": ChoicesAnswer(values=some, options=_OPTIONS)}
    text = "It does what it should, but I would not pay that price for it a second time."
    return {"text": text, "themes": random_.sample(_THEMES, random_.randint(1, 2))}
