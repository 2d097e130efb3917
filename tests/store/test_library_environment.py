"""What libraries find in the environment, whatever the user has set."""

import os
import subprocess
import sys
import warnings

import pytest

from micrograde.store.library_environment import (
    forget_servers,
    quiet_environment,
    quiet_libraries,
    warnings_stay_warnings,
)

BREAKING = {
    "MLFLOW_ENABLE_WORKSPACES": "true",
    "MLFLOW_LOGGING_LEVEL": "nonsense",
    "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE": "x",
    "MLFLOW_REGISTRY_URI": "databricks",
    "MLFLOW_TRACKING_URI": "databricks",
    "MLFLOW_RUN_ID": "abc",
    "MLFLOW_STATIC_PREFIX": "/here",
    "_MLFLOW_SGI_NAME": "x",
    "PYTHONWARNINGS": "error",
}
OF_SERVERS = {"MLFLOW_TRACKING_TOKEN": "t", "MLFLOW_HTTP_REQUEST_TIMEOUT": "7", "MLFLOW_WORKSPACE": "team"}


@pytest.fixture(autouse=True)
def surroundings(monkeypatch):
    for name, value in {**BREAKING, **OF_SERVERS, "HOME_OF": "mine"}.items():
        monkeypatch.setenv(name, value)


def test_what_says_how_a_server_is_reached_is_kept_and_the_rest_is_not():
    environment = quiet_environment()
    assert not BREAKING.keys() & environment.keys()
    assert OF_SERVERS.items() <= environment.items()
    assert environment["HOME_OF"] == "mine"
    alone = quiet_environment(servers=False)
    assert alone["MLFLOW_HTTP_REQUEST_TIMEOUT"] == "8"
    assert not {"MLFLOW_WORKSPACE", "MLFLOW_TRACKING_TOKEN"} & alone.keys()


def test_this_process_has_its_own_again_afterwards():
    before = dict(os.environ)
    with quiet_libraries():
        assert not BREAKING.keys() & os.environ.keys()
        forget_servers()
        assert "MLFLOW_WORKSPACE" not in os.environ
    assert dict(os.environ) == before


def test_warnings_are_no_errors_for_as_long_as_it_lasts():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with warnings_stay_warnings(), pytest.warns(UserWarning, match="said"):
            warnings.warn("said", UserWarning, stacklevel=1)
        with pytest.raises(UserWarning):
            warnings.warn("said", UserWarning, stacklevel=1)


def test_a_command_has_no_warning_be_an_error_nor_do_its_children():
    code = (
        "import os, sys, warnings; from micrograde.store.library_environment import keep_warnings_warnings as keep;"
        "keep(); warnings.warn('told'); warnings.warn('old', DeprecationWarning, 2);"
        "print(sys.warnoptions, 'PYTHONWARNINGS' in os.environ)"
    )
    ended = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, "[] False\n")
    assert "UserWarning: told" in ended.stderr
