"""Metrics that the user writes: a function in a file.

def polite(example, text):
    \"\"\"Does the answer say please?\"\"\"
    return float("please" in text.lower())

polite.unit = "share of answers"     # also: direction ("higher"), limits, bounds ((0, 1)); all optional
"""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from trimtab.errors import MetricError
from trimtab.measure import options as option_check
from trimtab.measure.contract import Metric
from trimtab.records import Example

# What mistakes in other people's code raise; a wider net would also swallow an interrupt.
FAULTS = (
    ArithmeticError,
    AttributeError,
    AssertionError,
    LookupError,
    NameError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


def load(name: str, options: Mapping[str, Any]) -> Metric:
    """Load `path/file.py:function`; its docstring and attributes give the contract.

    The function takes (example, text) and returns a number, nan where undefined; keyword-only parameters are
    its options. The file is run with the rights of this process: name only files that you trust.

    Raises:
        MetricError: the file, the function or an attribute is not as described, or an option is unknown.
    """
    path_text, _, function_name = name.rpartition(":")
    function = _function(Path(path_text), function_name)
    short = f"{Path(path_text).name}:{function_name}"
    chosen = option_check.check(function, options, metric=short)
    direction = getattr(function, "direction", "higher")
    if direction not in ("higher", "lower"):
        raise MetricError(f"metric {short}: direction is {direction!r}", 'allowed: "higher" or "lower"')
    return Metric(
        name=short,
        unit=str(getattr(function, "unit", "points")),
        direction="lower" if direction == "lower" else "higher",
        question=(inspect.getdoc(function) or f"What does {function_name} say of the answer?").split("\n")[0],
        limits=str(getattr(function, "limits", "Only its author knows what it leaves out.")),
        bounds=_bounds(getattr(function, "bounds", None), short),
        score=_guarded(function, chosen, short),
    )


def _function(path: Path, function_name: str) -> Callable[..., Any]:
    if not path.is_file():
        raise MetricError(f"metric file {path}: no such file", "paths are relative to the recipe's folder")
    function = getattr(_module(path), function_name, None)
    if not inspect.isfunction(function):
        raise MetricError(f"metric file {path}: no function {function_name!r}", "write path/file.py:function")
    places = [p for p in inspect.signature(function).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    if len(places) != 2:
        raise MetricError(
            f"metric {path.name}:{function_name}: takes {len(places)} positional parameters, expected 2",
            "define it as function(example, text), with options after a *",
        )
    return function


def _module(path: Path) -> ModuleType:
    # A name of its own: a file called json.py must not take the place of Python's json.
    unique = f"trimtab_metric_{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]}"
    spec = importlib.util.spec_from_file_location(unique, path)
    if spec is None or spec.loader is None:
        raise MetricError(f"metric file {path}: not a Python file", "write path/file.py:function")
    module = importlib.util.module_from_spec(spec)
    sys.modules[unique] = module  # dataclasses in the file look their module up here
    try:
        spec.loader.exec_module(module)
    except (SyntaxError, ImportError, *FAULTS) as error:
        del sys.modules[unique]
        raise MetricError(
            f"metric file {path}: {type(error).__name__}: {error}", "run the file by itself"
        ) from error
    return module


def _bounds(bounds: Any, metric: str) -> tuple[float, float] | None:
    if bounds is None:
        return None
    try:
        low, high = (float(value) for value in bounds)
    except (TypeError, ValueError):
        raise MetricError(
            f"metric {metric}: bounds are {bounds!r}", "expected two numbers, such as (0, 1)"
        ) from None
    if not low < high:
        raise MetricError(f"metric {metric}: bounds are {bounds!r}", "the first must be below the second")
    return low, high


def _guarded(
    function: Callable[..., Any], options: dict[str, Any], metric: str
) -> Callable[[Example, str], float]:
    def score(example: Example, text: str) -> float:
        try:
            value = function(example, text, **options)
        except FAULTS as error:
            raise MetricError(
                f"metric {metric}: item {example.id!r}: {type(error).__name__}: {error}", "mend the function"
            ) from error
        if isinstance(value, str) or not hasattr(value, "__float__"):
            raise MetricError(
                f"metric {metric}: item {example.id!r}: returned {value!r:.60}",
                "return a number, nan where undefined",
            )
        return float(value)

    return score
