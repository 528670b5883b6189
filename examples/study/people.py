"""Sixty invented consumers, drawn from a fixed seed: no real person, no company."""

from random import Random
from uuid import NAMESPACE_URL, uuid5

from persona_client import Int32Value, Persona
from study.questions import SEED

COUNT = 60

_GIVEN = {
    "Female": "Ana Beatriz Carla Diana Elena Filipa Gloria Helena Ines Joana Katia Laura",
    "Male": "Abel Bruno Carlos Duarte Emil Fausto Gil Hugo Ivo Jorge Karim Luis",
}
_FAMILY = "Almeida Bastos Castro Dias Esteves Faria Gomes Henriques Isidro Jardim Lima"
_OCCUPATIONS = ("Nurse", "Teacher", "Bus driver", "Shop assistant", "Accountant", "Carpenter")
_LOCATIONS = ("Lisbon, Portugal", "Porto, Portugal", "Braga, Portugal", "Madrid, Spain")
_INCOMES = ("Low", "Middle", "High")
_TRAITS = "careful cheerful curious frugal orderly patient practical restless sociable"
_HABITS = ("Orders online once a week.", "Uses the phone for messages only.", "Compares by app.")
_PRICES = ("Waits for offers.", "Buys what is good, whatever it costs.", "Keeps to a weekly sum.")


def client_id(*parts: object) -> str:
    """Return a UUID that is the same in every run, so that repeating a step has no effect."""
    return str(uuid5(NAMESPACE_URL, " ".join(map(str, (SEED, *parts)))))


def all_people() -> list[Persona]:
    """Return the consumers; no two have the same name."""
    random = Random(f"{SEED} people")
    names = [
        (f"{given} {family}", gender)
        for gender, all_given in _GIVEN.items()
        for given in all_given.split()
        for family in _FAMILY.split()
    ]
    drawn = random.sample(names, COUNT)
    return [_person(random, *named) for named in drawn]


def _person(random: Random, name: str, gender: str) -> Persona:
    return Persona(
        id=client_id("persona", name),
        full_name=name,
        age=Int32Value(value=random.randint(19, 72)),
        gender=gender,
        occupation=random.choice(_OCCUPATIONS),
        location=random.choice(_LOCATIONS),
        income_level=random.choice(_INCOMES),
        personality_traits=sorted(random.sample(_TRAITS.split(), 3)),
        digital_habits=random.choice(_HABITS),
        price_sensitivity=random.choice(_PRICES),
        psychographic_notes="Drawn at random for the study; stands for nobody.",
    )
