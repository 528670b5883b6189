"""Where answers stand from left to right: by time, or one simulation after the other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from persona.v1.measures_pb2 import (
    SLOPE_UNIT_SIMULATION,
    QuestionTimeline,
    TimelinePoint,
)


@dataclass(frozen=True, slots=True)
class Along:
    """Places of points: days since 1970, UTC, or where `ranks` has them, those of simulations."""

    ranks: Mapping[str, int] | None = None  # of simulations by their ids, from 1

    def of(self, point: TimelinePoint) -> float:
        """Return where a point stands."""
        if self.ranks is None:
            return (point.occurred_at.seconds + point.occurred_at.nanos / 1e9) / 86_400
        return min(self.ranks[each] for each in point.simulation_ids)

    def has_line(self, timeline: QuestionTimeline) -> bool:
        """Whether a slope is a straight line here.

        Along simulations one per 30 days is none, nor is one of a question to which they came in
        another order than to others.
        """
        shift = timeline.numeric_shift
        if not shift.HasField("slope") or self.ranks is None:
            return shift.HasField("slope")
        ascends = all(a < b for a, b in pairwise(map(self.of, timeline.points)))
        return ascends and shift.slope.per == SLOPE_UNIT_SIMULATION

    def span(self, timelines: Sequence[QuestionTimeline]) -> tuple[float, float]:
        """Return the first and the last place."""
        places = [self.of(point) for timeline in timelines for point in timeline.points]
        return min(places), max(places)


def along_simulations(timelines: Sequence[QuestionTimeline]) -> Along:
    """Return simulations as places, in the order in which they were first answered in."""
    points = [point for timeline in timelines for point in timeline.points]
    points.sort(key=lambda point: (point.occurred_at.seconds, point.occurred_at.nanos))
    ids = dict.fromkeys(each for point in points for each in point.simulation_ids)
    return Along({each: rank for rank, each in enumerate(ids, 1)})
