"""What protects main, stage by stage: `.ci/run`.

Style, types, import rules, the documentation's links and blocks, the tests (with PyTorch
to compare too, on a cluster with a real server and PostgreSQL, and in a browser),
fuzzing of every reader, findings of a few sound and ill runs, and the main job run as a user runs it.
What is a matrix is in ``release.py``.
"""

import sys
import time

from stages import Stage, print_summary, run_lanes

# One resolution for all extras; each target by itself installs what it needs.
INSTALL = Stage("install", "make install")
PROGRAMS = Stage(
    "programs",
    """
    if ! compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null || ! command -v chromium >/dev/null; then
        as_root=$([ "$(id -u)" = 0 ] || echo sudo)
        $as_root apt-get update -q && $as_root apt-get install -q -y chromium postgresql
    fi
    """,
)
MAIN_JOBS = Stage(
    "main jobs",
    r"""
    make train
    make train ARGS="optimizer.learning_rate=0.3 training.num_epochs=5"
    make train ARGS="-m optimizer.learning_rate=0.1,0.3 seed=0,1 training.num_epochs=5"
    first='import sqlite3
runs = sqlite3.connect("mlruns/mlflow.db").execute("select run_uuid from runs order by start_time")
print(runs.fetchone()[0])'
    make replay ARGS="run_id=$(.venv/bin/python -c "$first")"
    make compare
    make compare ARGS="sweep=latest"
    make export ARGS="run_id=latest output=mlruns/model.onnx"
    """,
)
LANES = [
    [Stage("test", "make test"), Stage("test-slow", "make test-slow")],
    [
        Stage("lint", "make lint"),
        MAIN_JOBS,
        Stage("docs", "make docs"),
        Stage("test-torch", "make test-torch"),
        Stage("test-system", "make test-system"),
        Stage("fuzz", 'make fuzz ARGS="--seconds 8"'),
        Stage("findings", ".venv/bin/python -m benchmarks.findings --small"),
    ],
]


def main() -> int:
    """Install, then run all stages; 1 if any has failed."""
    start = time.monotonic()
    outcomes = run_lanes([[INSTALL], [PROGRAMS]])
    if not any(each.status for each in outcomes):
        outcomes += run_lanes(LANES)
    print_summary(outcomes, time.monotonic() - start)
    return int(any(each.status for each in outcomes))


if __name__ == "__main__":
    sys.exit(main())
