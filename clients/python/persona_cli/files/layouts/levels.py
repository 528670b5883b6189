"""Income levels out of what sources say: words, sums and ranges of money."""

import re
from dataclasses import dataclass

from persona_server.validation.limits import INCOME_LEVELS

LEVELS = {level.lower(): level for level in INCOME_LEVELS if level}
# A number is whole or none, and never what some digits of it make. What follows at once may be the
# code of a currency, as in 20000EUR, but no other word, as in 10th.
_START = r"(?<!\d)(?<!\d[.,])(?<!\de)(?<!\de[+-])"
_END = r"(?![\da-z]|[.,]\d)|(?-i:(?=[A-Z]{3}\b))"
_NUMBER = re.compile(
    rf"{_START}(?:(?P<power>\d+(?:[.,]\d+)?e[+-]?\d{{1,2}})"  # as programs write large ones
    r"|(?P<digits>\d+(?:[.,' \u00a0\u202f]\d{3})*(?:[.,]\d+)?)\s*(?P<unit>[km]?))"
    rf"(?:{_END})",
    re.IGNORECASE,
)
_THOUSANDS = re.compile(r"[.,' \u00a0\u202f](?=\d{3}(?:\D|$))")
_FACTORS = {"": 1.0, "k": 1e3, "m": 1e6}
_BELOW = re.compile(r"\b(less|under|below|up to)\b|^\s*<", re.IGNORECASE)
_BOUND = re.compile(r"(<=|>=|<|>)(.+)")


@dataclass(frozen=True, slots=True)
class Level:
    """A case of a mapping: amounts from `low` to below `high`, or else a word, in any case."""

    level: str
    case: str  # as it is written
    word: str
    low: float | None = None
    high: float | None = None

    def holds(self, value: str) -> bool:
        """Whether it is the case of a value."""
        if self.word in {"*", value.strip().casefold()}:
            return True
        amount = _amount(value) if self.low is not None and self.high is not None else None
        return amount is not None and self.low <= amount < self.high  # type: ignore[operator]


def parse_levels(text: str) -> tuple[Level, ...]:
    """Return the cases of "<20k=Low,20k-75k=Middle,*=High". Raises ValueError."""
    return tuple(
        parse_level(*part.rpartition("=")[::2]) for part in text.split(",") if part.strip()
    )


def level_of(value: str, cases: tuple[Level, ...]) -> str:
    """Return the level of a source's word: of the first case that holds, "" if none does."""
    return next((case.level for case in cases if case.holds(value)), "") if cases else ""


def parse_level(case: str, level: str) -> Level:
    """Return one case, which may hold any character. Raises ValueError."""
    if level.strip().lower() not in LEVELS:
        raise ValueError(f"each case ends with =Low, =Middle or =High; got {case}={level}")
    case = case.strip()
    return Level(LEVELS[level.strip().lower()], case, case.casefold(), *_bounds(case))


def _bounds(case: str) -> tuple[float | None, float | None]:
    if found := _BOUND.fullmatch(case):
        amounts = _amounts(found[2])
        if len(amounts) == 1:
            return _open_bounds(found[1], amounts[0])
    amounts = _amounts(case)
    return (amounts[0], amounts[1]) if len(amounts) == 2 else (None, None)


def _open_bounds(sign: str, amount: float) -> tuple[float, float]:
    edge = amount if sign in {"<", ">="} else amount * (1 + 1e-12)
    return (-1.0, edge) if sign.startswith("<") else (edge, float("inf"))


def _amount(value: str) -> float | None:
    """Return the amount that a text names: the middle of a range, what is just below a bound."""
    amounts = _amounts(value)
    if not 1 <= len(amounts) <= 2:
        return None
    if len(amounts) == 1 and _BELOW.search(value):
        return amounts[0] * (1 - 1e-9)
    return sum(amounts) / len(amounts)


def _amounts(text: str) -> list[float]:
    """Return the amounts in a text: "$50k–75k", "20,000 to 40,000", "20.000 €", "1e+05"."""
    found = [(_plain(power, digits), unit.lower()) for power, digits, unit in _NUMBER.findall(text)]
    if len(found) == 2 and not found[0][1]:  # 50–75k
        found[0] = (found[0][0], found[1][1])
    return [number * _FACTORS[unit] for number, unit in found]


def _plain(power: str, digits: str) -> float:
    """Return a number; one with an exponent, such as 1.234e+05, has nothing between thousands."""
    return float((power or _THOUSANDS.sub("", digits)).replace(",", "."))
