"""The page that starts MLflow's UI, with the choice of model training added, and whatever else is answered."""

import asyncio

import pytest

from micrograde.cli.mlflow_ui import ModelTrainingFirst

PAGE = b"<!doctype html><html><head><title>MLflow</title></head><body></body></html>"


def ask(path, *, body=PAGE, status=200, parts=2, headers=()):
    """What comes to a client that asks for a path, of an application that answers in parts, and what it was asked."""
    asked, sent = [], []

    async def inner(scope, _receive, send):
        asked.append(scope)
        start = [
            (b"content-type", b"text/html"),
            (b"Content-Length", str(len(body)).encode()),
            (b"etag", b"1"),
        ]
        await send({"type": "http.response.start", "status": status, "headers": start})
        size = -(-len(body) // parts)
        for first in range(0, len(body), size):
            rest = first + size < len(body)
            await send({"type": "http.response.body", "body": body[first : first + size], "more_body": rest})

    async def receive():
        pytest.fail("there is nothing to receive")

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "path": path, "method": "GET", "headers": list(headers)}
    asyncio.run(ModelTrainingFirst(lambda: inner)(scope, receive, send))
    return sent[0], b"".join(each["body"] for each in sent[1:]), asked[0]


@pytest.mark.parametrize("path", ["/", "/index.html"])
def test_the_start_page_holds_the_choice_before_mlflows_own_scripts(path):
    start, body, _ = ask(path)
    assert body.startswith(b"<!doctype html><html><head><script>")
    assert body.endswith(PAGE.partition(b"<head>")[2])
    assert b"'mlflow.workflowType_v1','\"machine_learning\"'" in body
    headers = {name.lower(): value for name, value in start["headers"]}
    assert headers == {b"content-type": b"text/html", b"content-length": str(len(body)).encode()}


@pytest.mark.parametrize(
    ("path", "options"),
    [("/static-files/main.html", {}), ("/", {"body": b"Invalid Host header", "status": 403})],
)
def test_any_other_answer_passes_as_it_is(path, options):
    start, body, _ = ask(path, **options)
    assert body == options.get("body", PAGE)
    assert start["status"] == options.get("status", 200)
    assert (b"etag", b"1") in start["headers"]


def test_a_page_that_the_browser_has_kept_is_sent_anew():
    _, body, scope = ask("/", headers=[(b"host", b"localhost"), (b"if-none-match", b"1")])
    assert b"workflowType" in body
    assert scope["headers"] == [(b"host", b"localhost")]
