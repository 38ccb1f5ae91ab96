"""Made traffic of `bench/drift.py`, by a seed: every figure of the answers is under control."""

from __future__ import annotations

import sys
from importlib import util
from pathlib import Path
from typing import Any

import numpy as np

from trimtab.watch import Traffic

_SPEC = util.spec_from_file_location(
    "drift_bench", Path(__file__).resolve().parents[2] / "bench" / "drift.py"
)
bench = util.module_from_spec(_SPEC)
sys.modules["drift_bench"] = bench
_SPEC.loader.exec_module(bench)


def traffic(n: int, seed: int, **change: Any) -> list[Traffic]:
    """Rows of the stack `tuned`, a tenth of them refusals and praise, unless changed."""
    return bench.made(
        np.random.default_rng(seed), n, **{"stack": "tuned", "refusals": 0.1, "praise": 0.1} | change
    )
