"""Personas of about 1.3 KB, the same in every run."""

import random
from typing import Any

from google.protobuf.wrappers_pb2 import Int32Value

from persona.v1.persona_pb2 import Persona

_WORDS = [
    "market",
    "price",
    "brand",
    "phone",
    "family",
    "work",
    "travel",
    "music",
    "coffee",
    "garden",
    "quality",
    "trust",
    "value",
    "time",
    "home",
    "school",
    "friend",
    "city",
    "train",
    "weekend",
    "budget",
    "online",
    "store",
    "review",
    "habit",
    "health",
    "sport",
    "cooking",
    "news",
]
_PLACES = ("Lisbon, Portugal", "Lagos, Nigeria", "Osaka, Japan", "Lyon, France", "Quito, Ecuador")
_JOBS = ("Nurse", "Engineer", "Teacher", "Farmer", "Designer", "Driver", "Analyst")
_INCOMES = ("Low", "Middle", "High")
# As many values as each of ten attributes has, from a yes or no to a postal code.
ATTRIBUTES = {
    "voted": 2, "party": 4, "religion": 8, "education": 9, "marital_status": 5,
    "openness": 10, "neuroticism": 10, "state": 50, "birth_year": 80, "postal_code": 1000,
}  # fmt: skip


def attributes(random_: random.Random) -> dict[str, str]:
    """Return ten attributes."""
    return {key: f"{key} {random_.randrange(values)}" for key, values in ATTRIBUTES.items()}


def make_persona(random_: random.Random, **fields: Any) -> Persona:
    """Return a persona without id and time, which the server gives; with these fields as well."""
    return Persona(
        full_name=f"Persona {random_.getrandbits(32):08x}",
        age=Int32Value(value=random_.randint(18, 90)),
        gender=random_.choice(("Female", "Male", "Non-binary")),
        occupation=random_.choice(_JOBS),
        location=random_.choice(_PLACES),
        income_level=random_.choice(_INCOMES),
        personality_traits=random_.sample(_WORDS, 4),
        trusted_brands=random_.sample(_WORDS, 3),
        distrusted_brands=random_.sample(_WORDS, 2),
        digital_habits=" ".join(random_.choices(_WORDS, k=45)),
        price_sensitivity=" ".join(random_.choices(_WORDS, k=45)),
        psychographic_notes=" ".join(random_.choices(_WORDS, k=65)),
        avatar_url=f"https://images.example/{random_.getrandbits(64):016x}.png",
        **fields,
    )
