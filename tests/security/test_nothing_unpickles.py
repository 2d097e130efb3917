"""No source file can unpickle or evaluate what it reads, and no hostile file that is given runs anything."""

import ast
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(
    path for folder in ("src", "pipelines", "benchmarks", "fuzz") for path in (ROOT / folder).rglob("*.py")
)
MODULES = {"pickle", "cPickle", "_pickle", "pickletools", "dill", "cloudpickle", "joblib", "marshal", "shelve", "jsonpickle"}  # fmt: skip
BUILTINS = {"eval", "exec", "compile", "__import__"}
METHODS = {
    "read_pickle",
    "to_pickle",
    "unsafe_load",
    "full_load",
    "load_all",
    "full_load_all",
    "unsafe_load_all",
}
CALLS = {"torch.load", "torch.save", "yaml.load", "os.system", "os.popen"}
YAML = {
    "SafeLoader",
    "CSafeLoader",
    "safe_load",
    "SafeDumper",
    "safe_dump",
    "dump",
    "YAMLError",
    "AliasEvent",
}


def offences(source: str) -> Iterator[str | None]:
    """What in a source file could run code that comes from elsewhere."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.split(".")[0] in MODULES)
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in MODULES:
            yield node.module
        if isinstance(node, ast.Name) and node.id in BUILTINS:
            yield node.id
        if isinstance(node, ast.Attribute):
            whole = ast.unparse(node)
            if (
                node.attr in METHODS
                or whole in CALLS
                or (whole.startswith("yaml.") and node.attr not in YAML)
            ):
                yield whole
        if isinstance(node, ast.Call):
            given = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            if given.get("allow_pickle", "False") != "False":
                yield f"allow_pickle={given['allow_pickle']}"
            if given.get("shell", "False") != "False":
                yield "shell=True"
            if ast.unparse(node.func) in ("np.load", "numpy.load") and "allow_pickle" not in given:
                yield "np.load without allow_pickle=False"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_source_file_loads_no_code(path):
    assert list(offences(path.read_text())) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import joblib.externals as x",
        "from cloudpickle import loads",
        "pandas.read_pickle(path)",
        "torch.load(path)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=trust)",
        "yaml.load(text, yaml.SafeLoader)",
        "yaml.load(text, yaml.Loader)",
        "eval(text)",
        "f = exec",
        "subprocess.run(text, shell=True)",
    ],
)
def test_what_is_looked_for_is_found(source):
    assert list(offences(source))


def test_no_config_names_a_python_object_of_yaml():
    paths = list((ROOT / "conf").rglob("*.yaml"))
    assert len(paths) > 20
    for path in paths:
        assert "!!" not in path.read_text(), path


class Evil:
    """Unpickled, it leaves a file."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return Path.touch, (Path(self.marker),)


@pytest.fixture
def evil(user):
    """Files that would leave ``marker`` if they were unpickled; that they would is seen to first."""
    marker = user.folder / "marker"
    poison = Evil(str(marker))
    objects = np.array([poison] * 6, object)
    features, labels = np.arange(12.0).reshape(6, 2), np.arange(6) % 2
    np.savez(user.folder / "labels.npz", features=features, labels=objects)
    np.savez(user.folder / "features.npz", features=objects, labels=labels)
    np.save(user.folder / "array.npy", objects)
    (user.folder / "pickle.npz").write_bytes(pickle.dumps(poison))
    with zipfile.ZipFile(user.folder / "raw.npz", "w") as archive:  # a pickle where an array should be
        archive.writestr("features.npy", pickle.dumps(poison))
        archive.writestr("labels.npy", pickle.dumps(poison))
    (user.folder / "job.pickle").write_bytes(pickle.dumps(poison))
    pickle.loads((user.folder / "job.pickle").read_bytes())  # noqa: S301
    assert marker.exists()
    marker.unlink()
    return marker


@pytest.mark.parametrize(
    "arguments",
    [
        *(("data=npz", f"data.path={name}") for name in ("labels.npz", "features.npz", "array.npy")),
        *(("data=npz", f"data.path={name}") for name in ("pickle.npz", "raw.npz")),
        ("data=parquet", "data.path=job.pickle", "data.target=kind"),
        ("data=csv", "data.path=job.pickle", "data.target=kind"),
        ("--experimental-rerun", "job.pickle"),
        ("--experimental-rer=job.pickle",),  # argparse takes a beginning for the whole
    ],
    ids=" ".join,
)
def test_a_hostile_file_is_one_line_and_runs_nothing(user, evil, arguments):
    done = user.run("train", *arguments, status=2)
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    assert not evil.exists()
    assert user.runs() == []
