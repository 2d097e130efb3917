"""Read HTTP responses within a time limit and a size limit: a server may never stop sending.

The timeout of requests starts again with each piece that arrives, and requests holds and decompresses
whatever it receives.
"""

import re
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any, TypeVar

from micrograde.core.bounds import ANSWER_SECONDS, LONGEST_ANSWER, LONGEST_FILE, SLOW_BYTES

if TYPE_CHECKING:
    import requests

Result = TypeVar("Result")

PACKING = {"Accept-Encoding": "gzip"}
"""The one compression that servers may use; others that libraries accept are decompressed without limit."""
_PIECE = 2**16  # bytes that are read at once
_SMALL = 2**20  # bytes; a smaller request takes no time to send


UNBOUNDED = re.compile("it answers (with more than|in a compression)|its answer cannot be decompressed")
"""Matches the messages of ``UnboundedAnswerError``, of which MLflow's client leaves only the text."""


class UnboundedAnswerError(Exception):
    """A response is too long, or compressed in a way that was not asked for; the message is one line."""


class LateAnswerError(Exception):
    """A response did not arrive in time."""


def in_time(call: Callable[[], Result], seconds: float) -> Result:
    """Return what ``call`` returns, if it does so within ``seconds``.

    Otherwise the call goes on in a daemon thread that nobody waits for.

    Raises
    ------
    LateAnswerError
        If the call takes longer. What ``call`` itself raises is raised, too.
    """
    outcome: Queue[Result | Exception] = Queue()

    def run() -> None:
        try:
            outcome.put(call())
        except Exception as error:
            outcome.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        result = outcome.get(timeout=max(seconds, 0.001))
    except Empty:
        raise LateAnswerError("timed out") from None
    if isinstance(result, Exception):
        raise result
    return result


def read_answer(response: "requests.Response", until: float) -> bytes:
    """Return the decompressed body of a response of which nothing has been read yet.

    Parameters
    ----------
    until
        The deadline, as a time of ``time.monotonic``.

    Raises
    ------
    UnboundedAnswerError
        If the body has more than ``LONGEST_ANSWER`` bytes, or is compressed by anything but gzip.
    LateAnswerError
        If the deadline passes.
    """
    packed = response.headers.get("Content-Encoding", "identity").strip().lower()
    if packed not in ("identity", "gzip", ""):
        raise UnboundedAnswerError("it answers in a compression that was not asked for")
    unpacking = zlib.decompressobj(31) if packed == "gzip" else None
    parts, size = [], 0
    for piece in response.raw.stream(_PIECE, decode_content=False):
        part = unpacking.decompress(piece, LONGEST_ANSWER - size + 1) if unpacking else piece
        size += len(part)
        parts.append(part)
        if size > LONGEST_ANSWER:
            raise UnboundedAnswerError(f"it answers with more than {LONGEST_ANSWER:,} bytes")
        if time.monotonic() > until:
            raise LateAnswerError("timed out")
    return b"".join(parts)


def _file_pieces(read: Callable[..., Iterator[bytes]], request: Any, seconds: float) -> Callable[..., Any]:
    """Return a replacement for ``iter_content`` that reads a server's file within the limits."""
    from requests import exceptions

    def pieces(*_: Any, **__: Any) -> Iterator[bytes]:
        start, size, left = time.monotonic(), 0, read(_PIECE)
        while True:
            more = start + seconds + size / SLOW_BYTES - time.monotonic()
            try:
                piece = in_time(partial(next, left, b""), more)
            except LateAnswerError as error:
                raise exceptions.ReadTimeout(str(error), request=request) from None
            if not piece:
                return
            size += len(piece)
            if size > LONGEST_FILE:
                reason = f"a file has more than {LONGEST_FILE:,} bytes"
                raise exceptions.ContentDecodingError(reason, request=request)
            yield piece

    return pieces


def bound_answers() -> Callable[[], None]:
    """Limit all responses that MLflow's client reads in this process; return a function that undoes this.

    Responses that are read piece by piece, as files are, may be larger and take longer.
    """
    from requests import exceptions
    from requests.adapters import HTTPAdapter

    send: Any = HTTPAdapter.send

    def bounded(self: Any, request: Any, stream: bool = False, timeout: Any = None, **more: Any) -> Any:
        if stream:
            answer_of_file = send(self, request, stream=True, timeout=timeout, **more)
            seconds = timeout if isinstance(timeout, int | float) else ANSWER_SECONDS
            answer_of_file.iter_content = _file_pieces(answer_of_file.iter_content, request, seconds)
            return answer_of_file
        request.headers.update(PACKING)
        seconds = timeout if isinstance(timeout, int | float) else ANSWER_SECONDS

        def answer() -> Any:
            response = send(self, request, stream=True, timeout=timeout, **more)
            try:
                response._content = read_answer(response, time.monotonic() + seconds)
            except zlib.error as error:
                raise UnboundedAnswerError(f"its answer cannot be decompressed ({error})") from None
            response._content_consumed = True
            return response

        try:
            small = (
                len(request.body or b"") < _SMALL if isinstance(request.body, bytes | str | None) else False
            )
            return in_time(answer, seconds) if small else answer()
        except LateAnswerError as error:
            raise exceptions.ReadTimeout(str(error), request=request) from None
        except UnboundedAnswerError as error:
            raise exceptions.ContentDecodingError(str(error), request=request) from None

    def undo() -> None:
        setattr(HTTPAdapter, "send", send)  # noqa: B010 (mypy minds an assignment)

    setattr(HTTPAdapter, "send", bounded)  # noqa: B010
    return undo
