"""Commands whose output nobody reads, or that has no room, or that is closed from the start: the work goes on."""

import subprocess
import sys

import pytest
from tests.conftest import ROOT

RUN = (
    "data=moons",
    "data.samples=100",
    "training.num_epochs=20",
    "model.hidden_size=4",
    "tracking.pictures=light",
)


def start(user, pipeline, arguments, redirected):
    """The command with the streams that a shell would give it."""
    command = [sys.executable, str(ROOT / "pipelines" / f"{pipeline}.py"), *arguments]
    shell = ["sh", "-c", f'exec "$@" {redirected}', "sh", *command]
    return subprocess.Popen(
        shell,
        cwd=user.folder,
        env=user.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def head(process):
    """The first line, and the exit status of a command whose reader then goes."""
    line = process.stdout.readline()
    process.stdout.close()
    process.stderr.read()
    return line, process.wait()


@pytest.fixture(scope="module")
def user(make_user):
    return make_user("streams")


@pytest.mark.slow
def test_runs_and_sweeps_end_as_ever(user):
    line, status = head(start(user, "train", RUN, ""))
    assert (line.split()[0], status) == ("epoch", 0)
    line, status = head(start(user, "train", ("-m", "-v", *RUN, "seed=1,2"), "2>&1"))
    assert status == 0
    for redirected, said in (
        (">&-", ""),
        ("2>&-", None),
        (">&- 2>&- <&-", ""),
        (">/dev/full", "the output could not be written (No space left on device)\n"),
        (">/dev/full 2>/dev/full", ""),
    ):
        process = start(user, "train", RUN, redirected)
        stdout, stderr = process.communicate()
        assert process.returncode == 0, stderr
        assert said in (stderr, None)
        assert bool(stdout) is (redirected == "2>&-")
    user.wait_until_written()
    assert [run.info.status for run in user.runs()] == ["FINISHED"] * 9


@pytest.mark.slow
def test_what_was_asked_for_and_could_not_be_written_is_a_failure(user):
    user.run("train", *RUN)
    (run, *_) = user.runs()
    for pipeline, arguments in (
        ("compare", ()),
        ("replay", (f"run_id={run.info.run_id}",)),
        ("train", ("--help",)),
    ):
        assert head(start(user, pipeline, arguments, ""))[1] == 0
    for pipeline, arguments in (("compare", ()), ("train", ("--help",))):
        process = start(user, pipeline, arguments, ">/dev/full")
        assert process.communicate() == ("", "the output could not be written (No space left on device)\n")
        assert process.returncode == 1
    process = start(user, "compare", (), ">&-")
    assert process.communicate() == ("", "")
    assert process.returncode == 0
