"""Honest numbers from arrays of scores; knows nothing of models. See docs/decisions/0002-intervals.md."""

from trimtab.stats.agreement import agreement
from trimtab.stats.levels import (
    alpha_from_level,
    level_from_alpha,
    next_look_alpha,
    run_alpha,
    rung_alphas,
)
from trimtab.stats.onesample import bounded_mean, z_test
from trimtab.stats.paired import compare, interval, non_inferior, undefined
from trimtab.stats.power import detectable_effect, items_without_change, joint_power, power, sample_size
from trimtab.stats.predicted import predicted_mean
from trimtab.stats.preference import win_rate
from trimtab.stats.tables import binomial_test, fisher, holm, log_odds_ratio, sign_test, wilson

__all__ = [
    "agreement",
    "alpha_from_level",
    "binomial_test",
    "bounded_mean",
    "compare",
    "detectable_effect",
    "fisher",
    "holm",
    "interval",
    "items_without_change",
    "joint_power",
    "level_from_alpha",
    "log_odds_ratio",
    "next_look_alpha",
    "non_inferior",
    "power",
    "predicted_mean",
    "run_alpha",
    "rung_alphas",
    "sample_size",
    "sign_test",
    "undefined",
    "wilson",
    "win_rate",
    "z_test",
]
