"""How good and how fast the measures are: `make bench-measures`.

Prints a table of the goals, each with what was measured and whether it holds, and one of the
agreement coefficient by design and truth. Seeded: all figures but the times are the same in every
run. Exits with 1 if a goal is missed.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from math import sqrt
from random import Random
from statistics import fmean, stdev
from typing import NamedTuple

import measures_cpu
from simulated import Item, Lapse, bank, change_share, measure, plant, rating_change_share, respond

from persona_server.measures.individual.policy import Status

Design = tuple[int, int]  # questions, simulations

# With multiples of the replications: small designs vary more, and cost less.
DESIGNS: dict[Design, int] = {(15, 3): 4, (30, 4): 4, (60, 6): 1}
TRUTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 1.0)
BLOCK = 10  # questions that share a lapse


class Row(NamedTuple):
    """One line of the table of goals; without a goal, ``holds`` is None."""

    goal: str
    measured: str
    holds: bool | None


@dataclass(frozen=True)
class Cell:
    """What came out for one design and one true C."""

    design: Design
    truth: float
    mean: float
    error: float  # standard error of the mean
    covered: float  # share of lower bounds at or below the truth
    covered_error: float
    promoted: float

    @property
    def bias(self) -> float:
        """The mean's distance from the truth."""
        return self.mean - self.truth

    def __str__(self) -> str:
        """Name the cell."""
        return f"C = {self.truth} in {self.design[0]} x {self.design[1]}"


def independent(random: Random, truth: float) -> Lapse:
    """Lapse at each question and simulation by itself."""
    return lambda _question, _simulation: random.random() >= sqrt(truth)


