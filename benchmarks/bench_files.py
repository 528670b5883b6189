"""How fast files are read, and in how much memory: rows alone, and personas that are checked.

Each kind of file is read by a process of its own, so that its peak of memory is its own. Seconds
are of CPU, of which reading uses one core.
"""

import argparse
import csv
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from persona_cli.files.json_lines import LineError
from persona_cli.files.persona_files import Options, PersonaFiles
from persona_cli.files.sources import input_files
from persona_cli.files.tables.opening import open_table
from persona_cli.files.tables.table import Reading

KINDS = ("csv", "jsonl", "json", "parquet")
GOAL, MOST_MIB = 20_000, 300  # rows a second, and of memory


def people(count: int) -> Iterator[dict[str, Any]]:
    """Yield people as another system might hold them: ten columns, half of which have no field."""
    for i in range(count):
        yield {
            "full_name": f"Mira Sandberg {i}", "id": f"row-{i}", "age": 20 + i % 60,
            "gender": "Female", "occupation": "Carpenter", "location": "Uppsala, Sweden",
            "income_level": "middle", "education": "Bachelor", "religion": "None",
            "political_views": "Moderate",
        }  # fmt: skip


def write(kind: str, path: Path, count: int) -> None:
    """Write people as a file of a kind."""
    if kind == "parquet":
        write_parquet(path, count)
        return
    with path.open("w", newline="") as file:
        if kind == "csv":
            rows = csv.DictWriter(file, next(people(1)).keys())
            rows.writeheader()
            rows.writerows(people(count))
            return
        end = "," if kind == "json" else ""
        file.write("[\n" if kind == "json" else "")
        for i, one in enumerate(people(count), 1):
            file.write(f"{json.dumps(one)}{end if i < count else ''}\n")
        file.write("]\n" if kind == "json" else "")


def write_parquet(path: Path, count: int) -> None:
    """Write people in one row group, which is the hardest to read in little memory."""
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(list(people(count))), path, row_group_size=count)


def read_rows(path: Path) -> int:
    """Return how many rows a file has."""
    with path.open("rb") as stream:
        table = open_table(stream, Reading(), lambda _: None, is_pipe=False)
        return sum(not isinstance(row, LineError) for _, row in table.rows)


def read_personas(path: Path) -> int:
    """Return how many personas a file has."""
    with PersonaFiles(input_files([str(path)]), Options()) as files:
        return sum(not isinstance(one, LineError) for _, one in files.items(0, lambda _: None))


def measure(path: Path, what: str, count: int) -> None:
    """Print rows a second of CPU, and the peak of memory in MiB."""
    started = time.process_time()
    found = (read_rows if what == "rows" else read_personas)(path)
    took = time.process_time() - started
    assert found == count, (found, count)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    missed = " (missed)" if count / took < GOAL or peak > MOST_MIB else ""
    print(
        f"{path.suffix[1:]:8} {what:9} {count / took:9,.0f}/s {peak:6.0f} MiB{missed}", flush=True
    )


def main() -> None:
    """Write files, and read each in a process of its own."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*", default=KINDS, help="kinds of files, all if left out")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--read", nargs=2, metavar=("FILE", "WHAT"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.read:
        measure(Path(given.read[0]), given.read[1], given.rows)
        return
    with tempfile.TemporaryDirectory() as folder:
        for kind in given.kinds:
            path = Path(folder) / f"people.{kind}"
            # Written by another process as well: it holds all of a Parquet file.
            if (child := os.fork()) == 0:
                write(kind, path, given.rows)
                os._exit(0)
            os.waitpid(child, 0)
            for what in ("rows", "personas"):
                options = ["--rows", str(given.rows), "--read", str(path), what]
                subprocess.run([sys.executable, __file__, *options], check=True)
            path.unlink()


if __name__ == "__main__":
    main()
