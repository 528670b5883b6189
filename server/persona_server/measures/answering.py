"""Recorded responses as measures take them: which question was asked, and the canonical answer."""

from typing import NamedTuple

from persona.v1.response_pb2 import Response
from persona_server.measures.answers import (
    Question,
    Value,
    sentiment_value,
    set_value,
    themes_value,
)
from persona_server.validation.remembering import remembered

# Thousands of responses repeat the same questions.
_choice = remembered(Question.choice)
_choices = remembered(Question.choices)
_rating = remembered(Question.rating)
_sentiment = remembered(Question.sentiment)
_themes = remembered(Question.themes)
_set_value = remembered(set_value)
_themes_value = remembered(themes_value)


class Asked(NamedTuple):
    """What a response answers, and how."""

    question: Question
    value: Value  # in canonical form
    declared: tuple[str, ...]  # the options in the order of this response, () without any


def asked(response: Response) -> Asked | None:
    """Return the question and the canonical answer of a valid response.

    None for a text without themes, which is no answer.
    """
    key, kind = response.question_key, response.WhichOneof("answer")
    declared: tuple[str, ...] = ()
    value: Value | None
    if kind == "rating":
        rating = response.rating
        question, value = _rating(key, rating.min, rating.max), rating.value
    elif kind == "choice":
        choice = response.choice
        declared, value = tuple(choice.options), choice.value
        question = _choice(key, declared)
    elif kind == "sentiment":
        question, value = _sentiment(key), sentiment_value(response.sentiment)
    elif kind == "choices":
        choices = response.choices
        declared, value = tuple(choices.options), _set_value(tuple(choices.values))
        question = _choices(key, declared)
    else:
        question, value = _themes(key), _themes_value(tuple(response.themes))
        if value is None:
            return None
    return tuple.__new__(Asked, (question, value, declared))  # by its name, it takes twice as long
