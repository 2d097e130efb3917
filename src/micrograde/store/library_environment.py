"""The environment that libraries are used in: MLflow's variables, and the warning filters.

MLflow's variables that say how a server is reached are the user's to set. The others are meant for programs
that call MLflow themselves, or for its server: some would break a store that is written and read here
(``MLFLOW_ENABLE_WORKSPACES``), others would make MLflow look elsewhere.
"""

import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from micrograde.core.shared_contexts import shared
from micrograde.store.bounded_answers import bound_answers

_NO_REPORTING = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
# ONNX Runtime gives each machine an id, which it keeps in the user's home folder.
_NO_REPORTING_HERE = {"ORT_DISABLE_TELEMETRY": "1"}
_QUIET = {  # unless the user has set them otherwise
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # printing would also cost one request per run
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # a server that is gone is reported in seconds, not minutes
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "8",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false",  # files go to the server, not where it sends us
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
    "GIT_PYTHON_REFRESH": "quiet",  # a machine without git is no reason to complain
}
_OF_MLFLOW = re.compile(r"_?MLFLOW_")
_OF_SERVERS = re.compile(  # credentials, connections, and how files are sent
    r"MLFLOW_(TRACKING_(USERNAME|PASSWORD|TOKEN|AUTH|AWS_SIGV4|INSECURE_TLS|(SERVER|CLIENT)_CERT_PATH)"
    r"|HTTP_\w+|ALLOW_HTTP_REDIRECTS|WORKSPACE|ENABLE_ARTIFACTS_PROGRESS_BAR"
    r"|(S3|GCS|KERBEROS|PYARROW|BOTO)_\w+|(ENABLE_)?(PROXY_)?MULTIPART_\w+|ENABLE_PROXY_MULTIPART_\w+"
    r"|ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT|DOWNLOAD_CHUNK_TIMEOUT|ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES)"
)
_CREDENTIALS = re.compile(
    r"MLFLOW_TRACKING_(USERNAME|PASSWORD|TOKEN|AUTH|AWS_SIGV4|CLIENT_CERT_PATH)|MLFLOW_KERBEROS_\w+"
)
_WARNINGS = "PYTHONWARNINGS"  # warnings of libraries are not errors of this program


def quiet_environment(*, servers: bool = True) -> dict[str, str]:
    """Return the environment for processes that use MLflow, with telemetry and endless retries turned off.

    With ``servers=False`` the variables about servers are left out, for a process that uses none.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name != _WARNINGS and (not _OF_MLFLOW.match(name) or (servers and _OF_SERVERS.fullmatch(name)))
    }
    return {**_QUIET, **kept, **_NO_REPORTING}


def usual_value(name: str) -> str | None:
    """Return the value that a variable of MLflow's has here unless the user sets it."""
    return _QUIET.get(name)


@shared
@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Put this process into ``quiet_environment`` while the context lasts.

    Meanwhile responses are bounded (``bound_answers``), and redirects do not carry credentials
    (``keep_credentials``).
    """
    before = dict(os.environ)
    _set(os.environ, quiet_environment())
    undo, undo_bounds = keep_credentials(), bound_answers()
    try:
        yield
    finally:
        undo_bounds()
        undo()
        _set(os.environ, before)


def keep_credentials() -> Callable[[], None]:
    """Prevent redirects from carrying credentials to another server; return a function that undoes this.

    requests itself removes ``Authorization`` if scheme, host or port differ. But it keeps cookies, which
    ignore the port, and reads ``~/.netrc``, which also ignores the port and may have an entry for all hosts.
    """
    from requests.sessions import SessionRedirectMixin

    rebuild_auth = SessionRedirectMixin.rebuild_auth

    def rebuild(self: SessionRedirectMixin, prepared_request: Any, response: Any) -> None:
        if self.should_strip_auth(response.request.url, prepared_request.url):
            for name in ("Authorization", "Cookie"):
                prepared_request.headers.pop(name, None)
        else:
            rebuild_auth(self, prepared_request, response)

    def undo() -> None:
        setattr(SessionRedirectMixin, "rebuild_auth", rebuild_auth)  # noqa: B010 (mypy minds an assignment)

    setattr(SessionRedirectMixin, "rebuild_auth", rebuild)  # noqa: B010
    return undo


def forget_servers() -> None:
    """Remove the variables about servers from the environment of a process that writes to a local store."""
    for name in [name for name in os.environ if _OF_SERVERS.fullmatch(name) and name not in _QUIET]:
        del os.environ[name]


def would_be_told_who_asks(address: str) -> bool:
    """Return whether MLflow would send credentials to the server at this address.

    They come from variables or from MLflow's own file in the user's home, which hold for any address, or from
    ``~/.netrc``.
    """
    from requests.utils import get_netrc_auth

    of_mlflow = Path("~/.mlflow/credentials").expanduser()
    named = any(value and _CREDENTIALS.fullmatch(name) for name, value in os.environ.items())
    return named or of_mlflow.exists() or get_netrc_auth(address) is not None


def have_no_reports() -> None:
    """Turn off the telemetry of libraries that this process will import."""
    os.environ.update(_NO_REPORTING_HERE)


def keep_caches_in(folder: Path) -> None:
    """Make libraries keep caches and settings in ``folder``, unless the user has set another place.

    If the folder cannot be written to, matplotlib keeps its default.
    """
    if "matplotlib" in sys.modules:  # it has already chosen its folders
        return
    above = next((each for each in (folder, *folder.parents) if os.path.exists(each)), folder)
    if os.access(above, os.W_OK | os.X_OK):
        os.environ.setdefault("MPLCONFIGDIR", str(folder / "matplotlib"))


def has_matplotlib_folder() -> bool:
    """Return whether the user has a settings folder for matplotlib, which is then to be used."""
    settings = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return any(
        os.path.isdir(each) for each in (f"{settings}/matplotlib", os.path.expanduser("~/.matplotlib"))
    )


def keep_warnings_warnings() -> None:
    """Undo ``PYTHONWARNINGS=error``, which would turn the warnings of libraries into errors.

    The filters become those that apply without it, in this process and in those that it starts.
    """
    os.environ.pop(_WARNINGS, None)
    sys.warnoptions[:] = [each for each in sys.warnoptions if not each.startswith("error")]
    _drop_errors()


@contextmanager
def warnings_stay_warnings() -> Iterator[None]:
    """Keep warnings from being errors in this process while the context lasts."""
    with warnings.catch_warnings():
        _drop_errors()
        yield


def _drop_errors() -> None:
    filters: Any = warnings.filters
    kept = [each for each in filters if each[0] != "error"]
    if len(kept) < len(filters):
        warnings.resetwarnings()
        filters.extend(kept)


def _set(environment: MutableMapping[str, str], wanted: dict[str, str]) -> None:
    for name in [name for name in environment if name not in wanted]:
        del environment[name]
    environment.update(wanted)
