"""Simulated reviews for tests: the worlds of `bench/raters_simulated.py`."""

import math
import sys
from importlib import util
from pathlib import Path

_SPEC = util.spec_from_file_location(
    "raters_simulated", Path(__file__).resolve().parents[1] / "bench" / "raters_simulated.py"
)
bench = util.module_from_spec(_SPEC)
sys.modules["raters_simulated"] = bench
_SPEC.loader.exec_module(bench)

ACCURATE = ("accurate",)


def allowance(rate, replicates):
    """Two standard errors of a simulated share."""
    return 2 * math.sqrt(rate * (1 - rate) / replicates)
