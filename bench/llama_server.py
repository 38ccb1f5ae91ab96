"""llama.cpp's own server on a GGUF file, for as long as a block runs."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2

from trimtab.serve import running

PATIENCE = 300.0


@contextlib.contextmanager
def serving(binary: str, model: Path, slots: int, context: int, threads: int) -> Iterator[str]:
    """The address of a greedy server with so many slots of so many tokens each; it has its model."""
    with contextlib.closing(running.listen()) as free:
        port = free.getsockname()[1]
    what = ["-m", str(model), "--alias", "base", "--host", running.LOOPBACK, "--port", str(port)]
    how = ["-np", str(slots), "-c", str(slots * context), "-t", str(threads), "--temp", "0"]
    address = f"http://{running.LOOPBACK}:{port}"
    with subprocess.Popen(
        [binary, *what, *how], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as server:
        try:
            _ready(server, address)
            yield address
        finally:
            server.terminate()


def _ready(server: subprocess.Popen[bytes], address: str) -> None:
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends and server.poll() is None:
        with contextlib.suppress(httpx2.HTTPError):
            if httpx2.get(f"{address}/health", timeout=5).status_code == 200:
                return
        time.sleep(0.5)
    ended = server.poll()
    raise SystemExit(f"llama.cpp's server {'is not ready' if ended is None else f'ended with {ended}'}")
