"""A package that is installed beside micrograde brings entries; without it a line says what is missing."""

import os
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SHORT = (
    "data=swirl",
    "data.turn=2",
    "training.num_epochs=3",
    "training.metrics=[missed_last]",
    "model.activation={name:softsign,width:0.5}",
)


@pytest.fixture(scope="module")
def environment(tmp_path_factory):
    """An environment with everything that this one has, and the plug-in."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    (packages / "outer.pth").write_text(f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n")
    source = shutil.copytree(ROOT / "tests" / "plugin", folder / "source")  # where pip leaves its files
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "--python",
            python,
            "install",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "--disable-pip-version-check",
            source,
        ],
        check=True,
        capture_output=True,
    )
    return python


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("home")


def run(python, home, command, *args):
    return subprocess.run(
        [python, ROOT / "pipelines" / f"{command}.py", *args],
        cwd=home,
        env={**os.environ, "MICROGRADE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def run_id(environment, home):
    done = run(environment, home, "train", *SHORT)
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if line.startswith("finished"))
    return line.split()[2]


@pytest.mark.slow
def test_its_entries_train_and_are_replayed(environment, home, run_id):
    done = run(environment, home, "replay", f"run_id={run_id}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "identical" in done.stdout
    assert "val/missed_last" in done.stdout
    shown = run(environment, home, "train", "model.activation=swirl")
    assert "'softsign'" in shown.stderr


@pytest.mark.slow
def test_the_recipe_and_the_tags_name_it(home, run_id):
    (recipe,) = home.glob(f"mlruns/**/{run_id}/artifacts/config/config.yaml")
    assert "plugins:\n- micrograde-swirl==1.2\n" in recipe.read_text()
    with sqlite3.connect(home / "mlruns" / "mlflow.db") as store:
        query = "select value from tags where run_uuid = ? and key = 'micrograde.plugins'"
        assert store.execute(query, (run_id,)).fetchone() == ("micrograde-swirl==1.2",)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "args"),
    [
        ("replay", ("run_id={}",)),
        ("predict", ("run_id={}", "data.path=rows.csv")),
        ("train", ("training.resume={}",)),
        ("export", ("run_id={}", "output=model.onnx")),
    ],
)
def test_without_it_a_line_says_which_package_is_needed(home, run_id, command, args):
    (home / "rows.csv").write_text("x1,x2\n0.5,0.5\n")
    if command == "train":
        with sqlite3.connect(home / "mlruns" / "mlflow.db") as store:
            store.execute("update runs set status = 'KILLED' where run_uuid = ?", (run_id,))
    done = run(sys.executable, home, command, *(arg.format(run_id) for arg in args))
    assert done.returncode == 2, done.stdout
    (line,) = done.stderr.splitlines()
    assert "micrograde-swirl==1.2, and micrograde-swirl is not installed here" in line
