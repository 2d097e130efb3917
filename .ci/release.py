"""What is checked before a release, and takes hours: `make check-release`, or of it ``ARGS="lowest fuzz"``.

- ``coverage``: the quick tests, with how much of the code they reach
- ``matrix``: the slow tests of which CI runs a few of a kind
- ``cold``: the slow tests, each command in an interpreter of its own (as a rule they share what is imported)
- ``wheel``: every command of the wheel, in an environment into which pip installs it with all that it needs
- ``python-3.12``, ``python-3.13``, ``python-3.14``: the quick tests under later Pythons
- ``lowest``: the quick tests with the lowest version that pyproject.toml allows of everything it names
- ``newest``: the quick tests with the newest of everything, under the latest Python that is found
- ``hydra-1.4``: the quick tests, sweeps and searches with the release candidates of Hydra 1.4
- ``jupyterlab``: the tutorial's notebook, run in JupyterLab by a browser
- ``blas-...``: the tests that compute, by each of OpenBLAS's kernels that this processor can run
- ``pages-...``: the documentation pages, with what they show, by an older kernel and by a much older one
- ``power``: forty losses of power, each at a random moment of a run or a sweep
- ``faults``: thirty sweeps on a cluster, in each of which something breaks at a random moment
- ``hostile``: stores and servers that lie, as hypothesis draws them, a thousand of each kind
- ``fuzz``: every reader for five minutes
- ``bench``: the benchmarks in full, as in docs/benchmarks.md
- ``findings``: whether findings are true, of 500 sound runs and 100 of each kind of ill ones
- ``verdicts``: how often equal settings are told apart, of 1,000 sweeps of each size

Environments are made anew in ``build/release/``. What cannot be checked on this machine is said in a line.
"""

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import time
import tomllib
from pathlib import Path

from stages import ROOT, Stage, print_summary, run_lanes

SCRATCH = ROOT / "build" / "release"
QUICK = '-m pytest -n auto --dist worksteal -m "not slow" --ignore=tests/system'
COMPUTING = "tests/autograd tests/nn tests/training tests/gradcheck tests/api/test_estimator.py"
LATER_HYDRA = "'hydra-core==1.4.0rc3' 'omegaconf==2.4.1rc1'"
OF_HYDRA = "tests/end_to_end/test_sweep.py tests/end_to_end/test_search.py"
JUPYTERLAB = "'jupyterlab==4.6.6'"
LATER_PYTHONS = ("3.12", "3.13", "3.14")
OF_PAGES = ("Haswell", "Prescott")
# OpenBLAS's names of kernels, and what the processor must have for each.
KERNELS = {
    "Prescott": "pni",
    "Nehalem": "sse4_2",
    "Sandybridge": "avx",
    "Haswell": "avx2",
    "Zen": "avx2",
    "SkylakeX": "avx512vl",
    "Cooperlake": "avx512_bf16",
    "Sapphirerapids": "amx_tile",
}


def main() -> int:
    """Check what is asked for; 1 if a part has failed."""
    stages, missing = all_stages()
    parser = argparse.ArgumentParser(prog="make check-release", description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="part", help=" ".join(stages))
    names = parser.parse_args().parts or list(stages)
    for name in names:
        if name not in stages:
            parser.error(f"{name}: there is no such part; there are {' '.join(stages)}")
    start = time.monotonic()
    outcomes = run_lanes([[stages[name] for name in names]])
    print_summary(outcomes, time.monotonic() - start)
    for line in missing:
        print(f"not checked: {line}")
    return int(any(each.status for each in outcomes))


