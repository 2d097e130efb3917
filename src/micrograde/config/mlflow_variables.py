"""The user's own MLflow: ``MLFLOW_TRACKING_URI`` and ``MLFLOW_EXPERIMENT_NAME``, where a config says nothing.

What was typed, or chosen by a preset, comes first. An address that is used, or not, is said in a line.
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
from micrograde.config.schema import ServerTracking
from micrograde.config.types import Name
from micrograde.core.errors import InputError
from micrograde.core.printable import printable
from micrograde.core.redaction import hide_passwords
from micrograde.store import project_home

TRACKING_URI = "MLFLOW_TRACKING_URI"
EXPERIMENT_NAME = "MLFLOW_EXPERIMENT_NAME"
_EXPERIMENT_ID = "MLFLOW_EXPERIMENT_ID"
_RUN_ID = "MLFLOW_RUN_ID"
_RANGES = {  # of those that MLflow refuses in the middle of a run
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": 9,
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": 119,
    "MLFLOW_HTTP_REQUEST_TIMEOUT": 86_400,
}
_BY_DATA = "${data.name}"  # what experiment_name is where nobody has said otherwise
_SAYS_WHERE = {"tracking", "tracking.name", "tracking.uri"}
_OF_SERVERS = "tracking.artifacts"  # a key that the local store has not
_LONGEST = 200  # characters of a value in a line

_said: set[str] = set()


def follow_variables(config: DictConfig, run_mode: RunMode) -> None:
    """Have a config that Hydra has composed say what the variables say, where it says nothing itself.

    The jobs of a sweep are told by overrides, so that workers elsewhere need no variables.

    Raises
    ------
    InputError
        If a variable that would be used has a value that cannot be.
    """
    overrides: Any = OmegaConf.to_container(config.hydra.overrides.task, resolve=False)
    typed = {_chosen(each) for each in overrides}
    taken = {**_tracking(config, typed), **_experiment(config, typed)}
    if run_mode == RunMode.MULTIRUN:
        config.hydra.overrides.hydra.extend([f"{key}={_quoted(value)}" for key, value in taken.items()])
    if str(OmegaConf.select(config, "tracking.name")) == "server":
        _check_ranges()


def with_server(overrides: Sequence[str]) -> list[str]:
    """What was typed, with the server that the variable names if a key of it was typed, and no server.

    Hydra could not compose the key otherwise: ``tracking=local`` has none such.
    """
    keys = {_chosen(each) for each in overrides}
    uri = os.environ.get(TRACKING_URI, "")
    if _OF_SERVERS not in keys or keys & _SAYS_WHERE or not is_web_address(uri):
        return [*overrides]
    return ["tracking=server", f"tracking.uri={_quoted(_server(uri))}", *overrides]


def _chosen(override: str) -> str:
    """Return what an override sets or chooses: ``tracking`` of ``+tracking@here=server``."""
    return key_of(override).partition("@")[0]


def is_own_store(uri: str) -> bool:
    """Whether an address is that of the project's own store; a relative one begins where we are."""
    if not uri.startswith("sqlite:///"):
        return False
    path = Path(uri.removeprefix("sqlite:///").partition("?")[0])
    return path.resolve() == (project_home() / "mlruns" / "mlflow.db").resolve()


def is_web_address(uri: str) -> bool:
    """Whether it should be a server's."""
    return re.match(r"\s*https?:", uri, re.IGNORECASE) is not None


def _tracking(config: DictConfig, typed: set[str]) -> dict[str, str]:
    """Where to record, as overrides, if the variable says so; the config then says so, too."""
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
                "or by a server (tracking=server tracking.uri=http://...); tracking=local says so"
            )
        return {}
    address = _server(uri)
    with open_dict(config.tracking):
        config.tracking.name, config.tracking.uri, config.tracking.artifacts = "server", address, None
    return {"tracking": "server", "tracking.uri": address}


def _server(uri: str) -> str:
    """The address of the server that the variable names, for a config; a line says that it is used."""
    uri = re.sub("^https?", lambda scheme: scheme[0].lower(), uri, flags=re.IGNORECASE)
    try:
        ServerTracking(uri=uri)
    except ValidationError as error:
        raise InputError(f"{TRACKING_URI}: {_reason(error)}; unset it, or type tracking=local") from None
    _say(
        f"{TRACKING_URI} is used: tracking=server tracking.uri={shown(uri)} "
        "(tracking=local is the project's own store)"
    )
    return _literal(uri)


def _experiment(config: DictConfig, typed: set[str]) -> dict[str, str]:
    """What to file runs under, likewise; only of a command that records runs."""
    container: Any = OmegaConf.to_container(config, resolve=False)
    recorded = OmegaConf.select(config, "tracking.name") != "disabled"
    if container.get("experiment_name") != _BY_DATA or "experiment_name" in typed or not recorded:
        return {}
    if os.environ.get(_RUN_ID):
        _say(f"{_RUN_ID} is not used: a run is a new one, unless training.resume names one to go on with")
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
    """Say a line on stderr, once a process."""
    if line not in _said:
        _said.add(line)
        print(line, file=sys.stderr, flush=True)


def _literal(value: str) -> str:
    """As OmegaConf takes it for what it is: nothing in it is interpolated."""
    return re.sub(r"(\\*)\$\{", lambda found: found[1] * 2 + r"\${", value)


def _quoted(value: str) -> str:
    """As Hydra reads it back: text, whatever is in it."""
    escaped = re.sub(r"(\\*)('|$)", lambda found: found[1] * 2 + ("\\'" if found[2] else ""), value)
    return f"'{escaped}'"


def shown(value: str) -> str:
    """A value in a line, without a password."""
    text = printable(hide_passwords(value))
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def _reason(error: ValidationError) -> str:
    details: list[Mapping[str, Any]] = [*error.errors(include_url=False)]
    return str(details[0]["msg"]).removeprefix("Value error, ").replace("String should", "should")
