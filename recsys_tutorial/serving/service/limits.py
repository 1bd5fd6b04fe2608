"""A door that no big and no slow body passes: what is too much is refused before anything reads it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

MAX_BYTES, MAX_SECONDS = 64 * 1024, 10.0
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class BodyLimit:
    """ASGI middleware: the body is read whole, up to ``MAX_BYTES`` within ``MAX_SECONDS``, and then handed on."""

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer 413 or 408, or let the request in."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        try:
            async with asyncio.timeout(MAX_SECONDS):
                body = await _read(receive)
        except TimeoutError:
            return await _refuse(send, 408, f"the request did not arrive within {MAX_SECONDS:.0f} seconds")
        if body is None:
            return await _refuse(send, 413, f"the body is larger than {MAX_BYTES:,} bytes: send fewer items")
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        return await self.app(scope, replay, send)


async def _read(receive: Receive) -> bytes | None:
    """Return the body; None where it is too large."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)  # a client that went away has no more either
        if len(body) > MAX_BYTES:
            return None
    return body


async def _refuse(send: Send, status: int, detail: str) -> None:
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": json.dumps({"detail": detail}).encode()})
