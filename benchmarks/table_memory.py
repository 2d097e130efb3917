"""What reading and preparing a table takes: peak memory beside the table's size in float32, and seconds.

    python -m benchmarks.table_memory [--size 95] [--table adult.csv] [--describe]

Tables of several shapes are made with NumPy, each of about `--size` MB as a file, and read, split and scaled
as `micrograde train` does it, each in a process of its own. Its peak is the largest resident set after that,
less the one before it, when all that is needed had been imported and a small table prepared. Asked are
at most 4 times the features as float32 numbers (at least 1 GiB is allowed), and a minute. With `--describe`
the table is described instead, as `micrograde describe` does it, which makes no features.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

_ROWS, _VALUES, _MOST_ROWS = 20_000, 2_000_000, 1_000_000  # written at a time, and of Parquet in all
TIMES, LEAST, SECONDS = 4.0, 2**30, 60.0

Block = Callable[[np.random.Generator, int], dict[str, Any]]
"""Makes the columns of so many rows; the last is the target."""


def numbers(columns: int, digits: int) -> Block:
    """Columns of numbers with so many digits behind the point, all of them different."""

    def block(random: np.random.Generator, rows: int) -> dict[str, Any]:
        values = random.random((rows, columns)).round(digits)
        return {
            **{f"x{at}": values[:, at] for at in range(columns)},
            "y": np.where(values[:, 0] > 0.5, "a", "b"),
        }

    return block


def whole_numbers(columns: int) -> Block:
    """Columns of whole numbers of one digit: two bytes a value, the most values that a file can hold."""

    def block(random: np.random.Generator, rows: int) -> dict[str, Any]:
        values = random.integers(0, 10, (rows, columns), np.uint8)
        return {
            **{f"x{at}": values[:, at] for at in range(columns)},
            "y": np.where(values[:, 0] > 4, "a", "b"),
        }

    return block


def categories(columns: int, kinds: int) -> Block:
    """Columns of texts of one letter: each value becomes as many numbers as there are letters."""
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"[:kinds]), object)

    def block(random: np.random.Generator, rows: int) -> dict[str, Any]:
        values = letters[random.integers(0, kinds, (rows, columns))]
        return {**{f"x{at}": values[:, at] for at in range(columns)}, "y": values[:, 0] > "e"}

    return block


def names(columns: int) -> Block:
    """Columns of texts that nearly all differ, which are left out, and one of numbers."""

    def block(random: np.random.Generator, rows: int) -> dict[str, Any]:
        values = random.integers(0, 10**9, (rows, columns))
        texts = {f"x{at}": [f"n{each:09}" for each in values[:, at].tolist()] for at in range(columns)}
        return {**texts, "x": values[:, 0] % 1000, "y": values[:, 0] % 1000 > 500}

    return block


def adult(random: np.random.Generator, rows: int) -> dict[str, Any]:
    """The shape of the census table `adult`: six columns of numbers and eight of texts, some missing."""
    kinds = {"workclass": 9, "education": 16, "marital": 7, "occupation": 15, "relationship": 6, "race": 5}
    columns: dict[str, Any] = {
        "age": random.integers(17, 90, rows),
        "weight": random.integers(12285, 1484705, rows),
    }
    for name, count in kinds.items():
        texts = np.array([f"{name}-of-kind-{each}" for each in range(count - 1)] + ["?"], object)
        columns[name] = texts[random.integers(0, count, rows)]
    columns["sex"] = np.array(["Male", "Female"], object)[random.integers(0, 2, rows)]
    for name in ("education_years", "gain", "loss", "hours"):
        columns[name] = random.integers(0, 100, rows)
    columns["country"] = np.array([f"Country-{each}" for each in range(42)], object)[
        random.integers(0, 42, rows)
    ]
    columns["income"] = np.where(columns["age"] > 45, ">50K", "<=50K")
    return columns


TABLES: dict[str, Block] = {
    "wide.csv": numbers(2_000, 7),
    "long.csv": numbers(8, 7),
    "tall.csv": numbers(1, 3),
    "digits.csv": whole_numbers(100),
    "letters.csv": categories(20, 10),
    "names.csv": names(3),
    "adult.csv": adult,
    "wide.parquet": numbers(2_000, 7),
    "long.parquet": numbers(8, 7),
    "adult.parquet": adult,
}


def make(path: Path, block: Block, size: int) -> None:
    """Write a table of about ``size`` bytes; of Parquet, at most a million rows, which it packs well."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    random = np.random.default_rng(0)
    first = pa.table(block(random, 100))
    rows, made = max(100, min(_ROWS, _VALUES // first.num_columns)), 0
    is_parquet = path.suffix == ".parquet"
    writer = (pyarrow.parquet.ParquetWriter if is_parquet else pyarrow.csv.CSVWriter)(path, first.schema)
    with writer:
        while made == 0 or (path.stat().st_size < size and not (is_parquet and made >= _MOST_ROWS)):
            writer.write_table(pa.table(block(random, rows)))
            made += rows


def peak() -> int:
    """The largest resident set of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(path: Path, target: str, *, describe: bool) -> dict[str, float]:
    """Read and prepare a table, in this process."""
    from micrograde.data.sets.tables import CsvTable, ParquetTable
    from micrograde.runs.building import prepare_data

    kind = ParquetTable if path.suffix == ".parquet" else CsvTable
    with tempfile.TemporaryDirectory() as scratch:
        small = Path(scratch) / path.name
        make(small, adult, 1)
        prepare_data(kind(path=str(small), target="income", seed=0), "float32")
    before, start, start_cpu = peak(), time.perf_counter(), time.process_time()
    table = kind(path=str(path), target=target, seed=0)
    if describe:
        table.describe()
        seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
        return {"seconds": seconds, "cpu": cpu, "peak": peak() - before, "float32": 0}
    data = prepare_data(table, "float32")
    seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    rows, features = data.dataset.features.shape
    return {
        "seconds": seconds,
        "cpu": cpu,
        "peak": peak() - before,
        "float32": 4 * rows * features,
        "rows": rows,
        "features": features,
    }


def rows_of_all(
    names: list[str], size: int, folder: Path | None, *, describe: bool
) -> Iterator[dict[str, Any]]:
    """Make each table and measure it in a process of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        for name in names:
            path = (folder or Path(scratch)) / name
            if not path.exists():
                make(path, TABLES[name], size)
            target = list(TABLES[name](np.random.default_rng(0), 1))[-1]
            command = [
                sys.executable,
                "-m",
                "benchmarks.table_memory",
                "--path",
                str(path),
                "--target",
                target,
            ]
            command += ["--describe"] if describe else []
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
            yield {"table": name, "file": path.stat().st_size, **json.loads(done.stdout)}
            if folder is None:
                path.unlink()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=95, help="of each file, in MB")
    parser.add_argument("--table", choices=list(TABLES), action="append", help="only this one")
    parser.add_argument("--describe", action="store_true", help="describe the table instead")
    parser.add_argument("--folder", type=Path, help="keep the tables there, and use those that are there")
    parser.add_argument("--path", type=Path, help="measure this table in this process")
    parser.add_argument("--target", help="the target of --path")
    arguments = parser.parse_args()
    if arguments.path:
        print(json.dumps(measure(arguments.path, arguments.target, describe=arguments.describe)))
        return
    print(
        "| table | file, MB | rows x features | as float32, MB | peak, MB | times | seconds | of the CPU | |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    names, size = arguments.table or list(TABLES), arguments.size * 10**6
    for row in rows_of_all(names, size, arguments.folder, describe=arguments.describe):
        allowed = max(TIMES * row["float32"], LEAST)
        seconds = min(row["seconds"], row["cpu"])  # others may use the machine, too
        kept = row["peak"] <= allowed and seconds <= SECONDS
        cells = [
            row["table"],
            f"{row['file'] / 1e6:.0f}",
            f"{row['rows']:,} x {row['features']:,}" if row.get("rows") else "",
            f"{row['float32'] / 1e6:.0f}",
            f"{row['peak'] / 1e6:.0f}",
            f"{row['peak'] / row['float32']:.1f}" if row["float32"] else "",
            f"{row['seconds']:.1f}",
            f"{row['cpu']:.1f}",
            "" if kept else f"MORE than {allowed / 1e6:.0f} MB or {SECONDS:.0f} s",
        ]
        print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
