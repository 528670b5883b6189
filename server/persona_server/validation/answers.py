"""What an answer must be: one of a kind, within the scale that it brings along."""

from collections import defaultdict
from collections.abc import Sequence
from math import copysign

from persona.v1.response_pb2 import ChoiceAnswer, ChoicesAnswer, RatingAnswer, Response
from persona_server.validation.fields import are_clean, check_items, check_text, is_short, repeated
from persona_server.validation.limits import COUNTS, LISTS, SENTIMENT_DECIMALS, TEXTS, Items
from persona_server.validation.remembering import remembered
from persona_server.validation.violations import Violations


def answers_are_well(responses: Sequence[Response]) -> bool:
    """Whether nothing is wrong with the answers of any of some responses, nor to normalise.

    False says that something may be.
    """
    given: defaultdict[str | None, list[Response]] = defaultdict(list)
    for response in responses:
        given[response.WhichOneof("answer")].append(response)
    return (
        None not in given
        and all(_is_right_choice(one.choice) for one in given["choice"])
        and all(_are_right_choices(one.choices) for one in given["choices"])
        and all(_is_right_rating(one.rating) for one in given["rating"])
        and all(_is_right_sentiment(one.sentiment) for one in given["sentiment"])
        and all(is_short(one.text, TEXTS["text"]) for one in given["text"])
    )


def _is_right_choice(choice: ChoiceAnswer) -> bool:
    options = _right_options(tuple(choice.options))
    return options is not None and choice.value in options


def _are_right_choices(choices: ChoicesAnswer) -> bool:
    options, values = _right_options(tuple(choices.options)), [*choices.values]
    distinct = set(values)
    return options is not None and options >= distinct and len(distinct) == len(values)


def _is_right_rating(rating: RatingAnswer) -> bool:
    low, high = rating.min, rating.max
    return low < high and low <= rating.value <= high


def _is_right_sentiment(value: float) -> bool:
    return -1 <= value <= 1 and round(value, SENTIMENT_DECIMALS) == value and not _is_minus_0(value)


def _is_minus_0(value: float) -> bool:
    return value == 0 and copysign(1, value) < 0


def check_answer(found: Violations, response: Response, path: str) -> None:
    """A response has an answer of one kind, which is right for its scale. Normalises it."""
    kind = response.WhichOneof("answer")
    if kind == "choice":
        _check_choice(found, f"{path}.choice", response.choice)
    elif kind == "choices":
        _check_choices(found, f"{path}.choices", response.choices)
    elif kind == "rating":
        _check_rating(found, f"{path}.rating", response.rating)
    elif kind == "sentiment":
        _check_sentiment(found, f"{path}.sentiment", response)
    elif kind == "text":
        check_text(found, f"{path}.text", response.text, TEXTS["text"])
    else:
        what = "is required: one of choice, choices, rating, sentiment, text"
        found.add(f"{path}.answer", what)


def _check_choice(found: Violations, path: str, choice: ChoiceAnswer) -> None:
    options = _checked_options(found, f"{path}.options", choice.options)
    if options is not None and choice.value not in options:
        found.add(f"{path}.value", "must be one of the options")


def _check_choices(found: Violations, path: str, choices: ChoicesAnswer) -> None:
    options = _checked_options(found, f"{path}.options", choices.options)
    where, most = f"{path}.values", COUNTS["values"]
    if len(choices.values) > most:
        found.add(where, f"must contain at most {most}, has {len(choices.values)}")
        return
    values = list(choices.values)
    if options is not None and not options.issuperset(values):
        for i, value in enumerate(values):
            if value not in options:
                found.add(f"{where}[{i}]", "must be one of the options")
    _check_distinct(found, where, values)


@remembered  # thousands of responses repeat the same ones
def _right_options(options: tuple[str, ...]) -> frozenset[str] | None:
    """Return options with which nothing is wrong; None if something may be."""
    most, characters = LISTS["options"]
    if not 1 <= len(options) <= most or not are_clean(options, characters):
        return None
    distinct = frozenset(options)
    return distinct if len(distinct) == len(options) else None


def _checked_options(found: Violations, path: str, given: Sequence[str]) -> frozenset[str] | None:
    """Check the options of a choice, and return them; None if there are too many to look at."""
    options = tuple(given)
    if (known := _right_options(options)) is not None:
        return known
    if not options:
        found.add(path, "is required: at least one option")
    if not check_limited(found, path, options, LISTS["options"]):
        return None
    return _check_distinct(found, path, options)


def _check_distinct(found: Violations, path: str, items: Sequence[str]) -> frozenset[str]:
    """No item repeats another. Returns the items."""
    distinct = frozenset(items)
    if len(distinct) < len(items):
        for i, first in repeated(items):
            found.add(f"{path}[{i}]", f"repeats {path}[{first}]")
    return distinct


def check_limited(found: Violations, path: str, items: Sequence[str], limits: Items) -> bool:
    """Check the items of a list unless there are too many, and return whether it did."""
    if len(items) > limits.most:
        found.add(path, f"must contain at most {limits.most}, has {len(items)}")
        return False
    check_items(found, path, items, limits.characters)
    return True


def _check_rating(found: Violations, path: str, rating: RatingAnswer) -> None:
    if rating.min >= rating.max:
        found.add(f"{path}.min", f"must be less than max ({rating.max})")
    elif not rating.min <= rating.value <= rating.max:
        what = f"must be {rating.min} to {rating.max}, is {rating.value}"
        found.add(f"{path}.value", what)


def _check_sentiment(found: Violations, path: str, response: Response) -> None:
    value = response.sentiment
    if not -1 <= value <= 1:  # NaN is not, either
        found.add(path, "must be −1 to 1")
    elif round(value, SENTIMENT_DECIMALS) != value:
        found.add(path, f"must have at most {SENTIMENT_DECIMALS} decimals")
    else:
        response.sentiment = value + 0.0  # −0 becomes 0
