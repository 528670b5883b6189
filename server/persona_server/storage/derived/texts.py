"""Texts of answers, known by 64 bits of a hash: what measures compare is as short as can be.

Of a set of options or themes they need to know which items are the same, and not what they say. So
a set is kept as the set of its items' tokens, of 16 characters each, with its items beside it. Two
of a tenant's ten million sets are taken for one another with a probability of 3 in a million.
"""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

from persona_server.measures.answers import items_of, set_value
from persona_server.validation.remembering import remembered


class SetText(NamedTuple):
    """A set of options or themes, with what stands for it."""

    id: int
    tokens: str  # in canonical form, as the set itself
    items: str


class ModelText(NamedTuple):
    """A model with the version of its prompt, and what stands for both."""

    id: int
    model: str
    prompt_version: str


@remembered
def set_text(value: str) -> SetText:
    """Return a set in canonical form with what stands for it."""
    tokens = set_value(map(token, items_of(value)))
    return SetText(_hash(tokens), tokens, value)


@remembered
def model_text(model: str, prompt_version: str) -> ModelText:
    """Return a model and the version of its prompt with what stands for them."""
    return ModelText(_hash(f"{model}\0{prompt_version}"), model, prompt_version)


def set_ids(tokens: Iterable[str]) -> list[int]:
    """Return the ids of sets of which only the tokens are known."""
    return [_hash(each) for each in tokens]


def token(item: str) -> str:
    """Return what stands for an option or theme in a set of tokens."""
    return hashlib.sha256(item.encode()).hexdigest()[:16]


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], signed=True)
