"""A verb that serves, as a process of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from typing import Any


def started(*arguments: str) -> tuple[subprocess.Popen[str], Any]:
    """`trimtab` with these arguments, --json and a free port; and the document that it prints once it serves."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    command = [sys.executable, "-c", "from trimtab.cli.main import run; run()", *arguments]
    process = subprocess.Popen(
        [*command, "--json", "--use", f"port={port}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ,
    )
    assert process.stdout is not None
    text = ""
    while not text.endswith("\n}\n"):
        line = process.stdout.readline()
        assert line, process.stderr.read() if process.stderr else ""
        text += line
    return process, json.loads(text)
