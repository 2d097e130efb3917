"""Stages of a check: what stands in one lane runs one after the other, lanes run side by side.

Each stage's output is shown when it has ended, and kept in ``build/ci/``. At the end stands a table with the
time of each. Standard library alone: a stage may be what installs the rest.
"""

import os
import re
import subprocess
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOGS = ROOT / "build" / "ci"


@dataclass(frozen=True)
class Stage:
    """A script of bash, which ends at the first command that fails; with variables for its environment."""

    name: str
    script: str
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """How a stage ended: exit status, seconds by the clock and of processors, and pytest's last line."""

    name: str
    status: int
    seconds: float
    cpu_seconds: float
    said: str


def run_lanes(lanes: Sequence[Sequence[Stage]]) -> list[Outcome]:
    """Run all stages, also those after one that fails; their outcomes, in the order given."""
    LOGS.mkdir(parents=True, exist_ok=True)
    printing = threading.Lock()
    with ThreadPoolExecutor(len(lanes)) as pool:
        of_lanes = list(pool.map(lambda lane: [_run(stage, printing) for stage in lane], lanes))
    return [outcome for of_lane in of_lanes for outcome in of_lane]


def print_summary(outcomes: Sequence[Outcome], seconds: float) -> None:
    """A row for each stage, and the whole time."""
    print(f"\n{'stage':<20} {'outcome':<8} {'time':>8} {'CPU':>8}")
    for each in outcomes:
        outcome = f"exit {each.status}" if each.status else "passed"
        times = f"{_minutes(each.seconds):>8} {_minutes(each.cpu_seconds):>8}"
        print(f"{each.name:<20} {outcome:<8} {times}  {each.said}".rstrip())
    failed = [each.name for each in outcomes if each.status]
    verdict = f"FAILED: {', '.join(failed)}" if failed else "all passed"
    print(f"{verdict}, in {_minutes(seconds)} on {os.cpu_count()} cores", flush=True)


def _run(stage: Stage, printing: threading.Lock) -> Outcome:
    with printing:
        print(f"--- {stage.name}: begins", flush=True)
    log = LOGS / f"{stage.name.replace(' ', '-')}.log"
    start = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", stage.script],
            cwd=ROOT,
            env={**os.environ, **stage.environment},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    text = log.read_text(errors="replace")
    counts = re.findall(r"^=* ?(\d+ (?:passed|failed|error).* in [\d.]+s.*?) ?=*$", text, re.MULTILINE)
    outcome = Outcome(
        stage.name,
        process.returncode,
        time.monotonic() - start,
        usage.ru_utime + usage.ru_stime,
        counts[-1] if counts else "",
    )
    with printing:
        ended = f"FAILED with exit status {outcome.status}" if outcome.status else "passed"
        print(
            f"--- {stage.name}: output\n{text}--- {stage.name}: {ended} in {_minutes(outcome.seconds)}\n",
            flush=True,
        )
    return outcome


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
