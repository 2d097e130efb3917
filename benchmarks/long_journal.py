"""Carry a long journal into the store while another process writes to it: memory, and how long that waits.

    python -m benchmarks.long_journal [--values 4000000]

The journal is that of a sweep of 1,000 runs; the real writer process carries it. Meanwhile another process
does what a second launch does: every 50 ms it takes the store's lock, writes a row and lets go. Printed are
the longest that it has waited for the lock, and the longest that its row then took.
"""

import argparse
import json
import os
import resource
import select
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from benchmarks.journals import Sweep
from benchmarks.machine import peak_of, processor
from micrograde.store.location import StoreLock, local_store, make_store
from micrograde.tracking.writer_process import WriterProcess

RUNS, METRICS = 1000, 20
_EVERY = 0.05  # seconds


def main() -> None:
    """Carry it, and print what was seen."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--values", type=int, default=4_000_000)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--other", type=Path, metavar="HOME", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.other:
        write_now_and_then(arguments.other)
        return
    sweep = Sweep(arguments.runs, METRICS, arguments.values // (arguments.runs * METRICS))
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        os.environ["MICROGRADE_HOME"] = folder
        location = local_store(home)
        make_store(location)
        launch = sweep.launch(location)
        size = (launch / "journal.jsonl").stat().st_size / 2**20
        command = [sys.executable, "-m", "benchmarks.long_journal", "--other", folder]
        peak, start = 0.0, time.perf_counter()
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            writer = WriterProcess()
            writer.assign(launch, location)
            while writer.process.poll() is None:
                try:
                    peak = max(peak, peak_of(writer.process.pid))
                except (OSError, IndexError):  # it has just ended
                    break
                time.sleep(_EVERY)
            outcome = writer.last_answer()
            seconds = time.perf_counter() - start
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            waited = json.loads(other.communicate()[0])
        with closing(sqlite3.connect(location.database)) as connection:
            (stored,) = connection.execute("select count(*) from metrics").fetchone()
    computing = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    if "error" in outcome or stored != sweep.values:
        sys.exit(f"{stored:,} of {sweep.values:,} values are in the store: {outcome}")
    print(
        f"{processor()}, load {os.getloadavg()[0]:.1f}; {sweep.values:,} values, {size:.0f} MiB of journal\n"
        f"carried in {seconds:.0f} s, {computing:.0f} of them computing; the writer's peak {peak:.0f} MiB\n"
        f"others had their turn {waited['times']} times, and waited {waited['lock']:.2f} s at most for the "
        f"lock, then {waited['row']:.2f} for their row"
    )


def write_now_and_then(home: Path) -> None:
    """Write a row every 50 ms until standard input closes; print how often, and the longest waits."""
    location = local_store(home)
    lock, times, longest, longest_row = StoreLock(location), 0, 0.0, 0.0
    while not select.select([sys.stdin], [], [], _EVERY)[0]:
        start = time.perf_counter()
        with lock:
            held = time.perf_counter()
            with closing(sqlite3.connect(location.database, timeout=60)) as connection, connection:
                connection.execute(
                    "insert into experiment_tags (key, value, experiment_id) values (?, 'a', 0)",
                    (str(times),),
                )
            row = time.perf_counter() - held
        times, longest, longest_row = times + 1, max(longest, held - start), max(longest_row, row)
    print(json.dumps({"times": times, "lock": longest, "row": longest_row}))


if __name__ == "__main__":
    main()
