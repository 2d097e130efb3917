"""The built wheel, installed where there is no checkout: every command works in an empty folder.

The environment's other packages are those of the tests; `make check-release ARGS="wheel"` installs them anew.
"""

import os
import re
import subprocess
import sys
import sysconfig
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest
from benchmarks.servers import free_port
from tests.waiting import wait_for

ROOT = Path(__file__).parents[2]
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    arguments = ("wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT)
    subprocess.run([*PIP, *arguments], check=True, capture_output=True)
    (path,) = folder.glob("micrograde-*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The folder of the commands of an environment with the wheel."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    install = [*PIP, "--python", python, "install", "--quiet"]
    if os.environ.get("MICROGRADE_FRESH"):
        constraints = ROOT / ".ci" / "constraints.txt"
        subprocess.run([*install, "-c", constraints, f"{wheel}[onnx]"], check=True)
        return folder / "bin"
    subprocess.run([*install, "--no-deps", wheel], check=True)
    # A path alone: what an editable installation adds there is not followed.
    (packages / "others.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    for program in Path(sys.prefix, "bin").glob("*graphviz*"):
        (folder / "bin" / program.name).symlink_to(program)
    return folder / "bin"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return tmp_path_factory.mktemp("project")


@pytest.fixture
def micrograde(installed, project):
    """Type a command in the project's folder, with an environment that names nothing else."""

    def run(*arguments, status=0, at=project):
        done = subprocess.run(
            [installed / "micrograde", *arguments],
            cwd=at,
            env={"PATH": f"{installed}:/usr/bin:/bin", "HOME": str(project)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done

    return run


def test_it_has_every_config_file_and_the_mark_of_its_types(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in (ROOT / "conf").rglob("*.yaml"):
        assert f"micrograde/conf/{path.relative_to(ROOT / 'conf')}" in names
    for path in (ROOT / "src").glob("[!.]*/**/*"):
        if path.is_file() and path.suffix != ".pyc" and not path.parent.name.endswith(".egg-info"):
            assert str(path.relative_to(ROOT / "src")) in names
    assert not [
        name for name in names if not name.startswith(("micrograde/", "hydra_plugins/", "micrograde-"))
    ]


def test_every_command_works_in_an_empty_folder(micrograde, project, installed):
    assert re.fullmatch(r"micrograde \d+\.\d+\.\d+\S*\n", micrograde("--version").stdout)
    assert "  compare " in micrograde("--help").stdout
    assert list(project.iterdir()) == []
    (project / "t.csv").write_text(
        "x,y,kind\n" + "".join(f"{i * 1.5},{i % 7},{'ab'[i % 2]}\n" for i in range(60))
    )
    done = micrograde("train", "data=csv", "data.path=t.csv", "data.target=kind", "training.num_epochs=2")
    (run_id,) = re.findall(r"^finished    run (\w+)", done.stdout, re.MULTILINE)
    assert done.stdout.endswith("look        micrograde ui, or micrograde compare\n")
    assert done.stderr == ""
    assert (project / "mlruns" / "mlflow.db").exists()
    assert "identical" in micrograde("replay", f"run_id={run_id}").stdout
    swept = micrograde("train", "-m", "data=moons", "seed=1,2", "training.num_epochs=1").stdout
    assert swept.endswith("or micrograde compare sweep=latest\n")
    assert "2 runs" in micrograde("compare", "sweep=latest").stdout
    assert "classes" in micrograde("predict", f"run_id={run_id}", "data.path=t.csv").stdout
    assert "written" in micrograde("export", f"run_id={run_id}", "output=model.onnx").stdout
    assert micrograde("sync").stdout == "nothing is waiting\n"
    assert "nothing to remove" in micrograde("gc").stdout
    assert "next" in micrograde("init").stdout
    assert "experiment=example" in micrograde("init").stdout
    short = ("experiment=example", "training.num_epochs=1")
    assert "finished" in micrograde("train", *short).stdout
    (project / "below").mkdir()
    below = micrograde("train", *short, at=project / "below")
    assert below.stderr == f"project     {project.resolve()}\n"
    assert list((project / "below").iterdir()) == []
    code = "import micrograde as mg; print(mg.run('data=moons', 'training.num_epochs=1').status)"
    done = subprocess.run(
        [installed / "python", "-c", code], cwd=project, capture_output=True, text=True, check=True
    )
    assert done.stdout.endswith("FINISHED\n")


def test_the_page_of_the_runs_answers(project, installed):
    port = free_port()
    process = subprocess.Popen(
        [installed / "micrograde", "ui", "--no-browser", "--port", str(port)],
        cwd=project,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def answers():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    try:
        wait_for(answers, seconds=120)
    finally:
        process.terminate()
        process.wait()
