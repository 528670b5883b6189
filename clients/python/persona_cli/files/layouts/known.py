"""The layouts that are known: how each is told by a row, and what becomes of it."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

from persona_cli.files.layouts.mapping import Mapping, mapping
from persona_cli.files.layouts.own import OWN, own_name
from persona_cli.files.tables.table import Cells


class Layout(NamedTuple):
    """A layout, and whether a row is of it; `is_sheet` says that the row has columns."""

    mapping: Mapping
    holds: Callable[[Cells, bool], bool]


_GENAGENTS_KEYS = {
    "agent_id", "sex", "race", "ethnicity", "political_views", "party_identification",
    "work_status", "total_wealth",
}  # fmt: skip
_TRAITS = {"age", "gender", "occupation", "location", "income_level", "persona"}


def _is_own(row: Cells, is_sheet: bool) -> bool:
    return any(own_name(name, is_sheet=is_sheet) == "full_name" for name in row)


def _is_genagents(row: Cells, _: bool) -> bool:
    named = "first_name" in row or "last_name" in row
    return named and ("agent_id" in row or len(_GENAGENTS_KEYS & row.keys()) > 1)


def _is_tinytroupe(row: Cells, _: bool) -> bool:
    held = row.get("persona")
    return isinstance(held, dict) and ("name" in held or row.get("type") == "TinyPerson")


def _is_edsl(row: Cells, is_sheet: bool) -> bool:
    if is_sheet:
        return "full_name" not in row and len(_TRAITS & row.keys()) > 1
    return isinstance(row.get("traits"), dict) or _is_agent_list(row)


def _is_agent_list(row: Cells) -> bool:
    """Whether an object is EDSL's list of agents, or the line of JSON before them."""
    return row.get("edsl_class_name") == "AgentList"


def _is_nemotron(row: Cells, _: bool) -> bool:
    return {"uuid", "persona", "professional_persona"} <= row.keys()


def _is_persona_hub(row: Cells, is_sheet: bool) -> bool:
    texts = [row.get("persona"), row.get("input persona")]
    return not _is_own(row, is_sheet) and any(isinstance(text, str) for text in texts)


def _is_boses(row: Cells, _: bool) -> bool:
    return "full_name" in row and ("persona_group_id" in row or "persona_code" in row)


GENAGENTS = replace(
    mapping(
        "genagents agents",
        external_id="agent_id",
        full_name="{first_name} {last_name}",
        age="age",
        gender="sex",
        occupation="occupation",
        # The General Social Survey asks residents of the United States.
        location="{city}, {state}, United States",
    ),
    kept=frozenset({"agent_id"}),
    is_flat=True,
)
TINYTROUPE = mapping(
    "TinyTroupe agents",
    lifted="persona",
    external_id="name",
    full_name="name",
    age="age",
    gender="gender",
    occupation=("{occupation.title}", "occupation"),
    location=("residence", "country_of_residence"),
    personality_traits=("{personality.traits}", "personality_traits"),
)
EDSL = mapping(
    "EDSL agents",
    lifted="traits",
    external_id=("name", "agent_name"),
    full_name=("name", "agent_name", "{occupation}, {age}, {location}", "Agent {row}"),
    age="age",
    gender=("gender", "sex"),
    occupation="occupation",
    location="location",
    income_level="income_level",
    personality_traits="personality_traits",
    psychographic_notes="persona",
)
NEMOTRON = replace(
    mapping(
        "Nemotron-Personas",
        external_id="uuid",
        full_name=("{occupation}, {age}, {city}", "Persona {row}"),
        age="age",
        gender="sex",
        occupation="occupation",
        location="{city}, {state}, {country}",
        psychographic_notes="persona",
    ),
    named_in=(
        "persona", "professional_persona", "sports_persona", "arts_persona", "travel_persona",
        "culinary_persona",
    ),
)  # fmt: skip
PERSONA_HUB = mapping(
    "PersonaHub texts",
    external_id=("id", "uuid"),
    full_name=("name", "Persona {row}"),
    psychographic_notes=("persona", "{input persona}"),
)
BOSES = mapping(
    "personas of the boses API",
    external_id="id",
    full_name="full_name",
    age="age",
    gender="gender",
    occupation="occupation",
    location="location",
    income_level="income_level",
    personality_traits="personality_traits",
    digital_habits="digital_behavior",
    avatar_url="avatar_url",
    created_at="created_at",
)

# The first one that holds is taken, so those that could be taken for another come before it.
LAYOUTS = {
    "boses": Layout(BOSES, _is_boses),
    "genagents": Layout(GENAGENTS, _is_genagents),
    "tinytroupe": Layout(TINYTROUPE, _is_tinytroupe),
    "nemotron": Layout(NEMOTRON, _is_nemotron),
    "own": Layout(OWN, _is_own),
    "edsl": Layout(EDSL, _is_edsl),
    "personahub": Layout(PERSONA_HUB, _is_persona_hub),
}


def layout_of(row: Cells, *, is_sheet: bool) -> Mapping | None:
    """Return what becomes of rows like this one; None if no layout is known for it."""
    held = (each.mapping for each in LAYOUTS.values() if each.holds(row, is_sheet))
    return next(held, None)


def is_persona(value: Cells) -> bool:
    """Whether an object is one persona of a layout that is known, and no list of them."""
    return not _is_agent_list(value) and layout_of(value, is_sheet=False) is not None


def name_of(mapping: Mapping) -> str:
    """Return the name of the layout that a mapping is of; "" if none."""
    return next((n for n, each in LAYOUTS.items() if each.mapping.name == mapping.name), "")


def is_known(mapping: Mapping, field: str) -> bool:
    """Whether a field is made of what its layout makes it of."""
    layout = LAYOUTS.get(name_of(mapping))
    return layout is not None and layout.mapping.fields.get(field) == mapping.fields[field]


def is_header(row: Cells) -> bool:
    """Whether a row only speaks of the others, as EDSL's first line of JSON does."""
    return row.get("__header__") is True
