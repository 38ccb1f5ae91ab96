"""The server: an application on a port, until it is told to stop."""

from __future__ import annotations

import contextlib
import math
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from trimtab.errors import ReviewError

LOOPBACK = "127.0.0.1"
# Requests under way at once; more are told to come back.
MOST = 256
HIGHEST = 65_535
# Seconds that requests under way are given to end, once the server was told to stop.
PATIENCE = 10


def listen(host: str = LOOPBACK, port: int = 0) -> socket.socket:
    """A socket that is listened on from now; port 0 is any free one.

    Raises:
        ReviewError: the port is taken, or this machine has no such address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        if not 0 <= port <= HIGHEST:
            raise OverflowError(f"ports are 0 to {HIGHEST}")
        return socket.create_server((host, port), family=family, backlog=MOST)
    except (OSError, OverflowError) as error:
        raise ReviewError(
            f"{host} port {port}: cannot be listened on: {error}",
            "another port, 0 for any free one; an address of this machine, 127.0.0.1 for itself alone",
        ) from None


def address(listening: socket.socket, *, secure: bool = False) -> str:
    """Where a browser on this machine finds what is listened on."""
    host, port, *_ = listening.getsockname()
    return f"http{'s' * secure}://{f'[{host}]' if ':' in host else host}:{port}"


class Server(uvicorn.Server):
    """A server that says so when it was told to stop: answers that would never end have to end then."""

    leaving: Callable[[], None] = staticmethod(lambda: None)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Take a signal to stop."""
        self.leaving()
        super().handle_exit(sig, frame)


def server(application: ASGIApp, *, proxy: str = "", patience: float = PATIENCE) -> Server:
    """A server, not yet running: `run(sockets=[...])` runs it, `should_exit` ends it.

    Args:
        proxy: address of the one proxy that is believed when it says who asks and whether by https.
        patience: seconds that requests under way are given to end, once the server was told to stop.
    """
    config = uvicorn.Config(
        application,
        lifespan="off",
        log_level="warning",
        # Addresses of invitations are secrets, and have no place in a log.
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxy),
        forwarded_allow_ips=proxy or None,
        limit_concurrency=MOST,
        timeout_graceful_shutdown=math.ceil(patience),
        ws="none",
    )
    return Server(config)


def serve(
    application: ASGIApp,
    listening: socket.socket,
    *,
    proxy: str = "",
    patience: float = PATIENCE,
    ready: Callable[[], None] = lambda: None,
    leaving: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGINT or SIGTERM; requests under way are answered first.

    Args:
        patience: seconds that they are given to end.
        ready: called once what is asked will be answered.
        leaving: called when the signal comes.
    """
    with _outliving(signal.SIGINT, signal.SIGTERM), listening:
        ready()
        found = server(application, proxy=proxy, patience=patience)
        found.leaving = leaving
        found.run(sockets=[listening])


@contextlib.contextmanager
def _outliving(*signals: signal.Signals) -> Iterator[None]:
    """The server hands on the signal that ended it; whoever started it has still to put things away."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {one: signal.signal(one, lambda *_: None) for one in signals}
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
