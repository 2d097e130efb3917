"""A package that is installed beside micrograde brings a place to record runs; the writer finds it, too."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from tests.docs.test_contributing import examples

ROOT = Path(__file__).parents[2]
KEPT = "tracking=lines"
SHORT = ("data=iris", "training.num_epochs=3")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The example of CONTRIBUTING.md as a package of its own, with what pip writes beside it."""
    folder = tmp_path_factory.mktemp("package")
    (folder / "micrograde_lines").mkdir()
    writes, reads = (
        text for path, text in examples().items() if path.endswith(("/lines.py", "/lines_reader.py"))
    )
    of_ours, of_theirs = "micrograde.store.lines_reader", "micrograde_lines.lines_reader"
    (folder / "micrograde_lines" / "__init__.py").write_text(writes.replace(of_ours, of_theirs))
    (folder / "micrograde_lines" / "lines_reader.py").write_text(reads)
    about = folder / "micrograde_lines-0.5.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: micrograde-lines\nVersion: 0.5\n")
    (about / "entry_points.txt").write_text("[micrograde.plugins]\nlines = micrograde_lines\n")
    return folder


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def run(package, home):
    """A function that runs a command with the package, or without it."""

    def run(command, *args, here=home, installed=True):
        paths = [*([str(package)] if installed else []), os.environ.get("PYTHONPATH", "")]
        return subprocess.run(
            [sys.executable, *command.split(), *args],
            cwd=here,
            env={**os.environ, "MICROGRADE_HOME": str(here), "PYTHONPATH": os.pathsep.join(paths)},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="module")
def run_id(run):
    done = run(f"{ROOT}/pipelines/train.py", *SHORT, KEPT)
    assert done.returncode == 0, done.stderr
    assert "look        micrograde compare tracking=lines\n" in done.stdout
    (found,) = re.findall(r"finished    run (\w{32}) of experiment iris", done.stdout)
    return found


@pytest.fixture(scope="module")
def swept(run):
    done = run(f"{ROOT}/pipelines/train.py", "-m", *SHORT, "seed=1,2,3", KEPT)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_run_is_kept_there_with_its_files_and_nowhere_else(home, run_id):
    assert (home / "mlruns" / "lines" / run_id / "files" / "config" / "config.yaml").exists()
    assert sorted(path.name for path in (home / "mlruns").iterdir()) == ["launches", "lines", "project.json"]
    assert list((home / "mlruns" / "launches").iterdir()) == []


def test_a_sweep_is_and_is_not_trained_again(run, swept):
    assert "finished    3 of 3 runs" in swept
    assert "tracking=lines sweep=latest" in swept
    again = run(f"{ROOT}/pipelines/train.py", "-m", *SHORT, "seed=1,2,3", KEPT)
    assert again.returncode == 0, again.stderr
    assert "3 of 3 runs, 3 of them from before" in again.stdout


def test_runs_are_compared_replayed_and_loaded(run, home, run_id, swept):  # noqa: ARG001
    compared = run(f"{ROOT}/pipelines/compare.py", KEPT)
    assert compared.returncode == 0, compared.stderr
    assert "4 runs, best kept/val/accuracy first" in compared.stdout
    assert run_id[:8] in compared.stdout
    replayed = run(f"{ROOT}/pipelines/replay.py", f"run_id={run_id[:8]}", KEPT)
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
    assert "identical" in replayed.stdout
    code = f"""if True:
        import micrograde as mg
        from micrograde.analysis import load_history, load_runs
        runs = load_runs("lines:{home}/mlruns/lines")
        assert len(runs) == 4 and len(load_runs("lines:{home}/mlruns/lines", sweep="latest")) == 3
        assert len(load_history("lines:{home}/mlruns/lines", run_ids=["{run_id}"], metrics=["val/loss"])) == 3
        again = mg.run("data=iris", "training.num_epochs=2", "seed=7", "{KEPT}")
        assert again.status == "FINISHED" and len(load_runs("lines:{home}/mlruns/lines")) == 5
    """
    done = run("-c", code)
    assert done.returncode == 0, done.stderr


def test_what_it_cannot_do_is_a_line(run):
    done = run(f"{ROOT}/pipelines/train.py", *SHORT, KEPT, "tracking.register=best")
    assert done.returncode == 2, done.stdout
    assert done.stderr == (
        "tracking.register: is no key of the tracking that is chosen; write tracking=local or "
        "tracking=server in place of tracking=lines\n"
    )


def test_the_plugin_is_no_part_of_the_recipe(home, run_id):
    recipe = (home / "mlruns" / "lines" / run_id / "files" / "config" / "config.yaml").read_text()
    assert "plugins: []" in recipe
    assert "tracking:\n  name: lines\n" in recipe


def test_what_could_not_be_written_is_kept_and_sent_later(run, tmp_path):
    """A file lies where the folder should be; and without the package a line says what is missing."""
    lines = tmp_path / "mlruns" / "lines"
    lines.parent.mkdir()
    lines.write_text("in the way")
    failed = run(f"{ROOT}/pipelines/train.py", *SHORT, KEPT, here=tmp_path)
    assert failed.returncode == 1
    assert "what happened in it is kept in" in failed.stderr
    assert "Traceback" not in failed.stderr
    kept = run(f"{ROOT}/pipelines/sync.py", here=tmp_path, installed=False)
    assert kept.returncode == 1
    assert "lines:mlruns/lines: is no address of a store; those begin with" in kept.stdout
    lines.unlink()
    sent = run(f"{ROOT}/pipelines/sync.py", here=tmp_path)
    assert sent.returncode == 0, sent.stdout + sent.stderr
    assert f"sent {tmp_path}" in sent.stdout
    (kept_run,) = lines.iterdir()
    assert '"status": "FINISHED"' in (kept_run / "run.jsonl").read_text()
