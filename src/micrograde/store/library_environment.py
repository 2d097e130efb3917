"""The environment that libraries are used in: MLflow's variables, and the filters of warnings.

Of MLflow's variables those that say how a server is reached are the user's to set. Others are meant for
programs that call MLflow by themselves, or for its server: some would break a store that is written and read
here (``MLFLOW_ENABLE_WORKSPACES``), others would have MLflow look elsewhere.
"""

import os
import re
import sys
import warnings
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from micrograde.store.bounded_answers import bound_answers

_NO_REPORTING = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
# ONNX Runtime gives each machine a number, which it keeps in the home.
_NO_REPORTING_HERE = {"ORT_DISABLE_TELEMETRY": "1"}
_QUIET = {  # unless the user has set them otherwise
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # it would cost a request a run, too
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # a server that is gone is reported in seconds, not minutes
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "8",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false",  # files go to the server, not where it sends us
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",
    "GIT_PYTHON_REFRESH": "quiet",  # a machine without git is no reason to complain
}
_OF_MLFLOW = re.compile(r"_?MLFLOW_")
_OF_SERVERS = re.compile(  # who asks, how, and how files are sent
    r"MLFLOW_(TRACKING_(USERNAME|PASSWORD|TOKEN|AUTH|AWS_SIGV4|INSECURE_TLS|(SERVER|CLIENT)_CERT_PATH)"
    r"|HTTP_\w+|ALLOW_HTTP_REDIRECTS|WORKSPACE|ENABLE_ARTIFACTS_PROGRESS_BAR"
    r"|(S3|GCS|KERBEROS|PYARROW|BOTO)_\w+|(ENABLE_)?(PROXY_)?MULTIPART_\w+|ENABLE_PROXY_MULTIPART_\w+"
    r"|ARTIFACT_UPLOAD_DOWNLOAD_TIMEOUT|DOWNLOAD_CHUNK_TIMEOUT|ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES)"
)
_CREDENTIALS = re.compile(
    r"MLFLOW_TRACKING_(USERNAME|PASSWORD|TOKEN|AUTH|AWS_SIGV4|CLIENT_CERT_PATH)|MLFLOW_KERBEROS_\w+"
)
_WARNINGS = "PYTHONWARNINGS"  # those of libraries are no errors of ours


def quiet_environment(*, servers: bool = True) -> dict[str, str]:
    """The environment for processes that use MLflow, with reporting and endless retries turned off.

    Without ``servers`` it is that of a process that asks none.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name != _WARNINGS and (not _OF_MLFLOW.match(name) or (servers and _OF_SERVERS.fullmatch(name)))
    }
    return {**_QUIET, **kept, **_NO_REPORTING}


def usual_value(name: str) -> str | None:
    """What a variable of MLflow's is unless the user has set it."""
    return _QUIET.get(name)


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Have this process use MLflow in that environment for as long as the context lasts."""
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
    """Have no redirect carry credentials to another server; what is returned undoes that.

    requests takes ``Authorization`` out by itself where scheme, host or port are others, but keeps cookies,
    which know no port, and looks into ``~/.netrc``, which knows none either and may have an entry for all.
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
    """Of a process whose store is a local one: what is said of servers is not meant for that."""
    for name in [name for name in os.environ if _OF_SERVERS.fullmatch(name) and name not in _QUIET]:
        del os.environ[name]


def would_be_told_who_asks(address: str) -> bool:
    """Return whether MLflow would send credentials to any server, whichever address it is given.

    They come from variables, from MLflow's own file in the user's home, or from ``~/.netrc``.
    """
    from requests.utils import get_netrc_auth

    of_mlflow = Path("~/.mlflow/credentials").expanduser()
    named = any(value and _CREDENTIALS.fullmatch(name) for name, value in os.environ.items())
    return named or of_mlflow.exists() or get_netrc_auth(address) is not None


def have_no_reports() -> None:
    """Have libraries that this process will import report nothing."""
    os.environ.update(_NO_REPORTING_HERE)


def keep_caches_in(folder: Path) -> None:
    """Have libraries keep caches and settings there, not in the user's home, unless the user has said where.

    A folder that nobody may write to is no place for them; matplotlib then does as it does elsewhere.
    """
    if "matplotlib" in sys.modules:  # which has found its folders by now
        return
    above = next((each for each in (folder, *folder.parents) if os.path.exists(each)), folder)
    if os.access(above, os.W_OK | os.X_OK):
        os.environ.setdefault("MPLCONFIGDIR", str(folder / "matplotlib"))


def has_matplotlib_folder() -> bool:
    """Whether this user has settings of matplotlib's, which a process of theirs is to go by."""
    settings = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return any(
        os.path.isdir(each) for each in (f"{settings}/matplotlib", os.path.expanduser("~/.matplotlib"))
    )


def keep_warnings_warnings() -> None:
    """Have no warning be an error: ``PYTHONWARNINGS=error`` is not meant for what libraries say.

    Instead the filters hold that would hold without it, here and in processes that this one starts.
    """
    os.environ.pop(_WARNINGS, None)
    sys.warnoptions[:] = [each for each in sys.warnoptions if not each.startswith("error")]
    _drop_errors()


@contextmanager
def warnings_stay_warnings() -> Iterator[None]:
    """The same of this process, for as long as the context lasts."""
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
