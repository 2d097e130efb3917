"""Where runs are recorded if the user has an MLflow of their own, and nothing was typed."""

import pytest
from hydra.types import RunMode
from tests.narrowing import of_type

from micrograde.api.interactive import _composing
from micrograde.config import mlflow_variables
from micrograde.config.commands import CompareConfig
from micrograde.config.parsing import parse_command, parse_train_config
from micrograde.core.errors import InputError
from micrograde.store import local_store
from micrograde.store.backends.server import ServerTracking
from micrograde.sweeps.composing import Composer, resolved
from micrograde.sweeps.identity import identify

SERVER = "https://me:secret@mlflow.example:5000"


@pytest.fixture(autouse=True)
def surroundings(monkeypatch, tmp_path):
    """A home of the test's own, in a process that has said nothing yet, with no variable but what it sets."""
    monkeypatch.setenv("MICROGRADE_HOME", str(tmp_path))
    monkeypatch.setattr(mlflow_variables, "_said", set())
    for name in ("TRACKING_URI", "EXPERIMENT_NAME", "EXPERIMENT_ID", "RUN_ID"):
        monkeypatch.delenv(f"MLFLOW_{name}", raising=False)


def compose(*overrides, command="train", mode=RunMode.RUN):
    with _composing(overrides) as loader:
        return loader.load_configuration(command, list(overrides), mode)


def where(*overrides):
    """Where a run is recorded: the tracking's name, its address, the experiment."""
    config = parse_train_config(resolved(compose(*overrides)))
    return config.tracking.name, getattr(config.tracking, "uri", None), config.experiment_name


def test_without_variables_nothing_is_said(capsys):
    assert where() == ("local", None, "digits")
    assert capsys.readouterr().err == ""


