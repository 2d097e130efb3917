"""Tracking servers in this process: one that says what a store holds, and one that says what a test has it say.

Both speak MLflow's REST interface over real sockets, which is where slowness and sizes come from.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

API = "/api/2.0/mlflow/"
Say = Callable[[str, dict[str, Any]], Any]
"""What a server answers to an endpoint such as ``runs/search`` and what was asked: an object, or a ``Reply``."""


@dataclass
class Reply:
    """An answer as it goes over the wire: pieces of bytes, each after a pause of ``drip`` seconds."""

    pieces: Iterator[bytes] | list[bytes]
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    drip: float = 0.0
    cut: bool = False


@contextmanager
def serving(say: Say) -> Iterator[str]:
    """The address of a server that answers so, for as long as the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 60

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            asked = json.loads(self.rfile.read(length)) if length else dict(parse_qsl(parts.query))
            found = say(parts.path.removeprefix(API), asked)
            reply = found if isinstance(found, Reply) else Reply([json.dumps(found).encode()])
            try:
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.send_header("Connection", "close")
                if reply.cut:
                    self.send_header("Content-Length", "1000000")
                self.end_headers()
                for piece in reply.pieces:
                    time.sleep(reply.drip)
                    if over.is_set():
                        return
                    self.wfile.write(piece)
            except OSError:  # who asked has heard enough
                pass

        do_GET = do_POST = do_PATCH = _answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Nothing."""

    over = threading.Event()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            over.set()
            server.shutdown()
            thread.join()


def of_store(uri: str) -> Say:
    """What an honest server answers that keeps its runs in the store at ``uri``, encoded by MLflow itself."""
    from mlflow import MlflowClient
    from mlflow.exceptions import MlflowException
    from mlflow.utils.proto_json_utils import message_to_json

    client = MlflowClient(uri)

    def plain(entity: Any) -> Any:
        return json.loads(message_to_json(entity.to_proto()))

    def page(found: Any, name: str) -> dict[str, Any]:
        token = found.token.decode() if isinstance(found.token, bytes) else found.token
        more = {"next_page_token": token} if token else {}
        return {name: [plain(each) for each in found], **more}

    def say(endpoint: str, asked: dict[str, Any]) -> Any:
        most, token = int(asked.get("max_results", 1000)), asked.get("page_token") or None
        try:
            if endpoint == "experiments/search":
                return page(client.search_experiments(max_results=most, page_token=token), "experiments")
            if endpoint == "runs/search":
                found = client.search_runs(
                    asked["experiment_ids"], asked["filter"], max_results=most, page_token=token
                )
                return page(found, "runs")
            if endpoint == "runs/get":
                return {"run": plain(client.get_run(asked["run_id"]))}
            if endpoint == "metrics/get-history":
                found = client._tracking_client.store.get_metric_history(
                    asked["run_id"], asked["metric_key"], max_results=most, page_token=token
                )
                return page(found, "metrics")
        except MlflowException as error:
            told = {"error_code": error.error_code, "message": error.message}
            return Reply([json.dumps(told).encode()], 404)
        return Reply([b"{}"], 404)

    return say


# --- hostile ones -------------------------------------------------------------------------------

VALUES: tuple[object, ...] = (
    None, True, -5, 2**70, 10**400, 1.5, 1e308, float("nan"), float("inf"), "", "abc", "NaN", "1e999",
    "\x1b[31mred\x1b]0;title\x07 \u202e \x9b31m", "a\0b", "\ud800", "../../x", "x" * 4000, "x" * 300_000,
    [], {}, [[]], {"key": {}}, "[" * 5000, ["x"] * 100, {"a" * 4000: 1},
)  # fmt: skip
NESTED = b"[" * 100_000


def places(content: Any, prefix: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where there is something in an answer, as keys and places from its root; not the root."""
    items = (
        content.items()
        if isinstance(content, dict)
        else enumerate(content)
        if isinstance(content, list)
        else ()
    )
    return [place for key, each in items for place in ((*prefix, key), *places(each, (*prefix, key)))]


def replaced(content: Any, place: tuple[Any, ...], value: Any) -> Any:
    """The answer with another value at a place."""
    if not place:
        return value
    copy = content.copy()
    copy[place[0]] = replaced(content[place[0]], place[1:], value)
    return copy


def as_bytes(content: Any) -> bytes:
    """As JSON, with NaN and what is nested too deep for Python's own encoder."""
    return json.dumps(content).replace('"NESTED"', NESTED.decode()).encode()


def whole_answers() -> dict[str, Callable[[], Any]]:
    """Answers that are none, by name; each call makes one."""
    import gzip

    html = {"Content-Type": "text/html"}
    packed = {"Content-Encoding": "gzip", "Content-Type": "application/json"}

    def endless(piece: bytes) -> Iterator[bytes]:
        while True:
            yield piece

    return {
        "nothing": lambda: Reply([]),
        "a list": list,
        "null": lambda: Reply([b"null"]),
        "a number": lambda: Reply([b"1e999"]),
        "html": lambda: Reply([b"<html>\x1b[31mlogin</html>"], headers=html),
        "nested": lambda: Reply([NESTED]),
        "nested within": lambda: Reply([b'{"runs": ', NESTED]),
        "not utf-8": lambda: Reply([b'{"runs": "\xff\xfe"}']),
        "an error": lambda: {"error_code": "INTERNAL_ERROR", "message": "\x1b[31m\nred"},
        "an error of 500": lambda: Reply([b'{"error_code": "\\u001b[31m", "message": "a\\nb"}'], 500),
        "refused": lambda: Reply([b"\x1b[31m" * 1000], 403, html),
        "come again": lambda: Reply([b""], 503, {"Retry-After": "3600"}),
        "redirect": lambda: Reply([b""], 302, {"Location": "/api/2.0/mlflow/runs/search"}),
        "redirect elsewhere": lambda: Reply([b""], 307, {"Location": "http://elsewhere.example/\x1b[31m"}),
        "redirect nowhere": lambda: Reply([b""], 308, {"Location": "http://[x"}),
        "cut": lambda: Reply([b'{"runs": ['], cut=True),
        "garbage": lambda: Reply([b"zz\r\n"], headers={"Transfer-Encoding": "chunked"}),
        "bomb": lambda: Reply([gzip.compress(bytes(2**28), 9)], headers=packed),
        "no gzip": lambda: Reply([b"\x1f\x8b\x08garbage"], headers=packed),
        "another packing": lambda: Reply([b"x"], headers={"Content-Encoding": "br"}),
        "endless": lambda: Reply(endless(b" " * 2**20)),
        "dripping": lambda: Reply(endless(b" "), drip=0.05),
        "silent": lambda: Reply(endless(b" "), drip=30.0),
        "redirect without end": lambda: Reply(endless(b" " * 2**20), 302, {"Location": "/x"}),
    }
