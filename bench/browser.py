"""A page in headless Chromium, driven by the DevTools protocol."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import select
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

PATIENCE = 120.0
# Chromium draws no picture beyond this.
TALLEST = 16_000
# Requests are seen and go nowhere.
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


class Broken(Exception):
    """The browser or axe did not do what it was told."""


class View(NamedTuple):
    """One way of looking at a page."""

    width: int
    scheme: str
    opened: bool

    def __str__(self) -> str:
        return f"{self.width} px {self.scheme}{', folds open' if self.opened else ''}"


class Browser:
    """A page in Chromium, driven by the DevTools protocol: JSON messages over two pipes, each ended by a zero byte."""

    def __init__(self, told: int, tells: int) -> None:
        self.told, self.tells = told, tells
        self.events: list[dict[str, Any]] = []
        self.session: str | None = None
        self._buffer, self._last = b"", 0
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self.call(f"{domain}.enable")
        # The pages forbid all scripts; axe is one, and what they would load is to be seen.
        self.call("Page.setBypassCSP", enabled=True)
        # Without it nothing in the page is focused.
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """What one command returns; events that come meanwhile are kept."""
        self._last += 1
        number, message = self._last, {"id": self._last, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        with os.fdopen(os.dup(self.told), "wb") as pipe:
            pipe.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == number:
                if "error" in answer:
                    raise Broken(f"{method}: {answer['error']['message']}")
                return dict(answer["result"])
            self.events.append(answer)

    def evaluate(self, script: str) -> Any:
        """The value of a script in the page, awaited."""
        found = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in found:
            raise Broken(json.dumps(found["exceptionDetails"])[:400])
        return found["result"].get("value")

    def open(self, path: Path, view: View) -> None:
        """Load a file in a window of a view's width and colours."""
        self.events.clear()
        size = {"width": view.width, "height": 800, "deviceScaleFactor": 1, "mobile": view.width < 700}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.call(
            "Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": view.scheme}]
        )
        self.call("Page.navigate", url=path.resolve().as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self._next())

    def press(self, key: str, code: int) -> None:
        """Press and release a key; code: Windows' virtual one, which Chromium goes by."""
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def requests(self) -> list[str]:
        """Addresses asked for since the page was opened, without files and data in the page itself."""
        sent = (
            e["params"]["request"]["url"]
            for e in self.events
            if e.get("method") == "Network.requestWillBeSent"
        )
        return [url for url in sent if not url.startswith(("file:", "data:"))]

    def picture(self, view: View) -> bytes:
        """The whole page as PNG."""
        height = min(TALLEST, self.evaluate("document.documentElement.scrollHeight"))
        clip = {"x": 0, "y": 0, "width": view.width, "height": height, "scale": 1}
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(shot["data"])

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            if not select.select([self.tells], [], [], PATIENCE)[0]:
                raise Broken(f"chromium was silent for {PATIENCE:.0f} s")
            got = os.read(self.tells, 1 << 20)
            if not got:
                raise Broken("chromium ended")
            self._buffer += got
        message, self._buffer = self._buffer.split(b"\0", 1)
        return dict(json.loads(message))


@contextlib.contextmanager
def chromium(command: str) -> Iterator[Browser]:
    """Chromium with a profile of its own, ended afterwards."""
    # Numbers of 10 and more, so that none is in the way of 3 and 4, which Chromium reads and writes.
    ends = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for _ in range(2) for end in os.pipe()]
    read, told, tells, written = ends
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        script = f'exec "$@" 3<&{read} 4>&{written}'
        words = [command, *FLAGS, f"--user-data-dir={profile}"]
        running = subprocess.Popen(
            ["bash", "-c", script, "bash", *words], pass_fds=(read, written), stderr=subprocess.DEVNULL
        )
        os.close(read)
        os.close(written)
        try:
            yield Browser(told, tells)
        finally:
            os.close(told)
            running.terminate()
            running.wait()
