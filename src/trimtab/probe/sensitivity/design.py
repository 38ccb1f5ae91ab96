"""Which settings are tried: the default, each setting alone at several values, and all of them jointly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy.stats import qmc

from trimtab.errors import StatisticsError
from trimtab.probe.sensitivity.ranges import TRUNCATING, WARM, Range
from trimtab.records import Sampling


@dataclass(frozen=True, slots=True)
class Sweep:
    """One setting varied alone: the places of its settings in the design, and of what they are held against."""

    range: Range
    centre: int
    at: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Design:
    """All settings of a study, distinct, and how they belong together.

    Attributes:
        settings: the first is the default.
        sweeps: one for each range.
        codes: positions (settings, ranges) in [-1, 1].
    """

    ranges: tuple[Range, ...]
    settings: tuple[Sampling, ...]
    sweeps: tuple[Sweep, ...]
    codes: np.ndarray = field(compare=False)


def terms(count: int) -> int:
    """Coefficients of a response surface of second order in `count` settings: constant, linear, squares, products."""
    return 1 + 2 * count + count * (count - 1) // 2


def designed(ranges: Sequence[Range], default: Sampling, *, settings: int, levels: int, seed: int) -> Design:
    """About `settings` settings: sweeps of `levels` values each, the rest a Latin hypercube over all ranges.

    A Latin hypercube (McKay, Beckman and Conover 1979, Technometrics 21, 239-245) puts one setting into each of as
    many equal slices of every range as there are settings.

    Raises:
        StatisticsError: fewer settings than a response surface of second order needs, or a level below 2.
    """
    found: dict[Sampling, int] = {default: 0}
    sweeps = [_sweep(r, default, levels, found) for r in ranges]
    joint = settings - len(found)
    least = len(found) + terms(len(ranges))
    if levels < 2 or settings < least:
        raise StatisticsError(
            f"{settings} settings with {levels} values of each alone",
            f"{len(ranges)} parameters need at least 2 values of each and {least} settings",
        )
    cube = qmc.LatinHypercube(len(ranges), optimization="random-cd", seed=np.random.default_rng(seed))
    for point in 2 * cube.random(joint) - 1:
        varied = {r.parameter: r.value(float(u)) for r, u in zip(ranges, point, strict=True)}
        _place(replace(default, **varied), found)  # type: ignore[arg-type]
    every = tuple(found)
    codes = np.array([[r.position(getattr(s, r.parameter)) for r in ranges] for s in every])
    return Design(tuple(ranges), every, tuple(sweeps), codes)


def _sweep(r: Range, default: Sampling, levels: int, found: dict[Sampling, int]) -> Sweep:
    cold = default.temperature == 0 and r.parameter in TRUNCATING
    centre = replace(default, temperature=WARM) if cold else default
    start = _place(centre, found)
    values = [r.value(float(u)) for u in np.linspace(-1, 1, levels + 1)]
    own = getattr(centre, r.parameter)
    # The value nearest to the centre's makes room for it.
    values.remove(min(values, key=lambda v: abs(r.position(v) - r.position(own))))
    others = [value for value in dict.fromkeys(values) if value != own]
    at = [_place(replace(centre, **{r.parameter: value}), found) for value in others]  # type: ignore[arg-type]
    return Sweep(r, start, tuple(at))


def _place(sampling: Sampling, found: dict[Sampling, int]) -> int:
    return found.setdefault(sampling, len(found))