def shared(random: Random, truth: float) -> Lapse:
    """Lapse at all questions of a block of a simulation, or at none."""
    lapsed: dict[tuple[int, int], bool] = {}
    own = independent(random, truth)
    return lambda i, s: lapsed.setdefault((i // BLOCK, s), own(i, s))


class Study(NamedTuple):
    """Who is simulated."""

    design: Design
    truth: float
    lapses: Callable[[Random, float], Lapse] = independent


def cell(random: Random, items: list[Item], n: int, study: Study) -> Cell:
    """Simulate n respondents; a figure that is undefined counts nowhere."""
    questions, simulations = study.design
    results = []
    for _ in range(n):
        asked = random.sample(items, questions)
        lapse = study.lapses(random, study.truth)
        results.append(measure(asked, respond(random, asked, simulations, lapse)))
    estimates = [result.estimate for result in results if result.estimate is not None]
    found = [estimate.coefficient for estimate in estimates]
    bounds = [estimate.low for estimate in estimates]
    covered = fmean(bound <= study.truth for bound in bounds)
    return Cell(
        study.design,
        study.truth,
        fmean(found),
        stdev(found) / sqrt(len(found)),
        covered,
        sqrt(covered * (1 - covered) / len(bounds)),
        fmean(result.status is Status.ELIGIBLE for result in results),
    )


def agreement_rows(cells: list[Cell]) -> Iterator[Row]:
    """Bias, coverage and promotion: the worst of all cells of each goal."""
    worst = max((c for c in cells if c.truth == 0), key=lambda c: abs(c.bias))
    text = f"{worst.mean:+.4f} ± {worst.error:.4f} ({worst})"
    yield Row("mean C of random answers within 0.01", text, abs(worst.bias) <= 0.01)
    worst = max(cells, key=lambda c: abs(c.bias))
    text = f"at most {abs(worst.bias):.4f} ± {worst.error:.4f} ({worst})"
    yield Row("mean bias within 0.01 at every C", text, abs(worst.bias) <= 0.01)
    for design in DESIGNS:
        worst = min((c for c in cells if c.design == design), key=lambda c: c.covered)
        goal = f"lower bound covers 95 ± 1% in {design[0]} x {design[1]}"
        text = f"at least {worst.covered:.1%} ± {worst.covered_error:.1%} ({worst})"
        yield Row(goal, text, worst.covered >= 0.94)
    promoted = {c.truth: c.promoted for c in cells if c.design == (30, 4)}
    yield Row("30 x 4: promotes C = 0.6 at most 1%", f"{promoted[0.6]:.1%}", promoted[0.6] <= 0.01)
    yield Row("30 x 4: promotes C = 0.9 at least 70%", f"{promoted[0.9]:.1%}", promoted[0.9] >= 0.7)


def consensus_rows(n: int) -> Iterator[Row]:
    """Random respondents where 95% of people are alike."""
    random = Random(2)
    items = bank(random, consensus=0.95)
    for design in DESIGNS:
        promoted = round(cell(random, items, n, Study(design, 0.0)).promoted * n)
        goal = f"95% of people alike, {design[0]} x {design[1]}: no random respondent promoted"
        yield Row(goal, f"{promoted} of {n}", promoted == 0)


def contradiction_rows(n: int) -> Iterator[Row]:
    """Steady respondents into whose answers contradictions are planted."""
    random = Random(3)
    items = bank(random)
    planted = found = invented = 0
    for _ in range(n):
        asked = random.sample(items, 30)
        answers = respond(random, asked, 4, independent(random, 1.0))
        questions = plant(random, asked, answers)
        named = {c.question for c in measure(asked, answers).contradictions.found}
        planted, found = planted + len(questions), found + len(questions & named)
        invented += len(named - questions)
    text = f"{found} of {planted}, and {invented} others"
    yield Row("planted contradictions found, all", text, found == planted and not invented)


def change_rows(n: int) -> Iterator[Row]:
    """Size and power of the reliable change index; sd is the noise of one answer, √v.

    A test at 5% of two answers with normal noise has a power of 0.29, 0.52 and 0.81 at these
    changes, however well v is known.
    """
    random = Random(5)
    for peers, waves in ((5, 3), (20, 3), (40, 5)):
        name = f"RCI, k = {peers * (waves - 1)}"
        size = change_share(random, 10 * n, (peers, waves), 0)
        yield Row(f"{name}: size 5 ± 1%", f"{size:.1%}", 0.04 <= size <= 0.06)
        for change, label in ((2.0, "2 sd"), (2 * sqrt(2), "2 sd of a difference")):
            power = change_share(random, 2 * n, (peers, waves), change)
            yield Row(f"{name}: power for {label}", f"{power:.2f}", None)
        power = change_share(random, 2 * n, (peers, waves), 4.0)
        yield Row(f"{name}: power for 4 sd, at least 0.78", f"{power:.2f}", power >= 0.78)
    for deviation in (0.3, 0.5, 1.0):
        size = rating_change_share(random, 4 * n, deviation)
        goal = f"RCI, k = 40: size, ratings 1…5 rounded from noise {deviation}"
        yield Row(goal, f"{size:.1%}", None)


def shared_lapse_rows(n: int) -> Iterator[Row]:
    """Lapses shared by blocks of questions, which no bound can see: no goal."""
    random = Random(4)
    items = bank(random)
    for design in DESIGNS:
        found = cell(random, items, n, Study(design, 0.6, shared))
        goal = f"lapses shared by {BLOCK} questions, {found}: bound covers"
        yield Row(goal, f"{found.covered:.1%}, promoted {found.promoted:.1%}", None)


def cpu_rows() -> Iterator[Row]:
    """CPU time by goal, in milliseconds."""
    goals = (
        ("reliability, 200 questions x 10 among 5,000 others", 50, measures_cpu.reliability_time),
        ("timeline, 10 waves x 200 questions, given the sums", 50, measures_cpu.timeline_time),
        ("match of 100,000 library personas", 150, measures_cpu.match_time),
    )
    for name, limit, measured in goals:
        used = measured()
        yield Row(f"{name}: {limit} ms CPU", f"{used:.0f} ms", used <= limit)


def print_goals(rows: Iterable[Row]) -> int:
    """Print the table of goals; the number of missed ones."""
    print("| goal | measured | holds |\n|---|---|---|")
    missed = 0
    for row in rows:
        verdict = {None: "no goal", True: "yes", False: "NO"}[row.holds]
        print(f"| {row.goal} | {row.measured} | {verdict} |", flush=True)
        missed += row.holds is False
    return missed


def print_tables(description: str, counted: str, *tables: Callable[[int], Iterable[Row]]) -> None:
    """Print the tables of goals of a benchmark; exit with 1 if one is missed.

    Each is of as many replications as the command line says; `counted` tells what they are.
    """
    parser = argparse.ArgumentParser(description=description.split("\n", maxsplit=1)[0])
    parser.add_argument("--replications", type=int, default=1000, help=counted)
    replications, missed = parser.parse_args().replications, 0
    for i, rows in enumerate(tables):
        print(end="\n" if i else "")
        missed += print_goals(rows(replications))
    sys.exit(missed > 0)


def print_cells(cells: list[Cell]) -> None:
    """Print the table of the agreement coefficient."""
    print("\n| questions x simulations | true C | mean C | ± | bound covers | promoted |")
    print("|---|---|---|---|---|---|")
    for c in cells:
        figures = f"{c.mean:.4f} | {c.error:.4f} | {c.covered:.1%} | {c.promoted:.1%}"
        print(f"| {c.design[0]} x {c.design[1]} | {c.truth} | {figures} |")


def main() -> None:
    """Print both tables; exit with 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--replications", type=int, default=1000, help="respondents per figure")
    n = parser.parse_args().replications
    random = Random(1)
    items = bank(random)
    cells = [
        cell(random, items, times * n, Study(design, truth))
        for design, times in DESIGNS.items()
        for truth in TRUTHS
    ]
    sections = (consensus_rows, contradiction_rows, change_rows, shared_lapse_rows)
    missed = print_goals(agreement_rows(cells))
    print()
    missed += print_goals(row for section in sections for row in section(n))
    print()
    missed += print_goals(cpu_rows())
    print_cells(cells)
    sys.exit(missed > 0)


if __name__ == "__main__":
    main()
