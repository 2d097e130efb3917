"""Commands in odd surroundings: one line that says what is wrong and what to do, and nothing begun."""

import os
import subprocess
import sys

import pytest
from tests.conftest import ROOT, User

TINY = ("data=moons", "data.samples=60", "model.hidden_size=4", "training.num_epochs=2")
COMMANDS = {
    "train": TINY,
    "sweep": ("-m", *TINY, "seed=1,2"),
    "compare": (),
    "replay": ("run_id=latest",),
    "predict": ("run_id=latest", "data.path=x.csv"),
    "export": ("run_id=latest", "output=x.onnx"),
    "sync": (),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_a_store_of_the_wrong_kind_is_one_line_of_every_command(user, name):
    claims = user.home / "mlruns" / "claims"
    claims.symlink_to("nowhere")
    before = user.files()
    done = user.run("train" if name == "sweep" else name, *COMMANDS[name], status=2)
    assert done.stdout == ""
    advice = "move it away, or set MICROGRADE_HOME to another folder"
    assert done.stderr == f"{claims}: is a link to nowhere, which is not there; {advice}\n"
    assert user.files() == before


def test_the_pages_too(user):
    database = user.home / "mlruns" / "mlflow.db"
    database.write_text("no database")
    done = user.run("ui", "--no-browser", status=2)
    assert done.stderr.startswith(f"{database}: is no SQLite database; move it away, or set MICROGRADE_HOME")


@pytest.mark.parametrize(
    ("before", "line"),
    [
        ("ulimit -n 12", "at most 12 files may be open (ulimit -n); allow more: ulimit -n 1024"),
        ("ulimit -v 500000", "ulimit -v allows 488 MiB, and the libraries alone take 768; allow more: ulimit -v"),
        ("mkdir gone; cd gone; rmdir ../gone", "the working directory cannot be found (No such file or directory)"),
    ],
)  # fmt: skip
def test_what_a_shell_has_set(user, before, line):
    done = in_shell(user, before, "compare.py")
    assert done.returncode == 2
    assert done.stdout == ""
    (said,) = done.stderr.splitlines()
    assert said.startswith(line)


@pytest.mark.slow
def test_few_files_that_may_be_more_and_no_standard_streams(user):
    closed = in_shell(user, "ulimit -Sn 12; exec 0<&- 1>&- 2>&-", "train.py", *TINY)
    assert (closed.returncode, closed.stdout, closed.stderr) == (0, "", "")
    (run,) = user.runs()
    assert run.info.status == "FINISHED"


def in_shell(user: User, before: str, script: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = f'{before}; exec "$@"'
    words = [sys.executable, str(ROOT / "pipelines" / script), *arguments]
    return subprocess.run(
        ["bash", "-c", command, "bash", *words],
        cwd=user.folder,
        env={**os.environ, **user.environment},
        capture_output=True,
        text=True,
        check=False,
    )
