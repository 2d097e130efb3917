"""What may not be imported before it is needed. (`make lint` checks the order of the rooms.)"""

import importlib
import os
import subprocess
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[1]


def test_no_file_imports_one_that_imports_it():
    graph = grimp.build_graph("micrograde", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(imports) > 200
    TopologicalSorter(imports).prepare()  # CycleError names the circle


def test_the_package_itself_has_three_files_at_most():
    files = {path.name for path in (ROOT / "src" / "micrograde").glob("*.py")}
    assert files <= {"__init__.py", "__main__.py", "serving.py"}


@pytest.mark.parametrize(
    ("module", "slow"),
    [
        ("micrograde", "mlflow matplotlib pandas sklearn scipy hydra pydantic rich sqlalchemy"),
        ("micrograde.training", "mlflow matplotlib pandas sklearn scipy hydra pydantic rich sqlalchemy"),
        ("micrograde.runs.train", "mlflow matplotlib pandas sklearn scipy rich sqlalchemy"),
        ("micrograde.cli.command_line", "mlflow matplotlib pandas sklearn scipy rich sqlalchemy"),
        ("micrograde.cli.commands.describe", "mlflow matplotlib pandas sklearn scipy rich sqlalchemy"),
        ("micrograde.tracking.writer", "mlflow numpy pandas hydra pydantic sqlalchemy ssl urllib.request"),
    ],
)
def test_slow_libraries_are_imported_where_they_are_used(module, slow):
    code = f"import sys, {module}; print(' '.join(set(sys.modules) & set({slow.split()!r})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_main_job_imports_nothing_slow_to_its_end(home):
    """A run in the store with all its files, by a process that has begun cold."""
    slow = {"mlflow", "matplotlib", "pandas", "sklearn", "scipy", "rich", "sqlalchemy"}
    code = (
        "import sys; sys.argv = ['micrograde', 'train', 'training.num_epochs=1'];"
        "from micrograde.cli.main import main; main();"
        f"print('imported:', *({slow!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "MICROGRADE_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "finished " in done.stdout
    assert done.stdout.splitlines()[-1] == "imported:"


@pytest.mark.parametrize("command", ["-m pipelines.train", "-m pipelines.compare", "-c import micrograde"])
def test_on_windows_one_line_says_where_it_runs(command):
    """As far as can be tried elsewhere: the platform is said to be another one."""
    flag, what = command.split(" ", 1)
    start = f"runpy.run_module({what!r}, run_name='__main__')" if flag == "-m" else what
    done = subprocess.run(
        [sys.executable, "-c", f"import runpy, sys; sys.platform = 'win32'; {start}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr == "micrograde runs on Linux and macOS; on Windows use WSL\n"


@pytest.mark.parametrize(
    "module", ["classifier", "estimator", "errors", "interactive", "results", "onnx_export"]
)
def test_a_module_of_version_0_1_says_where_it_is_now(module):
    with pytest.raises(ModuleNotFoundError, match=rf"^micrograde.{module} has moved: import ") as raised:
        importlib.import_module(f"micrograde.{module}")
    importlib.import_module(str(raised.value).rpartition(" ")[2])


def test_a_module_that_never_was_is_said_as_python_says_it():
    with pytest.raises(ModuleNotFoundError, match=r"No module named 'micrograde\.nothing'"):
        importlib.import_module("micrograde.nothing")
