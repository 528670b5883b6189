"""A mapping: what of a source becomes which field of a persona."""

from dataclasses import dataclass, field

from persona.v1.persona_pb2 import Persona
from persona_cli.files.layouts.levels import Level
from persona_cli.files.layouts.templates import Template, parse_template
from persona_server.validation.personas import OUTPUT_ONLY

# What can be filled: the rest is output only, or made of what is left.
FIELDS = tuple(
    each.name
    for each in Persona.DESCRIPTOR.fields
    if each.name not in OUTPUT_ONLY and each.name != "attributes"
)


@dataclass(frozen=True, slots=True)
class Mapping:
    """Fields by the templates of which the first one that says something is taken.

    What is used as it stands is not kept as well, but for `kept`; anything else becomes an
    attribute, named by its path, but for `dropped`. What is `absent` counts as not there at all.
    """

    name: str  # of the layout, as it is said
    fields: dict[str, tuple[Template, ...]] = field(default_factory=dict)
    levels: tuple[Level, ...] = ()
    lifted: str = ""  # the member whose members count as the row's own
    kept: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    unfilled: tuple[str, ...] = ()  # fields that a user makes of nothing
    named_in: tuple[str, ...] = ()  # texts in which the name is looked for
    is_flat: bool = False  # an object is a value, and its members are none
    is_own: bool = False  # what does not fit is refused, since it was written for this service
    is_strict: bool = False  # and so is what has no field


def mapping(name: str, lifted: str = "", **fields: str | tuple[str, ...]) -> Mapping:
    """Return a mapping of templates as they are written."""
    parsed = {
        each: tuple(map(parse_template, (said,) if isinstance(said, str) else said))
        for each, said in fields.items()
    }
    return Mapping(name, parsed, lifted=lifted)
