"""Use ``MLFLOW_TRACKING_URI`` and ``MLFLOW_EXPERIMENT_NAME`` where a config does not say otherwise.

What was typed, or chosen by a preset, comes first. A line says when a variable is used, or is not.
"""

import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict
from pydantic import TypeAdapter, ValidationError

from micrograde.config.keys import key_of
from micrograde.config.types import Name
from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.core.project import project_home
from micrograde.core.redaction import hide_passwords
from micrograde.store import keeps_runs
from micrograde.store.settings import web_address

TRACKING_URI = "MLFLOW_TRACKING_URI"
EXPERIMENT_NAME = "MLFLOW_EXPERIMENT_NAME"
_EXPERIMENT_ID = "MLFLOW_EXPERIMENT_ID"
_RUN_ID = "MLFLOW_RUN_ID"
_RANGES = {  # largest values; MLflow would refuse larger ones only in the middle of a run
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": 9,
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": 119,
    "MLFLOW_HTTP_REQUEST_TIMEOUT": 86_400,
}
_SAYS_WHERE = {"tracking", "tracking.name", "tracking.uri"}
_OF_SERVERS = {"tracking.artifacts", "tracking.database"}  # keys that the local store does not have
_LONGEST = 200  # characters of a value in a line

_said: set[str] = set()


def follow_variables(config: DictConfig, run_mode: RunMode) -> None:
    """Write the variables' values into a composed config where it does not say otherwise itself.

    The jobs of a sweep get them as overrides, so that workers on other machines need no variables.

    Raises
    ------
    InputError
        If a variable that would be used has an invalid value.
    """
    overrides: Any = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)
    typed = {_chosen(each) for each in overrides}
    taken = {**_tracking(config, typed), **_experiment(config, typed)}
    if run_mode == RunMode.MULTIRUN:
        config.hydra.overrides.hydra.extend([f"{key}={_quoted(value)}" for key, value in taken.items()])
    if str(OmegaConf.select(config, "tracking.name")) == "server":
        _check_ranges()


def with_server(overrides: Sequence[str]) -> list[str]:
    """Return the overrides; if they set a key of servers and no server, the variable's server is added.

    Hydra could not compose the key otherwise: ``tracking=local`` does not have it.
    """
    keys = {_chosen(each) for each in overrides}
    uri = os.environ.get(TRACKING_URI, "")
    if not keys & _OF_SERVERS or keys & _SAYS_WHERE or not is_web_address(uri):
        return [*overrides]
    return ["tracking=server", f"tracking.uri={_quoted(_server(uri))}", *overrides]


def _chosen(override: str) -> str:
    """Return the key or group that an override sets: ``tracking`` for ``+tracking@here=server``."""
    return key_of(override).partition("@")[0]


def is_own_store(uri: str) -> bool:
    """Return whether an address is that of the project's own store; it may be relative to this folder."""
    if not uri.startswith("sqlite:///"):
        return False
    path = Path(uri.removeprefix("sqlite:///").partition("?")[0])
    return path.resolve() == (project_home() / "mlruns" / "mlflow.db").resolve()


def is_web_address(uri: str) -> bool:
    """Return whether an address begins like that of a server, with http: or https:."""
    return re.match(r"\s*https?:", uri, re.IGNORECASE) is not None


def _tracking(config: DictConfig, typed: set[str]) -> dict[str, str]:
    """Return the overrides for the server that the variable names, and write them into the config."""
    uri = os.environ.get(TRACKING_URI)
    said = [OmegaConf.select(config, key) for key in ("hydra.runtime.choices.tracking", "tracking.name")]
    if not uri or said != ["local", "local"] or typed & _SAYS_WHERE:
        return {}
    if uri.isspace():
        raise InputError(f"{TRACKING_URI}: is nothing but spaces; unset it, or set it to a server's address")
    if not is_web_address(uri):
        if not is_own_store(uri):
            _say(
                f"{TRACKING_URI}={shown(uri)} is not used: runs are kept in {project_home() / 'mlruns'}, "
                "or by a server (tracking=server tracking.uri=http://...); tracking=local hides this line"
            )
        return {}
    address = _server(uri)
    with open_dict(config.tracking):
        config.tracking.name, config.tracking.uri = "server", address
        config.tracking.artifacts = config.tracking.database = None
    return {"tracking": "server", "tracking.uri": address}


def _server(uri: str) -> str:
    """Return the variable's address as a config holds it, and say in a line that it is used."""
    uri = re.sub("^https?", lambda scheme: scheme[0].lower(), uri, flags=re.IGNORECASE)
    try:
        web_address(uri)
    except ValueError as error:
        raise InputError(f"{TRACKING_URI}: {error}; unset it, or type tracking=local") from None
    _say(
        f"{TRACKING_URI} is used: tracking=server tracking.uri={shown(uri)} "
        "(tracking=local is the project's own store)"
    )
    return _literal(uri)


def _experiment(config: DictConfig, typed: set[str]) -> dict[str, str]:
    """Return the override for the experiment that the variable names, if the command records runs.

    It is written into the config, too.
    """
    container: Any = OmegaConf.to_container(config, resolve=False)
    recorded = keeps_runs(OmegaConf.select(config, "tracking.name"))
    trains = "model" in container  # of other commands the key chooses runs
    if not trains or container["experiment_name"] is not None or "experiment_name" in typed or not recorded:
        return {}
    if os.environ.get(_RUN_ID):
        _say(f"{_RUN_ID} is not used: every run is a new one, unless training.resume names one to go on with")
    name = os.environ.get(EXPERIMENT_NAME)
    if not name:
        if os.environ.get(_EXPERIMENT_ID):
            _say(f"{_EXPERIMENT_ID} is not used; set {EXPERIMENT_NAME}, or type experiment_name=...")
        return {}
    try:
        if name != name.strip():
            raise InputError(f"{EXPERIMENT_NAME}={shown(name)!r}: begins or ends with a space")
        TypeAdapter(Name).validate_python(name)
    except ValidationError as error:
        raise InputError(
            f"{EXPERIMENT_NAME}={shown(name)}: {_reason(error)}; unset it, or type experiment_name=..."
        ) from None
    config.experiment_name = _literal(name)
    _say(f"{EXPERIMENT_NAME} is used: experiment_name={shown(name)}")
    return {"experiment_name": _literal(name)}


def _check_ranges() -> None:
    for name, largest in _RANGES.items():
        value = os.environ.get(name)
        if value is not None and not (re.fullmatch("[0-9]{1,9}", value) and int(value) <= largest):
            raise InputError(f"{name}={shown(value)}: should be a whole number from 0 to {largest:,}")


def _say(line: str) -> None:
    """Print a line on stderr, once per process."""
    if line not in _said:
        _said.add(line)
        print(line, file=sys.stderr, flush=True)


def _literal(value: str) -> str:
    """Return a value escaped for OmegaConf, so that nothing in it is interpolated."""
    return re.sub(r"(\\*)\$\{", lambda found: found[1] * 2 + r"\${", value)


def _quoted(value: str) -> str:
    """Return a value quoted for Hydra, which then reads it as text, whatever characters it has."""
    escaped = re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), value)
    return f"'{escaped}'"


def shown(value: str) -> str:
    """Return a value for a line: without passwords, and cut to at most 200 characters."""
    text = printable(hide_passwords(value))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _reason(error: ValidationError) -> str:
    details: list[Mapping[str, Any]] = [*error.errors(include_url=False)]
    return str(details[0]["msg"]).removeprefix("Value error, ").replace("String should", "should")
