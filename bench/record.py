"""The form of a result: a ratio with its range over the rounds, and the file that it is kept in."""

from __future__ import annotations

import json
import os
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parent / "out"


def ratio(ours: Sequence[float], peer: Sequence[float]) -> dict[str, float | int]:
    """How many times as fast ours is, from speeds of the same rounds: median, lowest and highest round."""
    rounds = [own / other for own, other in zip(ours, peer, strict=True)]
    return {
        "ratio": statistics.median(rounds),
        "low": min(rounds),
        "high": max(rounds),
        "repeats": len(rounds),
        "ours": statistics.median(ours),
        "peer": statistics.median(peer),
    }


def write(result: dict[str, Any], path: Path) -> None:
    """Write a result as JSON, with the load of the machine at its end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**result, "load_after": os.getloadavg()[0]}, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def spread(found: dict[str, Any]) -> str:
    """A ratio in words: 4.11 (3.98 to 4.20)."""
    return f"{found['ratio']:.2f} ({found['low']:.2f} to {found['high']:.2f})"


def gib(size: float) -> str:
    """Bytes in words."""
    return f"{size / 2**30:.2f} GiB"
