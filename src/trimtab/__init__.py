"""Trimtab finds the smallest change to a generative language model that provably does what you asked.

The package imports nothing heavy; `tune`, `plan`, `Run` and `stats` are loaded when they are first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trimtab import stats
    from trimtab.pipeline import Run, plan, tune

__version__ = "0.1.0"
__all__ = ["Run", "__version__", "plan", "stats", "tune"]

_HOMES = {"Run": "trimtab.pipeline", "plan": "trimtab.pipeline", "tune": "trimtab.pipeline", "stats": ""}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'trimtab' has no attribute {name!r}")
    home = _HOMES[name]
    return (
        getattr(importlib.import_module(home), name) if home else importlib.import_module(f"trimtab.{name}")
    )
