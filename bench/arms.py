"""Each counted piece of work runs in a process of its own, so that no arm profits from, or pays for, another.

    python bench/arms.py '{"arm": "train-trimtab", ...}'     prints one line of JSON

`run` is what the benchmarks call. A job names its arm and everything that the arm needs to know.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

# Module and function of each arm: a dictionary in, a dictionary out.
ARMS = {
    "train-trimtab": ("training", "train"),
    "train-trl": ("trl_peer", "train"),
    "growth": ("training", "growth"),
    "sample-trimtab": ("sampling", "answer"),
    "sample-generate": ("generate_peer", "answer"),
    "probe-generate": ("generate_peer", "probe"),
    "greedy-check": ("equality", "check"),
    "study-trimtab": ("study", "trimtab"),
    "study-generate": ("study", "generate"),
}


def run(arm: str, **job: Any) -> dict[str, Any]:
    """Do a job in a new process and read its answer.

    Raises:
        RuntimeError: the process failed; its last words are in the message.
    """
    return call([sys.executable, __file__, json.dumps({"arm": arm, **job})], arm)


def call(command: list[str], name: str, given: str = "") -> dict[str, Any]:
    """The JSON object on the last line that a command prints."""
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or not lines:
        raise RuntimeError(f"{name} failed ({done.returncode}):\n{done.stderr[-3000:]}")
    answer: dict[str, Any] = json.loads(lines[-1])
    return answer


def main() -> int:
    """Do the job that the only argument describes."""
    job = json.loads(sys.argv[1])
    sys.path.insert(0, str(Path(__file__).resolve().parent))
    module, function = ARMS[job["arm"]]
    print(json.dumps(getattr(importlib.import_module(module), function)(job)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