def all_stages() -> tuple[dict[str, Stage], list[str]]:
    """The parts by name, and a line for each that this machine cannot check."""
    missing: list[str] = []
    wheel = 'make test-slow ARGS="tests/end_to_end/test_wheel.py"'
    stages = [
        Stage("coverage", "make test ARGS=--cov"),
        Stage("matrix", "make test-slow ARGS='-m matrix'"),
        Stage("cold", "make test-slow", {"MICROGRADE_COLD": "1"}),
        Stage("wheel", wheel, {"MICROGRADE_FRESH": "1"}),
    ]
    latest = sys.executable
    for version in LATER_PYTHONS:
        python = find_python(version)
        if python:
            latest = python
            stages.append(in_own_environment(f"python-{version}", python, ".ci/constraints.txt"))
        else:
            missing.append(f"Python {version} is not found, neither as python{version} nor by pyenv")
    stages.append(with_later_hydra("hydra-1.4", sys.executable))
    if shutil.which("chromium") or shutil.which("chromium-browser"):
        stages.append(in_jupyterlab("jupyterlab", sys.executable))
    else:
        missing.append("JupyterLab: Chromium is not found; apt-get install chromium")
    SCRATCH.mkdir(parents=True, exist_ok=True)
    lowest = SCRATCH / "lowest.txt"
    lowest.write_text("\n".join(lowest_versions()) + "\n")
    stages.append(in_own_environment("lowest", sys.executable, str(lowest)))
    stages.append(in_own_environment("newest", latest))
    for kernel, needed in KERNELS.items():
        if needed in processor_features():
            script = f".venv/bin/python -m pytest -n auto -m 'not slow' {COMPUTING}"
            name = f"blas-{kernel.lower()}"
            stages.append(Stage(name, f"make .venv/installed-dev\n{script}", {"OPENBLAS_CORETYPE": kernel}))
            if kernel in OF_PAGES:
                pages = "make .venv/installed-all\n.venv/bin/python -m pytest tests/docs"
                stages.append(Stage(f"pages-{kernel.lower()}", pages, {"OPENBLAS_CORETYPE": kernel}))
        else:
            missing.append(f"OpenBLAS's kernel {kernel}: this processor has no {needed}")
    hostile = "make .venv/installed-dev\n.venv/bin/python -m pytest -n auto tests/security -k hostile"
    stages += [
        Stage("power", "make test-system ARGS='-k power'", {"MICROGRADE_LOSSES": "40"}),
        Stage("faults", "make test-system ARGS='-k cluster_faults -s'", {"MICROGRADE_FAULTS": "30"}),
        Stage("hostile", hostile, {"MICROGRADE_EXAMPLES": "1000"}),
        Stage("fuzz", "make fuzz"),
        Stage("bench", "make bench"),
        Stage("findings", "make .venv/installed\n.venv/bin/python -m benchmarks.findings"),
        Stage("verdicts", "make .venv/installed\n.venv/bin/python -m benchmarks.verdicts"),
    ]
    return {stage.name: stage for stage in stages}, missing


def with_later_hydra(name: str, python: str) -> Stage:
    """The quick tests and those that sweep and search, after Hydra has been exchanged for a later one."""
    own, folder = in_own_environment(name, python, ".ci/constraints.txt"), SCRATCH / name
    exchange = f'"{folder}/bin/pip" install --quiet --disable-pip-version-check --no-deps {LATER_HYDRA}'
    version = f'"{folder}/bin/python" --version'
    slow = f'"{folder}/bin/python" -m pytest -n auto {OF_HYDRA}'
    return Stage(name, own.script.replace(version, f"{exchange}\n{version}") + slow)


def in_jupyterlab(name: str, python: str) -> Stage:
    """The browser's test of JupyterLab, in an environment that has it."""
    folder = SCRATCH / name
    return Stage(
        name,
        f"""
        "{python}" -m venv --clear "{folder}"
        "{folder}/bin/pip" install --quiet --disable-pip-version-check -c .ci/constraints.txt \\
            -e '.[dev]' playwright {JUPYTERLAB}
        "{folder}/bin/python" -m pytest tests/system/test_jupyterlab.py
        """,
    )


def in_own_environment(name: str, python: str, constraints: str | None = None) -> Stage:
    """The quick tests in an environment made anew by this interpreter; a file may hold the versions."""
    folder = SCRATCH / name
    held = f'-c "{constraints}" ' if constraints else ""
    return Stage(
        name,
        f"""
        "{python}" -m venv --clear "{folder}"
        "{folder}/bin/pip" install --quiet --disable-pip-version-check {held}-e '.[dev]'
        "{folder}/bin/python" --version
        "{folder}/bin/python" {QUICK}
        """,
    )


def find_python(version: str) -> str | None:
    """An interpreter of this version: on the PATH, or one that pyenv has."""
    installed = _output(["pyenv", "versions", "--bare"])
    of_pyenv = re.findall(rf"^{re.escape(version)}\.(\d+)$", installed, re.MULTILINE)
    chosen = {"PYENV_VERSION": f"{version}.{max(map(int, of_pyenv))}"} if of_pyenv else {}
    ask = ["-c", "import sys; print(sys.executable, '%d.%d' % sys.version_info[:2])"]
    for command in ([f"python{version}"], ["pyenv", "exec", "python"]):
        path, _, found = _output([*command, *ask], {**os.environ, **chosen}).strip().rpartition(" ")
        if found == version:
            return path
    return None


def _output(command: list[str], environment: dict[str, str] | None = None) -> str:
    """What a command prints; nothing if it is not there or fails."""
    try:
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return ""


def lowest_versions() -> list[str]:
    """``name==version`` for each lower bound of what the package and its tests ask for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    bounds = (re.match(r"([\w.-]+)(?:\[[^]]*\])?>=([\d.]+)", each) for each in asked)
    return [f"{found[1]}=={found[2]}" for found in bounds if found]


def processor_features() -> set[str]:
    """What Linux says that an x86-64 processor can do."""
    if platform.machine() != "x86_64":
        return set()
    found = re.search(r"^flags\s*:(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return set(found[1].split()) if found else set()


if __name__ == "__main__":
    sys.exit(main())