def test_a_server_and_an_experiment_are_used_and_said_once_without_the_password(monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", SERVER)
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine of ${USER}'s")
    for _ in range(2):
        assert where("tracking.register=trees") == ("server", SERVER, "mine of ${USER}'s")
    tracking, experiment = capsys.readouterr().err.splitlines()
    assert tracking == (
        "MLFLOW_TRACKING_URI is used: tracking=server tracking.uri=https://***@mlflow.example:5000 "
        "(tracking=local is the project's own store)"
    )
    assert experiment == "MLFLOW_EXPERIMENT_NAME is used: experiment_name=mine of ${USER}'s"
    assert compose("tracking.register=trees").tracking.register == "trees"
    assert where("data=iris", "experiment_name=typed") == ("server", SERVER, "typed")


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["tracking=local"], ("local", None)),
        (["tracking=disabled"], ("disabled", None)),
        (["tracking=server"], ("server", "http://127.0.0.1:5000")),
        (["tracking=server", "tracking.uri=http://b:1"], ("server", "http://b:1")),
        (["tracking.name=local"], ("local", None)),
    ],
)
def test_what_is_typed_comes_first(overrides, expected, monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", SERVER)
    assert where(*overrides)[:2] == expected
    assert capsys.readouterr().err == ""


def test_a_key_of_servers_alone_is_of_the_one_that_the_variable_names(monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", SERVER)
    for command in ("train", "predict"):
        tracking = compose("tracking.artifacts='s3://bucket/x'", command=command).tracking
        assert (tracking.name, tracking.uri, tracking.artifacts) == ("server", SERVER, "s3://bucket/x")
    assert capsys.readouterr().err.startswith("MLFLOW_TRACKING_URI is used")
    typed = compose("tracking=server", "tracking.uri=http://b:1", "tracking.artifacts=/shared").tracking
    assert typed.uri == "http://b:1"


def test_a_preset_comes_first(monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    assert where("experiment=notebook")[2] == "notebook"


def test_other_commands_use_the_server_and_list_all_experiments(monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", SERVER.upper().replace("SECRET", "s"))
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "mine")
    config = parse_command(CompareConfig, resolved(compose(command="compare")))
    assert of_type(ServerTracking, config.tracking).uri.startswith(
        "https://"
    )  # MLflow takes capitals for the same
    assert config.experiment_name is None
    for command in ("predict", "replay", "export", "sync"):
        assert compose(command=command).tracking.name == "server", command


@pytest.mark.parametrize(
    "uri", ["databricks", "sqlite:///other.db", "file:///tmp/x", "/tmp/x", "postgresql://me:secret@host/db"]
)
def test_a_store_of_another_kind_is_said_not_to_be_used(uri, monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    assert where() == where() == ("local", None, "digits")
    (line,) = capsys.readouterr().err.splitlines()
    assert "is not used: runs are kept in" in line
    assert str(tmp_path / "mlruns") in line
    assert "secret" not in line


def test_the_projects_own_store_needs_no_word(monkeypatch, capsys, tmp_path):
    monkeypatch.chdir(tmp_path)
    for uri in (local_store(tmp_path).tracking_uri, "sqlite:///mlruns/mlflow.db", ""):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        assert where() == ("local", None, "digits")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MLFLOW_TRACKING_URI", "http://"),
        ("MLFLOW_TRACKING_URI", "http://host:port"),
        ("MLFLOW_TRACKING_URI", "http://a host:1"),
        ("MLFLOW_TRACKING_URI", "  "),
        ("MLFLOW_EXPERIMENT_NAME", "a/b"),
        ("MLFLOW_EXPERIMENT_NAME", "  "),
        ("MLFLOW_EXPERIMENT_NAME", "x" * 251),
        ("MLFLOW_EXPERIMENT_NAME", "a\nb"),
    ],
)
def test_a_value_that_cannot_be_is_one_line(name, value, monkeypatch):
    monkeypatch.setenv(name, value)
    with pytest.raises(InputError) as error:
        where()
    assert str(error.value).startswith(name)
    assert "\n" not in str(error.value)
    where("tracking=local", "experiment_name=x")  # what is advised works


@pytest.mark.parametrize("value", ["x", "-1", "1e3", "10"])
def test_a_server_is_not_asked_so_often(value, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", value)
    assert where()[0] == "local"  # which makes no request
    with pytest.raises(InputError, match=f"MAX_RETRIES={value}: should be a whole number from 0 to 9"):
        where("tracking=server")


def test_an_experiments_id_and_a_runs_are_said_not_to_be_used(monkeypatch, capsys):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_ID", "7")
    monkeypatch.setenv("MLFLOW_RUN_ID", "abc")
    assert where() == ("local", None, "digits")
    run, experiment = capsys.readouterr().err.splitlines()
    assert run.startswith("MLFLOW_RUN_ID is not used")
    assert experiment.startswith("MLFLOW_EXPERIMENT_ID is not used; set MLFLOW_EXPERIMENT_NAME")


def test_a_sweep_carries_it_to_workers_that_have_no_variables(monkeypatch, capsys):
    typed = ("seed=0,1", "data=iris,wine", "experiment_name=typed")
    name, uri = r"it's ${mine}\ ", "https://me:it's@mlflow.example"
    with _composing(typed) as loader:
        before = loader.load_configuration("train", list(typed), RunMode.MULTIRUN)
        digest = identify(before, resolved(before)).digest
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", name.strip())
        after = loader.load_configuration("train", list(typed), RunMode.MULTIRUN)
        assert identify(after, resolved(after)).digest == digest  # where runs are recorded is no part of it
        master = loader.load_configuration("train", ["seed=0,1"], RunMode.MULTIRUN)
        assert len(capsys.readouterr().err.splitlines()) == 2
        monkeypatch.delenv("MLFLOW_TRACKING_URI")
        monkeypatch.delenv("MLFLOW_EXPERIMENT_NAME")
        job = Composer(loader, master).compose(["seed=1"])
        alone = resolved(loader.load_sweep_config(master, ["data=wine"]))
    for composed in (job, alone):
        assert composed["tracking"]["uri"] == uri
        assert composed["experiment_name"] == name.strip()
