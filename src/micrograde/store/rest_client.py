"""Query a tracking server through MLflow's REST interface, with limits on the time and size of each answer.

MLflow's own client restarts its timeout with each part of an answer, holds whatever arrives, and rejects a
whole page if one value in it is not a number. Here each answer is limited in time and size and returned as
JSON, so that the caller can take what is valid. How the server is reached (passwords, tokens, certificates,
proxies) is left to MLflow.
"""

import os
import re
import threading
import time
from collections.abc import Iterator, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

from micrograde.core.bounds import (
    ANSWER_SECONDS,
    MOST_REDIRECTS,
    SLOW_BYTES,
    SLOW_SECONDS,
    SPARE_PAGES,
)
from micrograde.core.json_files import parse_json
from micrograde.core.redaction import without_password
from micrograde.store.bounded_answers import PACKING, LateAnswerError, in_time, read_answer
from micrograde.store.library_environment import usual_value

_API = "/api/2.0/mlflow"
_PASSING = {408, 425, 429, 500, 502, 503, 504}  # temporary errors, worth another try
_REDIRECTS = {301, 302, 303, 307, 308}
_REASON_LENGTH = 300
_PATIENCE_LASTS = 60.0  # seconds without a request, after which slowness is forgotten
_TIMEOUT, _RETRIES = "MLFLOW_HTTP_REQUEST_TIMEOUT", "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
_BACKOFF = "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR"
_SILENT = "no answer in time"
_SURROGATE = re.compile(r"[\ud800-\udfff]")


class ServerError(Exception):
    """A server does not answer, or its answer is invalid; the message is one line.

    Attributes
    ----------
    code
        MLflow's error code, such as ``RESOURCE_DOES_NOT_EXIST``; empty if the server has sent none.
    passes
        Whether it may answer if it is asked again in a while.
    """

    def __init__(self, reason: str, code: str = "", *, passes: bool = False) -> None:
        super().__init__(without_password(" ".join(reason.split()))[:_REASON_LENGTH])
        self.code, self.passes = code, passes


@dataclass
class _Patience:
    """How slow a server has been.

    Attributes
    ----------
    slow
        Seconds that it has taken beyond those that any request may take.
    asked
        When it was last asked, as a time of ``time.monotonic``.
    """

    slow: float = 0.0
    asked: float = 0.0


_patience: dict[str, _Patience] = {}
_guard = threading.Lock()


