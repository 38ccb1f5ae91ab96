"""Vectors made for tests: rows around directions that are far from each other."""

from __future__ import annotations

import numpy as np

from trimtab.audit.meaning.embedded import scaled


def around(
    sizes: tuple[int, ...], spread: float, seed: int = 0, hidden: int = 40
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors (n, hidden) of length 1 in as many groups as there are sizes, and the group of each (n,)."""
    rng = np.random.default_rng(seed)
    centres = np.linalg.qr(rng.normal(size=(hidden, hidden)))[0][: len(sizes)]
    groups = np.repeat(np.arange(len(sizes)), sizes)
    noise = rng.normal(size=(len(groups), hidden)) * spread / np.sqrt(hidden)
    return scaled(centres[groups] + noise), groups
