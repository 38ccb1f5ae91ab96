"""Searching ranges of settings by trying them: evenly spaced values, or optuna's tree-structured Parzen estimator.

What was tried is written down after each trial, and an interrupted search goes on to the same settings.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np

from trimtab.errors import MetricError
from trimtab.measure.contract import optional
from trimtab.run import read_json, write_json

How = Literal["grid", "optuna"]
Ranges = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Tried:
    """Settings, their value (larger is better, nan where it is undefined), and what finding it took."""

    settings: Mapping[str, float]
    value: float
    tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched and how.

    Attributes:
        ranges: lowest and highest value of each setting, whole where both ends are.
        trials: most settings tried.
        seed: of optuna's sampler; a grid has nothing random.
    """

    ranges: Ranges
    how: How = "grid"
    trials: int = 12
    seed: int = 0


@dataclass
class _Record:
    """Trials in a file, so that those of an interrupted search are not made again."""

    file: Path
    known: list[Tried] = field(default_factory=list)

    @classmethod
    def open(cls, file: Path) -> _Record:
        rows = read_json(file)["tried"] if file.is_file() else []
        return cls(
            file, [Tried(**{**r, "value": math.nan if r["value"] is None else r["value"]}) for r in rows]
        )

    def made(self, number: int, settings: Mapping[str, float], attempt: Callable[..., Tried]) -> Tried:
        if number < len(self.known) and dict(self.known[number].settings) == dict(settings):
            return self.known[number]
        found = attempt(settings)
        self.known = [*self.known[:number], found]
        write_json(self.file, {"tried": [asdict(tried) for tried in self.known]})
        return found


def run(search: Search, attempt: Callable[[Mapping[str, float]], Tried], file: Path) -> list[Tried]:
    """Try settings one after the other; the same search tries the same ones.

    Args:
        attempt: settings -> what came of them.
        file: where the trials are kept and found again.

    Raises:
        MissingPart: optuna is asked for and not installed.
    """
    record = _Record.open(file)
    if search.how == "grid":
        return [record.made(n, settings, attempt) for n, settings in enumerate(grid(search))]
    return list(_by_optuna(search, attempt, record))


def grid(search: Search) -> list[dict[str, float]]:
    """Evenly spaced settings, the ends included: the most values a range with which all combinations fit in."""
    count = 2
    while (count + 1) ** len(search.ranges) <= search.trials:
        count += 1
    axes = [_spaced(ends, count) for ends in search.ranges.values()]
    return [dict(zip(search.ranges, point, strict=True)) for point in product(*axes)]


def best(tried: Sequence[Tried]) -> Tried:
    """The one of the largest value, the first of equals.

    Raises:
        MetricError: no value is defined.
    """
    defined = [one for one in tried if not math.isnan(one.value)]
    if not defined:
        raise MetricError(
            f"none of the {len(tried)} settings tried has a value", "search on more items: candidates.items"
        )
    return max(defined, key=lambda one: one.value)


def _spaced(ends: tuple[float, float], count: int) -> list[float]:
    values = np.linspace(*ends, count)
    if _whole(ends):
        return [int(value) for value in dict.fromkeys(np.round(values).astype(int).tolist())]
    return [float(value) for value in values]


def _whole(ends: tuple[float, float]) -> bool:
    return all(isinstance(end, int) for end in ends)


def _by_optuna(
    search: Search, attempt: Callable[[Mapping[str, float]], Tried], record: _Record
) -> Iterator[Tried]:
    """Trials that TPE proposes (Bergstra et al. 2011, section 4; Watanabe 2023), one at a time."""
    with optuna_quietly() as optuna:
        study = optuna.create_study(
            direction="maximize", sampler=optuna.samplers.TPESampler(seed=search.seed)
        )
        for number in range(search.trials):
            trial = study.ask()
            settings = {name: _suggested(trial, name, ends) for name, ends in search.ranges.items()}
            found = record.made(number, settings, attempt)
            if math.isnan(found.value):
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                study.tell(trial, found.value)
            yield found


@contextlib.contextmanager
def optuna_quietly() -> Iterator[Any]:
    """Optuna, which prints nothing of its trials while the block runs.

    Raises:
        MissingPart: it is not installed.
    """
    optuna = optional("optuna", extra="search")
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        yield optuna
    finally:
        optuna.logging.set_verbosity(level)


def _suggested(trial: Any, name: str, ends: tuple[float, float]) -> float:
    low, high = ends
    return (
        int(trial.suggest_int(name, low, high))
        if _whole(ends)
        else float(trial.suggest_float(name, low, high))
    )
