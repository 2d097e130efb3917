"""Ask a server for an experiment by one request, without MLflow, whose import takes a second."""

import base64
import os
from contextlib import suppress
from functools import partial
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote, unquote, urlsplit, urlunsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from micrograde.core.json_files import parse_json
from micrograde.store.bounded_answers import LateAnswerError, in_time

_PATIENCE = 2.0  # seconds for a server's response
_LONGEST = 2**20  # bytes of a response


def ask(name: str, uri: str) -> dict[str, str] | None:
    """Return what a server says of the experiment of this name, by MLflow's REST interface.

    None if the server does not answer, or not in the expected form.

    Raises
    ------
    LookupError
        If the server has no experiment of this name.
    """
    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    address = urlunsplit((parts.scheme, host, parts.path.rstrip("/"), "", ""))
    query = f"/api/2.0/mlflow/experiments/get-by-name?experiment_name={quote(name, safe='')}"
    request = Request(address + query, headers=_headers(parts.username, parts.password))

    def answer() -> bytes:
        with build_opener(_PasswordsStay).open(request, timeout=_PATIENCE) as response:
            return bytes(response.read(_LONGEST))

    try:
        experiment = parse_json(in_time(answer, _PATIENCE))["experiment"]
        return {str(key): str(value) for key, value in experiment.items()}
    except HTTPError as error:
        with error, suppress(LateAnswerError, OSError, HTTPException, ValueError, AttributeError):
            content = parse_json(in_time(partial(error.read, _LONGEST), _PATIENCE))
            if content.get("error_code") == "RESOURCE_DOES_NOT_EXIST":
                raise LookupError(name) from None
        return None
    except (LateAnswerError, OSError, HTTPException, ValueError, KeyError, TypeError, AttributeError):
        return None


class _PasswordsStay(HTTPRedirectHandler):
    """Follows redirects to another server without the credentials for the first.

    ``urllib`` by itself would pass them on.
    """

    def redirect_request(self, req: Request, *told: Any) -> Request | None:
        following = super().redirect_request(req, *told)
        if following and urlsplit(following.full_url)[:2] != urlsplit(req.full_url)[:2]:
            following.remove_header("Authorization")
        return following


def _headers(user: str | None, password: str | None) -> dict[str, str]:
    """Return headers for the workspace and the credentials.

    As in MLflow, credentials come from its environment variables, else from the address.
    """
    workspace = os.environ.get("MLFLOW_WORKSPACE")
    headers = {"X-MLFLOW-WORKSPACE": workspace} if workspace else {}
    if token := os.environ.get("MLFLOW_TRACKING_TOKEN"):
        return {**headers, "Authorization": f"Bearer {token}"}
    user = os.environ.get("MLFLOW_TRACKING_USERNAME") or unquote(user or "")
    password = os.environ.get("MLFLOW_TRACKING_PASSWORD") or unquote(password or "")
    if not user:
        return headers
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {**headers, "Authorization": f"Basic {encoded}"}
