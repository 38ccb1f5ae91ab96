"""What stands before every route: limits of rate and size, and the headers that keep a page to itself."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trimtab.serve.limits import Buckets, Limits, neighbourhood
from trimtab.serve.pages import refusal
from trimtab.serve.sessions import COOKIE

HEADERS = {
    "content-security-policy": "default-src 'self'; script-src 'self'; style-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # The address of an invitation is a secret, which no other site may be told.
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "x-robots-tag": "noindex",
}
HTTPS_ONLY = {"strict-transport-security": "max-age=31536000"}
JOINING = "/join/"


class Shield:
    """Refuses what asks too often or says too much; everything else passes, and gets its headers on the way out."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: Limits,
        secure: bool,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app, self._limits = app, limits
        self._headers = HEADERS | (HTTPS_ONLY if secure else {})
        self._sessions = Buckets(limits.session, clock=clock)
        self._addresses = Buckets(limits.address, clock=clock)
        self._joining = Buckets(limits.joining, clock=clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        app, headers = self._app, Headers(scope=scope)
        if wait := self._wait(scope):
            app = refusal(Request(scope), 429)
            app.headers["retry-after"] = str(math.ceil(wait))
        elif too_long(headers, self._limits.body):
            app = refusal(Request(scope), 413)
        await app(scope, bounded(receive, self._limits.body), self._covered(send))

    def _wait(self, scope: Scope) -> float:
        request = Request(scope)
        address = neighbourhood(request.client.host if request.client else "")
        wait = self._addresses.wait(address)
        if not wait and request.method == "POST" and request.url.path.startswith(JOINING):
            wait = self._joining.wait(address)
        session = request.cookies.get(COOKIE)
        if not wait and session:
            # The hash, so that what is held of a long cookie is short.
            wait = self._sessions.wait(hashlib.sha256(session.encode("utf-8", "replace")).hexdigest())
        return wait

    def _covered(self, send: Send) -> Send:
        async def covered(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    # A whole page of its own, such as a report, has a policy of its own.
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", "no-store")
            await send(message)

        return covered


def too_long(headers: Headers, most: int) -> bool:
    """Whether a body says that it has more bytes than are read, or says nothing that can be understood."""
    length = headers.get("content-length", "0")
    return not (length.isascii() and length.isdigit() and int(length[:20]) <= most)


def bounded(receive: Receive, most: int) -> Receive:
    """Stops a body that did not say, or lied about, how long it is."""
    left = most

    async def counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise HTTPException(413)
        return message

    return counted
