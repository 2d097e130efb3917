"""MLflow's server, with pages that open on model training rather than on language models.

MLflow stores that choice in the browser, and opens on language models until the user has chosen. The server
has no setting for it, so a script that is added to the start page makes the choice if there is none.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from functools import cached_property
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

APP_NAME = "micrograde"
"""The name for ``mlflow server --app-name``: that of the entry point in pyproject.toml."""

_START_PAGES = {"/", "/index.html"}
_CHOICE = (
    b"<script>try{if(localStorage.getItem('mlflow.workflowType_v1')===null)"
    b"""localStorage.setItem('mlflow.workflowType_v1','"machine_learning"')}catch(unavailable){}</script>"""
)


class ModelTrainingFirst:
    """An ASGI application around another that adds the choice to its start page, and passes on all else.

    Parameters
    ----------
    inner
        A function that returns the inner application; it is called at the first request.
    """

    def __init__(self, inner: Callable[[], Application]) -> None:
        self._make = inner

    @cached_property
    def _inner(self) -> Application:
        return self._make()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request, see the ASGI specification 3.0."""
        if scope["type"] != "http" or scope["path"] not in _START_PAGES:
            await self._inner(scope, receive, send)
            return
        # The page in the browser's cache may lack the choice.
        unconditional = [
            each for each in scope["headers"] if each[0] not in (b"if-none-match", b"if-modified-since")
        ]
        messages: list[Message] = []

        async def keep(message: Message) -> None:
            messages.append(message)

        await self._inner({**scope, "headers": unconditional}, receive, keep)
        for message in _with_choice(messages):
            await send(message)


def _with_choice(messages: list[Message]) -> list[Message]:
    """Return the messages of an answer with the choice in its page; any other answer as it is."""
    starts = [each for each in messages if each["type"] == "http.response.start"]
    body = b"".join(each.get("body", b"") for each in messages if each["type"] == "http.response.body")
    before, head, after = body.partition(b"<head>")
    if not (starts and head):
        return messages
    page = before + head + _CHOICE + after
    own = {b"content-length", b"etag", b"last-modified"}
    headers = [each for each in starts[0]["headers"] if each[0].lower() not in own]
    return [
        {**starts[0], "headers": [*headers, (b"content-length", str(len(page)).encode())]},
        {"type": "http.response.body", "body": page},
    ]


def _mlflow() -> Application:
    from mlflow.server.fastapi_app import app

    application: Application = app
    return application


app = ModelTrainingFirst(_mlflow)
