"""Sample size, power and detectable effect, stated before any time is spent.

The interval's lower bound must clear a threshold: `min_gain` for a target, -`margin` for a guard. The
distance that decides is effect - min_gain, or effect + margin.
"""

import math
from collections.abc import Sequence

from trimtab.errors import StatisticsError
from trimtab.stats.distributions import noncentral_t_cdf, normal_cdf, normal_quantile, t_quantile
from trimtab.stats.levels import alpha_from_level

MOST_ITEMS = 100_000_000


def sample_size(
    *,
    effect: float,
    sd: float | None = None,
    discordance: float | None = None,
    margin: float = 0.0,
    min_gain: float = 0.0,
    power: float = 0.8,
    level: float = 0.95,
) -> int:
    """Smallest number of items at which the interval clears its threshold with probability `power`.

    effect: the true mean difference, in the metric's unit (0 for a guard that is not touched).
    Give one of sd, the standard deviation of an item's paired difference, or discordance, the share of 0/1
    pairs that differ. Give one of margin (non-inferiority: low > -margin) or min_gain (low > min_gain).
    level is that of the two-sided interval: one-sided error 0.05 is level 0.90. sd: exact power of the t
    interval. discordance: Connor (1987), Biometrics 43, 207-211, n = (z_alpha sqrt(p) + z_power
    sqrt(p - effect^2))^2 / distance^2, and at least what a guard needs when no pair differs at all.

    Raises StatisticsError where no number of items would do.
    """
    _check(effect, sd, discordance, margin, min_gain)
    if not 0.0 < power < 1.0:
        raise StatisticsError(f"power {power} is not between 0 and 1", "0.8 is usual")
    threshold = min_gain - margin
    if effect <= threshold:
        raise StatisticsError(
            f"an effect of {effect:g} never clears the threshold {threshold:g}",
            "expect an effect above min_gain, or allow a larger margin",
        )
    low, high = 1, 2
    while _power(high, effect, sd, discordance, threshold, level) < power:
        low, high = high, high * 2
        if high > MOST_ITEMS:
            raise StatisticsError(
                f"more than {MOST_ITEMS:,} items would be needed", "expect a larger effect or margin"
            )
    while high - low > 1:
        middle = (low + high) // 2
        if _power(middle, effect, sd, discordance, threshold, level) < power:
            low = middle
        else:
            high = middle
    return high


def power(
    *,
    effect: float,
    n: int,
    sd: float | None = None,
    discordance: float | None = None,
    margin: float = 0.0,
    min_gain: float = 0.0,
    level: float = 0.95,
) -> float:
    """Probability, 0 to 1, that n items clear the threshold if the true difference is `effect`.

    Arguments as in `sample_size`.
    """
    _check(effect, sd, discordance, margin, min_gain)
    return _power(n, effect, sd, discordance, min_gain - margin, level)


def detectable_effect(
    *,
    n: int,
    sd: float | None = None,
    discordance: float | None = None,
    margin: float = 0.0,
    min_gain: float = 0.0,
    power: float = 0.8,
    level: float = 0.95,
) -> float:
    """Smallest true difference that n items find beyond the threshold with probability `power`.

    Arguments as in `sample_size`; in the metric's unit, nan where none is (n too small, or a difference
    of 0/1 pairs that would exceed their discordance).
    """
    threshold = min_gain - margin
    _check(threshold if discordance is None else 0.0, sd, discordance, margin, min_gain)
    if sd is not None:
        low, high = threshold, threshold + sd
        while _power(n, high, sd, None, threshold, level) < power:
            high = threshold + 2 * (high - threshold)
            if high - threshold > 1e9 * sd:
                return math.nan
    else:
        low, high = max(threshold, -float(discordance or 0.0)), float(discordance or 0.0)
        if high <= low or _power(n, high, None, discordance, threshold, level) < power:
            return math.nan
    for _ in range(60):
        middle = (low + high) / 2
        if _power(n, middle, sd, discordance, threshold, level) < power:
            low = middle
        else:
            high = middle
    return high


def joint_power(powers: Sequence[float]) -> float:
    """Probability that a target and all its guards pass: the product of their powers.

    Exact for independent suites; on the same items comparisons that go well together only raise it.
    """
    wrong = [value for value in powers if not 0.0 <= value <= 1.0]
    if wrong:
        raise StatisticsError(f"powers {wrong} are not between 0 and 1", "give the power of each comparison")
    return math.prod(powers)


def items_without_change(*, margin: float, span: float = 1.0, level: float = 0.95) -> int:
    """Items needed to prove a margin when not one item changes, for a metric of range `span`.

    Solves span z^2 / (n + z^2) < margin (the score bound for no variation); 1 where margin > span.
    """
    if not (margin > 0 and span > 0):
        raise StatisticsError(f"margin {margin} or span {span} is not above 0", "no n proves a margin of 0")
    z = normal_quantile(1 - alpha_from_level(level))
    return max(1, math.floor(z * z * (span - margin) / margin) + 1)


def _check(
    effect: float, sd: float | None, discordance: float | None, margin: float, min_gain: float
) -> None:
    if (sd is None) == (discordance is None):
        raise StatisticsError(
            f"exactly one of sd and discordance is needed, received sd={sd}, discordance={discordance}",
            "sd for continuous differences, discordance (share of pairs that differ) for 0/1 pairs",
        )
    if sd is not None and not 0 < sd < math.inf:
        raise StatisticsError(
            f"sd {sd} is not a positive number", "give the sd of an item's paired difference"
        )
    if discordance is not None and not (0 < discordance <= 1 and abs(effect) <= discordance):
        raise StatisticsError(
            f"discordance {discordance} is not within 0 to 1 and at least the effect {effect:g}",
            "the share of pairs that differ cannot be below the difference of the shares",
        )
    if not (0 <= margin < math.inf and 0 <= min_gain < math.inf) or (margin and min_gain):
        raise StatisticsError(
            f"margin {margin} and min_gain {min_gain}: one number from 0, the other 0",
            "margin is for a guard, min_gain for a target",
        )


def _power(
    n: int, effect: float, sd: float | None, discordance: float | None, threshold: float, level: float
) -> float:
    alpha = alpha_from_level(level)
    distance = effect - threshold
    if n < 2:
        return 0.0
    if sd is not None:
        shift = math.sqrt(n) * distance / sd
        return 1.0 - noncentral_t_cdf(t_quantile(1 - alpha, n - 1), n - 1, shift)
    share = float(discordance or 0.0)
    if threshold < 0 and n < items_without_change(margin=-threshold, level=level):
        return 0.0
    slack = math.sqrt(n) * distance - normal_quantile(1 - alpha) * math.sqrt(share)
    spread = math.sqrt(max(0.0, share - effect * effect))
    if spread == 0.0:
        return 1.0 if slack >= 0 else 0.0
    return normal_cdf(slack / spread)
