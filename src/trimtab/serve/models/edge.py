"""What stands before every route of the models: whose request it is, how large, how many at once; and its account.

A request without a key is let in only where no key was ever made: revoking the last one opens nothing. `/healthz`
and `/readyz` say one word and are open to all, since what asks for them has no key; `/metrics` names models and their
traffic, and is for this machine, or for a key that opens everything.
"""

from __future__ import annotations

import ipaddress
import traceback
from collections import Counter
from functools import partial
from pathlib import Path

from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trimtab.errors import StoreError
from trimtab.live import keys
from trimtab.live.keys import Key
from trimtab.serve.models.account import Account
from trimtab.serve.models.schema import Refusal
from trimtab.serve.models.serving import Serving
from trimtab.serve.shield import bounded, too_long

OPEN, COUNTS = ("/healthz", "/readyz", "/openapi.json"), "/metrics"
# Bytes of a body: many times the longest conversation that is read.
BODY = 2**20
# What a proxy says of who asks: then an address of this machine is the proxy's.
FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")
HEADERS = {"x-content-type-options": "nosniff", "cache-control": "no-store"}


class Edge:
    """Lets requests in, or refuses them in OpenAI's form; counts and logs each when it has ended."""

    def __init__(self, app: ASGIApp, serving: Serving) -> None:
        self._app, self._serving = app, serving
        self._needed = serving.keys
        self._under_way: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        account = Account(method=scope["method"])
        scope.setdefault("state", {})["account"] = account
        try:
            await self._let_in(scope, account, receive, _covered(send, account))
        except Exception as error:  # noqa: BLE001 - it was answered; what remains is to say where it failed
            account.fault = _place(error)
        finally:
            account.route = _route(scope)
            # Who has left was sent no status.
            account.status = account.status or 499
            self._serving.ended(account)

    async def _let_in(self, scope: Scope, account: Account, receive: Receive, send: Send) -> None:
        try:
            if too_long(Headers(scope=scope), BODY):
                raise Refusal(413, f"a body has at most {BODY:,} bytes", code="too_large")
            account.key = await self._key(scope)
            owner = account.owner
            if owner and self._under_way[owner] >= self._serving.each:
                raise Refusal(
                    429, f"{self._serving.each} requests of this key are under way", code="too_many"
                )
        except Refusal as refusal:
            account.code = refusal.code
            await refused(refusal)(scope, receive, send)
            return
        self._under_way[owner] += 1
        try:
            await self._app(scope, bounded(receive, BODY), send)
        finally:
            self._under_way[owner] -= 1
            if not self._under_way[owner]:
                del self._under_way[owner]

    async def _key(self, scope: Scope) -> Key | None:
        """Whose request it is; None where no key is asked for.

        Raises:
            Refusal: a key is needed and none came that is valid, or it does not open this.
        """
        path, recorder = scope["path"], self._serving.recorder
        if path in OPEN or (path == COUNTS and _near(scope)):
            return None
        found = None
        try:
            said = _said(scope)
            if said and recorder:
                found = await recorder.do(partial(keys.known, recorder.store, said))
            if not found and recorder and not self._needed:
                self._needed = await recorder.do(partial(keys.needed, recorder.store))
        except StoreError:
            raise unkept() from None
        if path == COUNTS and not (found and not found.models):
            raise Refusal(
                401 if not found else 403, "counts are for a key that opens every model", code="counts"
            )
        if not found and self._needed:
            raise Refusal(401, "no valid API key: send Authorization: Bearer KEY", code="invalid_api_key")
        return found


def refused(refusal: Refusal) -> JSONResponse:
    """The response that says a refusal."""
    headers = {"retry-after": "1"} if refusal.status in (429, 503) else {}
    if refusal.status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(refusal.content, refusal.status, headers=headers)


def unkept() -> Refusal:
    """What is said when the store fails; where it lies is for whoever runs the server."""
    return Refusal(503, "the store cannot be reached", code="store")


def _said(scope: Scope) -> str:
    """The key that a request came with; empty where there is none, or nothing that could be one."""
    scheme, _, said = Headers(scope=scope).get("authorization", "").partition(" ")
    said = said.strip()
    return said if scheme.lower() == "bearer" and keys.shaped(said) else ""


def _near(scope: Scope) -> bool:
    """Whether whoever asks is on this machine, and no proxy for others."""
    headers = Headers(scope=scope)
    client = scope.get("client")
    if client is None or any(name in headers for name in FORWARDED):
        return False
    return loopback(client[0])


def loopback(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _covered(send: Send, account: Account) -> Send:
    async def covered(message: Message) -> None:
        if message["type"] == "http.response.start":
            account.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in (HEADERS | {"x-request-id": account.id}).items():
                headers[name] = value
        await send(message)

    return covered


def _route(scope: Scope) -> str:
    """The address as the application knows it; nothing that a client made up."""
    route = scope.get("route")
    return str(getattr(route, "path", "")) or (scope["path"] if scope["path"] in (*OPEN, COUNTS) else "other")


def _place(error: BaseException) -> str:
    """The kind of an error and where it was raised; what it says may quote what was asked."""
    last = traceback.extract_tb(error.__traceback__)[-1:]
    return f"{type(error).__name__} at " + "".join(f"{Path(one.filename).name}:{one.lineno}" for one in last)
