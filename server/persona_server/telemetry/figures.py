"""The metrics of several processes as those of one, from their pages in Prometheus's format."""

from collections.abc import Iterable
from typing import NamedTuple

_GAUGE = "gauge"
_CREATED = "_created"  # what ends the name of a counter's time of making


class Family(NamedTuple):
    """A metric: its lines of explanation, its kind, and its samples by name and labels."""

    head: list[str]
    kind: str
    samples: dict[str, float]

    @property
    def is_momentary(self) -> bool:
        """Whether it is of what is now, and is nothing any more when its process has ended."""
        return self.kind == _GAUGE and not self._is_time

    @property
    def _is_time(self) -> bool:
        return all(name.partition("{")[0].endswith(_CREATED) for name in self.samples)

    def add(self, sample: str, value: float) -> None:
        """Add a value to a sample; of two times the earlier one stays."""
        before = self.samples.get(sample)
        if before is None:
            self.samples[sample] = value
        elif sample.partition("{")[0].endswith(_CREATED):
            self.samples[sample] = min(before, value)
        else:
            self.samples[sample] = before + value


Figures = dict[str, Family]


def read(page: bytes) -> Figures:
    """Return the metrics of a page, by name."""
    found: Figures = {}
    head: list[str] = []
    for line in page.decode().splitlines():
        if line.startswith("#"):
            head.append(line)
            _, what, name, rest = line.split(" ", 3)
            if what == "TYPE":
                found[name] = Family(head, rest, {})
                head = []
        else:
            sample, _, value = line.rpartition(" ")
            found[name].add(sample, float(value))
    return found


def added_up(all_figures: Iterable[Figures]) -> Figures:
    """Return the sums of the metrics of several processes; of times the earliest."""
    total: Figures = {}
    for figures in all_figures:
        for name, family in figures.items():
            mine = total.setdefault(name, Family(family.head, family.kind, {}))
            for sample, value in family.samples.items():
                mine.add(sample, value)
    return total


def lasting(figures: Figures) -> Figures:
    """Return what counts on when a process has ended: all but what was of its moment."""
    return {name: family for name, family in figures.items() if not family.is_momentary}


def written(figures: Figures) -> bytes:
    """Return a page of metrics."""
    lines = []
    for family in figures.values():
        lines += family.head
        lines += [f"{sample} {value}" for sample, value in family.samples.items()]
    return "".join(f"{line}\n" for line in lines).encode()


def joined(pages: Iterable[bytes]) -> bytes:
    """Return one page of those of several processes; an empty one has nothing."""
    return written(added_up(map(read, pages)))