class Server:
    """The server at an address; to be used within ``quiet_libraries``.

    Parameters
    ----------
    uri
        The address, with user and password if they are not in MLflow's variables.
    """

    def __init__(self, uri: str) -> None:
        from mlflow.exceptions import MlflowException

        try:
            from mlflow.utils.credentials import get_default_host_creds

            self._creds: Any = get_default_host_creds(uri)  # type: ignore[no-untyped-call]
        except MlflowException as error:
            raise ServerError(str(error)) from None
        self._answer_seconds = _answer_seconds()
        with _guard:
            self._patience = _patience.setdefault(uri, _Patience())
            if time.monotonic() - self._patience.asked > _PATIENCE_LASTS:
                self._patience.slow = 0.0

    def get(self, endpoint: str, given: Mapping[str, object]) -> dict[str, Any]:
        """Return the answer to a GET request such as ``runs/get``.

        Raises
        ------
        ServerError
            If the server does not answer, or not with a JSON object, or with an error of MLflow's, whose code
            is then in ``code``.
        """
        return self._ask("GET", endpoint, {"params": {key: str(value) for key, value in given.items()}})

    def post(self, endpoint: str, given: Mapping[str, object]) -> dict[str, Any]:
        """Return the answer to a POST request such as ``runs/search``; raises as ``get``."""
        return self._ask("POST", endpoint, {"json": dict(given)})

    def pages(
        self, endpoint: str, given: Mapping[str, object], items: str, size: int, most: int
    ) -> Iterator[list[Any]]:
        """Yield the list named ``items`` of each page, until there are no more pages or ``most`` items.

        Parameters
        ----------
        items
            The key of the list in an answer, such as ``runs``.
        size
            Items of a page.

        Raises
        ------
        ServerError
            As ``get``, or if the pages do not end.
        """
        ask = self.get if endpoint == "metrics/get-history" else self.post
        token, before, found, pages = "", set[str](), 0, 0
        while True:
            more = {"page_token": token} if token else {}
            answer = ask(endpoint, {**given, "max_results": size, **more})
            page = answer.get(items, [])
            if not isinstance(page, list):
                raise ServerError(f"in its answer to {endpoint}, {items} is not a list")
            yield page
            found, pages = found + len(page), pages + 1
            token = answer.get("next_page_token") or ""
            if not token or found >= most:
                return
            if not isinstance(token, str) or token in before or pages > SPARE_PAGES + 2 * found / size:
                raise ServerError(f"its pages of {endpoint} do not end")
            before.add(token)

    def _ask(self, method: str, endpoint: str, content: Mapping[str, Any]) -> dict[str, Any]:
        start, delay = time.monotonic(), 0.0
        until = start + self._answer_seconds
        tries = int(os.environ.get(_RETRIES) or 0)
        while True:
            try:
                status, body = in_time(
                    lambda: self._answer(method, endpoint, content, until), until - time.monotonic()
                )
            except LateAnswerError:
                raise ServerError(_too_slow(self._answer_seconds), passes=True) from None
            except ServerError:
                if tries <= 0 or time.monotonic() + delay >= until:
                    raise
            else:
                if status not in _PASSING or tries <= 0 or time.monotonic() + delay >= until:
                    break
            tries -= 1
            time.sleep(delay)
            delay = 2 * delay or 2 * float(os.environ.get(_BACKOFF) or 0)
        self._count(time.monotonic() - start, len(body))
        return _object(endpoint, status, body)

    def _answer(
        self, method: str, endpoint: str, content: Mapping[str, Any], until: float
    ) -> tuple[int, bytes]:
        """Return status and body, after following redirects within the same server."""
        from mlflow.utils.rest_utils import http_request

        creds, path = self._creds, f"{_API}/{endpoint}"
        for _ in range(MOST_REDIRECTS + 1):
            try:
                response = http_request(  # type: ignore[no-untyped-call]
                    creds,
                    path,
                    method,
                    max_retries=0,
                    extra_headers=PACKING,
                    timeout=self._answer_seconds,
                    raise_on_status=False,
                    respect_retry_after_header=False,
                    allow_redirects=False,
                    stream=True,
                    **content,
                )
                with response:
                    if response.status_code not in _REDIRECTS or not _follows_redirects():
                        return response.status_code, read_answer(response, until)
                    target = urljoin(f"{creds.host}{path}", response.headers.get("Location", ""))
            except LateAnswerError:
                raise
            except Exception as error:  # of MLflow, or of any library below it
                reason = reason_of(error)
                if reason == _SILENT:  # the library's limit, which is as long as ours, was reached first
                    raise LateAnswerError(reason) from None
                raise ServerError(reason, passes=True) from None
            creds, path, content = _redirected(creds, target, method, content)
        raise ServerError(f"it redirects more than {MOST_REDIRECTS} times")

    def _count(self, seconds: float, size: int) -> None:
        """Add up how slow the server has been, and raise ``ServerError`` if it is too slow altogether.

        A server that is slow now and then is tolerated, one that is slow at every request is not.
        """
        with _guard:
            self._patience.asked = time.monotonic()
            self._patience.slow += max(seconds - SLOW_SECONDS - size / SLOW_BYTES, 0.0)
            if self._patience.slow > self._answer_seconds:
                raise ServerError(_too_slow(self._answer_seconds), passes=True)


