"""What personas to list, export or count."""

from typing import TypedDict


class ProfileFilters(TypedDict, total=False):
    """What personas to list, of a group or of the library; "" and 0 are no filter.

    gender and income_level match whole, location and occupation as substrings, all case-folded;
    ages are years, inclusive.
    """

    gender: str
    income_level: str
    location: str
    occupation: str
    age_min: int
    age_max: int


class PersonaFilters(ProfileFilters, total=False):
    """What personas to list, export or count.

    external_id and attributes match verbatim, full_name whole and case-folded.
    """

    external_id: str
    full_name: str
    attributes: dict[str, str]
