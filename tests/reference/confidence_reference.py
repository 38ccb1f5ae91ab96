"""Brier score, calibration error and risk-coverage written again, plainly, from their definitions."""

from __future__ import annotations

import itertools
from collections.abc import Sequence


def brier(p: Sequence[float], y: Sequence[float]) -> float:
    """Mean squared difference."""
    total = 0.0
    for confidence, outcome in zip(p, y, strict=True):
        total += (confidence - outcome) ** 2
    return total / len(p)


def calibration_error(p: Sequence[float], y: Sequence[float], bins: int) -> float:
    """Weighted gap of mean confidence and share of good ones, in bins by rank; equal confidences together."""
    groups: dict[int, list[tuple[float, float]]] = {}
    for confidence, outcome in zip(p, y, strict=True):
        below = sum(other < confidence for other in p)
        groups.setdefault(below * bins // len(p), []).append((confidence, outcome))
    found = 0.0
    for rows in groups.values():
        mean = sum(c for c, _ in rows) / len(rows)
        share = sum(o for _, o in rows) / len(rows)
        found += len(rows) / len(p) * abs(mean - share)
    return found


def aurc(p: Sequence[float], y: Sequence[float]) -> float:
    """Mean risk over coverages, averaged over every order of answers that puts the surer first."""
    values = []
    for order in itertools.permutations(range(len(p))):
        if any(p[a] < p[b] for a, b in itertools.pairwise(order)):
            continue
        risks = []
        for count in range(1, len(p) + 1):
            risks.append(sum(1 - y[i] for i in order[:count]) / count)
        values.append(sum(risks) / len(risks))
    return sum(values) / len(values)
