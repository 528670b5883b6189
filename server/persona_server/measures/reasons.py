"""Why a figure is missing: an undefined measure is None beside one of these, never a number."""

from enum import StrEnum


class Reason(StrEnum):
    """Stable names for what was missing; part of the contract."""

    NO_REPEATED_QUESTION = "NO_REPEATED_QUESTION"
    TOO_FEW_INDIVIDUALS = "TOO_FEW_INDIVIDUALS"
    EVERYBODY_ALIKE = "EVERYBODY_ALIKE"
    NO_COMPARABLE_PAIR = "NO_COMPARABLE_PAIR"
    TOO_FEW_POINTS = "TOO_FEW_POINTS"
    TOO_MANY_POINTS = "TOO_MANY_POINTS"
    TOO_FEW_DIFFERENCES = "TOO_FEW_DIFFERENCES"
    NO_NOISE = "NO_NOISE"
    NO_RESIDUALS = "NO_RESIDUALS"
    VOIDING = "VOIDING"
