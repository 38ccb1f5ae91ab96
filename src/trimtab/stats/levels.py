"""How the one-sided error of 0.025 per confirm set is shared out over runs and rungs.

Run j on the same confirm set may spend 0.7 * 0.3^(j-1) of it (the shares of all runs sum to one), and
each rung its weight of that. Intervals are two-sided at level 1 - 2 alpha, so that one bound errs with
probability alpha.
"""

from collections.abc import Collection, Mapping

from trimtab.errors import StatisticsError

TOTAL_ALPHA = 0.025
FIRST_SHARE = 0.7
NEXT_LOOK = 0.3


def run_alpha(run: int) -> float:
    """The one-sided error that run number `run` (1, 2, ...) on the same confirm set may spend."""
    if run < 1:
        raise StatisticsError(f"run number {run} is below 1", "count the looks at a confirm set from 1")
    return TOTAL_ALPHA * FIRST_SHARE * NEXT_LOOK ** (run - 1)


def rung_alphas(
    weights: Mapping[str, float], *, run: int = 1, failed: Collection[str] = ()
) -> dict[str, float]:
    """One-sided error of each rung of a ladder, in the ladder's order.

    `weights` are positive and may depend on tune and select only. A rung in `failed` (it did not pass on
    select) takes no look and is absent from the answer; its weight goes to the next rung that has not
    failed. What failing rungs at the end leave over is not spent.
    """
    wrong = [f"{name}: {weight}" for name, weight in weights.items() if not 0 < weight < float("inf")]
    if wrong or not weights:
        raise StatisticsError(
            f"rung weights must be positive numbers, received {', '.join(wrong) or 'none'}",
            "give each rung of the ladder a weight above 0, or leave the weights out",
        )
    unknown = sorted(set(failed) - set(weights))
    if unknown:
        raise StatisticsError(
            f"failed rungs {unknown} are not in the ladder", f"the ladder has {list(weights)}"
        )
    unit = run_alpha(run) / sum(weights.values())
    alphas: dict[str, float] = {}
    carried = 0.0
    for name, weight in weights.items():
        carried += weight
        if name not in failed:
            alphas[name] = carried * unit
            carried = 0.0
    return alphas


def series_alpha(rate: float, number: int) -> float:
    """What number `number` (1, 2, ...) of a series without an end may err with: rate / (number (number + 1)).

    The sum over all of them is the rate (the series telescopes).
    """
    if number < 1 or not 0.0 < rate < 1.0:
        raise StatisticsError(f"number {number} at rate {rate}", "count from 1, at a rate between 0 and 1")
    return rate / (number * (number + 1))


def level_from_alpha(alpha: float) -> float:
    """The level of the two-sided interval whose bounds each err with probability `alpha`."""
    return 1.0 - 2.0 * alpha


def alpha_from_level(level: float) -> float:
    """The error of one bound of an interval at `level`, 0 < level < 1."""
    if not 0.0 < level < 1.0:
        raise StatisticsError(f"level {level} is not between 0 and 1", "use 0.95 unless looks are shared out")
    return (1.0 - level) / 2.0


def next_look_alpha(alpha: float) -> float:
    """What the same rung may spend in the next run on the same confirm set."""
    return alpha * NEXT_LOOK
