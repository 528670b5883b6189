"""Every limit of the contract, once: a field name has one limit, in whatever message it is."""

from typing import NamedTuple

MAX_REQUEST_BYTES = 3 << 20
MAX_PERSONA_BYTES = 64 << 10
MAX_RESPONSE_BYTES = 64 << 10
# How many items a request may hold.
MAX_PERSONAS = MAX_RESPONSES = MAX_REUSED = MAX_COPIED = MAX_REFERENCES = 1000
MAX_PATHS = 100  # of an update mask
MAX_PROMOTED = 100

# One-line texts → characters.
LINES = {
    "name": 255,
    "full_name": 255,
    "gender": 64,
    "income_level": 64,
    "location": 255,
    "occupation": 255,
    "avatar_url": 2048,
    "external_id": 255,
    "question_key": 255,
    "model": 255,
    "prompt_version": 255,
    "order_by": 255,
    "reason": 255,
}
MOST_FOUND_BY = 8  # attributes that a filter names
LONGEST_FOUND = 255  # characters of an attribute's value by which it can be found
# Filterable free texts → UTF-8 bytes once folded, which can lengthen a text.
FOLDED = {"full_name": 1020, "gender": 256, "location": 1020, "occupation": 1020}
MAX_MARKS = 10  # combining marks in a row in such a text: twice what any script needs
LONGEST_UTF8 = 4  # bytes of a character
# Longer texts → UTF-8 bytes.
TEXTS = {
    "description": 4 << 10,
    "digital_habits": 8 << 10,
    "price_sensitivity": 8 << 10,
    "psychographic_notes": 16 << 10,
    "question_text": 4 << 10,
    "quote": 8 << 10,
    "text": 16 << 10,
}


class Items(NamedTuple):
    """How many items a list may hold, and how many characters each may have."""

    most: int
    characters: int


MOST_COMPARED = 100  # options of a choice whose distributions are compared
MOST_TARGETS = 100
MOST_POSITIONS = 101  # of a rating whose values are counted
LISTS = {
    "trusted_brands": Items(50, 128),
    "distrusted_brands": Items(50, 128),
    "personality_traits": Items(5, 128),  # or none, but not fewer than FEWEST_TRAITS
    "themes": Items(50, 128),
    "options": Items(500, 255),
    "attributes": Items(100, 128),  # its keys
}
# Every list that a request can hold → how many items.
COUNTS = {
    "personas": MAX_PERSONAS,
    "responses": MAX_RESPONSES,
    "reference_answers": MAX_REFERENCES,
    "library_persona_ids": MAX_REUSED,
    "response_ids": MAX_RESPONSES,
    "persona_ids": MAX_PERSONAS,  # of MAX_COPIED as well; fewer are promoted
    "paths": MAX_PATHS,
    "targets": MOST_TARGETS,
    "shares": MOST_POSITIONS,
    "values": LISTS["options"].most,  # each is one of the options
    **{name: items.most for name, items in LISTS.items()},
}
FEWEST_TRAITS = 3
MAX_ATTRIBUTES_BYTES = 32 << 10  # of all keys and values together

MAX_AGE = 130  # in years; of a bound, 0 is "no bound"
INCOME_LEVELS = ("", "Low", "Middle", "High")
SENTIMENT_DECIMALS = 6
FUTURE_SECONDS = 86_400  # so far may a client's clock, or its time zone, be ahead
