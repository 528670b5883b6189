"""Answers as tables show them."""

from persona.v1.response_pb2 import Response
from persona_cli.terminal.shifts import number_text


def answer_text(response: Response) -> str:
    """Say what was answered; of a text its themes, if it has any."""
    kind = response.WhichOneof("answer")
    if kind == "choice":
        return response.choice.value
    if kind == "choices":
        return ", ".join(response.choices.values) or "none"
    if kind == "rating":
        rating = response.rating
        return f"{rating.value} of {rating.min} to {rating.max}"
    if kind == "sentiment":
        return number_text(response.sentiment, "+", places=6)
    return f"themes: {', '.join(response.themes)}" if response.themes else response.text