def forget_slowness(uri: str) -> None:
    """Give a server that was too slow its whole patience again, as when it was away and may be back."""
    with _guard:
        _patience.pop(uri, None)


def reason_of(error: BaseException) -> str:
    """Return the reason for an error in one line; libraries wrap the system's message in several others."""
    text = " ".join(str(error).split())
    system = re.search(r"\[Errno -?\d+\] ([^'\")\\]+)", text)
    if system:
        return system[1].strip()
    if "timed out" in text:
        return _SILENT
    return text or type(error).__name__


def _answer_seconds() -> float:
    """Return how many seconds an answer may take: the user's setting, by default ``ANSWER_SECONDS``."""
    told = os.environ.get(_TIMEOUT, "")
    return float(told) if told.isdecimal() and told != usual_value(_TIMEOUT) else ANSWER_SECONDS


def _follows_redirects() -> bool:
    return os.environ.get("MLFLOW_ALLOW_HTTP_REDIRECTS", "true").lower() in ("true", "1")


def _too_slow(seconds: float) -> str:
    return f"no answer in {seconds:.0f} s; set {_TIMEOUT}=60 to wait longer"


def _redirected(
    creds: Any, target: str, method: str, content: Mapping[str, Any]
) -> tuple[Any, str, Mapping[str, Any]]:
    """Return credentials, path and content for the target of a redirect.

    Raises
    ------
    ServerError
        If the target is another server, which would be sent the password.
    """
    try:
        before, after = urlsplit(creds.host), urlsplit(target)
        here, there = _origin(before), _origin(after)
        same = here == there or (here[:2] == ("http", 80) and there == ("https", 443, here[2]))
    except ValueError:
        same = False
    if not same:
        raise ServerError(f"it redirects to another server: {target[:100]}; if right, give its address")
    creds = copy(creds)
    user = before.netloc.rpartition("@")[0]
    creds.host = f"{after.scheme}://{user + '@' if user else ''}{after.netloc.rpartition('@')[2]}"
    query = f"?{after.query}" if after.query else ""
    return creds, f"{after.path}{query}", content if method == "POST" or not query else {}


def _origin(address: SplitResult) -> tuple[str, int | None, str | None]:
    """Return scheme, port and host; raise ``ValueError`` if the port is not a valid number."""
    usual = {"http": 80, "https": 443}.get(address.scheme)
    return address.scheme, address.port or usual, address.hostname


def _object(endpoint: str, status: int, body: bytes) -> dict[str, Any]:
    """Return the JSON object of an answer; raise ``ServerError`` if it is none, or an error of MLflow's."""
    try:
        content = parse_json(body or b"{}")
        if rb"\u" in body:
            content = _without_surrogates(content)
    except (ValueError, RecursionError) as error:
        if status == 200:
            said = "is nested too deep" if "too deep" in str(error) else "is not JSON"
            raise ServerError(f"its answer to {endpoint} {said}; is it an MLflow server?") from None
        raise ServerError(f"it answers {status} to {endpoint}", passes=status in _PASSING) from None
    if status != 200:
        told = content if isinstance(content, dict) else {}
        code, message = (str(told.get(key, ""))[:_REASON_LENGTH] for key in ("error_code", "message"))
        reason = ": ".join(filter(None, (code, message))) or f"it answers {status}"
        raise ServerError(reason, code, passes=status in _PASSING)
    if not isinstance(content, dict) or "error_code" in content:
        raise ServerError(f"its answer to {endpoint} has an unexpected form; is it an MLflow server?")
    return content


def _without_surrogates(content: Any) -> Any:
    """Return the content with lone surrogates replaced, as they cannot be written to a file or a terminal."""
    if isinstance(content, str):
        return content if content.isascii() else _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", content)
    if isinstance(content, list):
        return [_without_surrogates(each) for each in content]
    if isinstance(content, dict):
        return {_without_surrogates(key): _without_surrogates(each) for key, each in content.items()}
    return content
