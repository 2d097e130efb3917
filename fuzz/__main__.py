"""Fuzz every reader, each in a process of its own: ``python -m fuzz [--reader idx] [--seconds 20]``.

Ends with an error if anything was found, and says where the input is kept and how to try it again.
"""

import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from fuzz.targets import TARGETS

_FOLDER = Path("build/fuzz")
_GRACE = 120  # seconds beyond those of fuzzing, for imports, bombs and the last input


def main() -> int:
    """How many readers were found at fault."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("--reader", choices=TARGETS, action="append", help="this one; may be given again")
    parser.add_argument("--seconds", type=int, default=300, help="of fuzzing for each reader (300)")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="at a time (2)")
    parser.add_argument("--input", type=Path, help="try this file, with one --reader, and fuzz nothing")
    given = parser.parse_args()
    names = given.reader or list(TARGETS)
    if given.input:
        if len(names) != 1:
            parser.error("--input needs one --reader")
        return subprocess.run(_command(names[0], 0, given.input)).returncode
    print(f"reader       executions  coverage      seconds  result   ({_FOLDER}/)", flush=True)
    with ThreadPoolExecutor(given.jobs) as pool:
        return sum(pool.map(partial(_fuzz, seconds=given.seconds), names))


def _command(name: str, seconds: int, one_input: Path | None = None) -> list[str]:
    command = [sys.executable, "-m", "fuzz.one", name, str(seconds), str(_FOLDER / name)]
    return [*command, str(one_input)] if one_input else command


def _fuzz(name: str, seconds: int) -> bool:
    """Fuzz one reader, and print a line; whether anything was found."""
    folder = _FOLDER / name
    (folder / "findings").mkdir(parents=True, exist_ok=True)
    for old in (folder / "findings").iterdir():
        old.unlink()
    log = folder / "log.txt"
    with log.open("wb") as stream:
        try:
            failed = subprocess.run(
                _command(name, seconds), stdout=stream, stderr=stream, timeout=seconds + _GRACE
            ).returncode
        except subprocess.TimeoutExpired:
            failed = 1
    text = log.read_text(errors="replace")
    runs, coverage = (re.findall(pattern, text) for pattern in (r"(?m)^#(\d+)\t", r"cov: (\d+)"))
    duration = re.findall(r"(?m)^Done \d+ runs in (\d+) second", text)
    grown = f"{coverage[0]} to {coverage[-1]}" if coverage else "-"
    print(
        f"{name:<12} {(runs or ['0'])[-1]:>10}  {grown:<12}  {(duration or ['-'])[0]:>7}  "
        f"{'FOUND SOMETHING' if failed else 'nothing found'}",
        flush=True,
    )
    if failed:
        kept = sorted((folder / "findings").iterdir())
        for path in kept:
            print(f'    try it again:  make fuzz ARGS="--reader {name} --input {path}"', flush=True)
        what = re.findall(r"(?m)^.*(?:Error|Exception|SUMMARY|ERROR)\b.*$", text)[:3]
        print("".join(f"    {line.strip()[:300]}\n" for line in what) + f"    the log: {log}", flush=True)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
