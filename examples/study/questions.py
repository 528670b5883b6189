"""The 30 questions of the study, and how popular each of their answers is."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeAlias

from persona_client import ChoiceAnswer, ChoicesAnswer, RatingAnswer, Response

SEED = "study"

Value: TypeAlias = str | int | float | tuple[str, ...]


@dataclass(frozen=True)
class Item:
    """A question, the answers that people give to it, and how many give each."""

    key: str
    text: str
    kind: str  # the name of the answer in a Response; "themes" for a text whose themes count
    values: Sequence[Value]  # of a scale in its order
    weights: Sequence[float]
    options: Sequence[str] = ()

    @property
    def can_contradict(self) -> bool:
        """Whether two answers can exclude each other; sets and themes can't."""
        return self.kind in ("choice", "rating", "sentiment")

    def usual(self, random: Random) -> Value:
        """Answer as a random person does."""
        return random.choices(self.values, self.weights)[0]

    def response(self, value: Value) -> Response:
        """Return a response that gives this answer."""
        said = Response(question_key=self.key, question_text=self.text)
        if isinstance(value, tuple) and self.kind == "choices":
            said.choices.CopyFrom(ChoicesAnswer(values=value, options=self.options))
        elif isinstance(value, tuple):
            said.text = f"What comes to mind: {', '.join(value)}."
            said.themes.extend(value)
        elif isinstance(value, str):
            said.choice.CopyFrom(ChoiceAnswer(value=value, options=self.options))
        elif isinstance(value, float):
            said.sentiment = value
        else:
            low, high = int(self.values[0]), int(self.values[-1])  # type: ignore[arg-type]
            said.rating.CopyFrom(RatingAnswer(value=value, min=low, max=high))
        return said


_CHOICES = {
    "shop_where": ("Where do you shop most?", "supermarket, discounter, market, online"),
    "shop_when": ("When do you shop most?", "mornings, evenings, weekends"),
    "pay_how": ("How do you pay?", "cash, card, phone"),
    "plan_how": ("How do you plan what to buy?", "list, app, memory"),
    "pack_what": ("Which packaging do you prefer?", "paper, glass, plastic, none"),
    "milk_what": ("What do you pour into your coffee?", "milk, oat drink, nothing"),
    "news_from": ("Where do you hear of new products?", "shelf, friends, leaflet, social media"),
    "returns": ("Would you return a product you dislike?", "yes, no"),
}
_RATINGS = {
    "price_first": ("I look at the price first.", 5),
    "own_label": ("I buy the store's own brand.", 5),
    "tries_new": ("I like to try new products.", 7),
    "organic": ("I pay more for organic food.", 7),
    "local": ("I prefer food from nearby.", 5),
    "labels": ("I read the list of ingredients.", 5),
    "cooks": ("I cook from fresh ingredients.", 7),
    "waste": ("I throw away little food.", 5),
    "loyal": ("I stay with the brands I know.", 7),
    "hurry": ("I want to be out of the shop quickly.", 5),
}
_SENTIMENTS = {
    "feel_prices": "What do you feel about prices?",
    "feel_choice": "What do you feel about the choice?",
    "feel_self_checkout": "What do you feel about self-checkout?",
    "feel_delivery": "What do you feel about delivery?",
}
_SETS = {
    "breakfast": ("What is on your breakfast table?", "bread, fruit, cereal, eggs, yoghurt, tea"),
    "snacks": ("Which snacks do you buy?", "nuts, crisps, chocolate, fruit, biscuits"),
    "diets": ("What do you avoid?", "sugar, meat, gluten, lactose, alcohol"),
    "apps": ("What do you use your phone for in the shop?", "list, coupons, scanning, paying"),
}
_TEXTS = {
    "why_shop": ("Why do you shop where you shop?", "price, distance, choice, service, habit"),
    "dislike": ("What annoys you in a shop?", "queues, noise, empty shelves, prices, staff"),
    "good_meal": ("What makes a good meal?", "taste, health, company, speed, price"),
    "wish": ("What should your shop change?", "prices, opening hours, freshness, space, choice"),
}


def all_items() -> tuple[Item, ...]:
    """Return the 30 questions, in the order in which they are asked."""
    items = []
    for key, (text, listed) in _CHOICES.items():
        options = listed.split(", ")
        items.append(_item(key, text, "choice", options, options))
    for key, (text, high) in _RATINGS.items():
        items.append(_item(key, text, "rating", range(1, high + 1)))
    for key, text in _SENTIMENTS.items():
        items.append(_item(key, text, "sentiment", [step / 5 for step in range(-5, 6)]))
    for key, (text, listed) in _SETS.items():
        options = listed.split(", ")
        items.append(_item(key, text, "choices", _subsets(key, options), options))
    for key, (text, listed) in _TEXTS.items():
        items.append(_item(key, text, "themes", _subsets(key, listed.split(", "))))
    return tuple(items)


def _item(
    key: str, text: str, kind: str, values: Sequence[Value], options: Sequence[str] = ()
) -> Item:
    """Draw how popular each value is: some are several times as popular as others."""
    random = Random(f"{SEED} popularity {key}")
    weights = [random.expovariate(1) + 0.05 for _ in values]
    return Item(key, text, kind, values, weights, options)


def _subsets(key: str, options: Sequence[str]) -> list[Value]:
    """Draw a dozen combinations of one to three options that people name together."""
    random = Random(f"{SEED} subsets {key}")
    drawn = {tuple(sorted(random.sample(options, random.randint(1, 3)))) for _ in range(12)}
    return [*sorted(drawn)]
