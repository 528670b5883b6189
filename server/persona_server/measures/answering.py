"""Recorded responses as measures take them: which question was asked, and the canonical answer."""

from functools import lru_cache

from persona.v1.response_pb2 import Response
from persona_server.measures.answers import (
    Question,
    Value,
    sentiment_value,
    set_value,
    themes_value,
)

# Thousands of responses repeat the same questions. An entry may hold 64 KiB of options.
_remembered = lru_cache(maxsize=512)
_choice = _remembered(Question.choice)
_choices = _remembered(Question.choices)
_rating = _remembered(Question.rating)
_sentiment = _remembered(Question.sentiment)
_themes = _remembered(Question.themes)


def asked(response: Response) -> tuple[Question, Value] | None:
    """Return the question and the canonical answer of a valid response.

    None for a text without themes, which is no answer.
    """
    key, kind = response.question_key, response.WhichOneof("answer")
    if kind == "rating":
        rating = response.rating
        return _rating(key, rating.min, rating.max), rating.value
    if kind == "choice":
        choice = response.choice
        return _choice(key, tuple(choice.options)), choice.value
    if kind == "sentiment":
        return _sentiment(key), sentiment_value(response.sentiment)
    if kind == "choices":
        choices = response.choices
        return _choices(key, tuple(choices.options)), set_value(choices.values)
    value = themes_value(response.themes)
    return None if value is None else (_themes(key), value)
