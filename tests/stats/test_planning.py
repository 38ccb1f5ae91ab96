"""Sample size, power, levels, the z test and agreement's edges."""

import math
import subprocess
import sys

import numpy as np
import pytest
from statsmodels.stats.power import TTestPower

from trimtab import stats
from trimtab.errors import StatisticsError


def test_known_sample_sizes():
    assert stats.sample_size(effect=0.05, discordance=0.2) == 626
    assert stats.sample_size(effect=0.0, discordance=0.1, margin=0.03, level=0.9) == 687
    assert stats.items_without_change(margin=0.02) == 189
    assert stats.sample_size(effect=0.0, discordance=0.001, margin=0.02) == 189


@pytest.mark.parametrize("effect", [0.2, 0.5, 1.1])
def test_sd_agrees_with_the_t_test(effect):
    expected = math.ceil(TTestPower().solve_power(effect, power=0.8, alpha=0.025, alternative="larger"))
    assert stats.sample_size(effect=effect, sd=1.0) == expected
    assert stats.sample_size(effect=effect + 3, sd=1.0, min_gain=3.0) == expected
    assert stats.sample_size(effect=0, sd=1.0, margin=effect) == expected


@pytest.mark.parametrize("kind", [{"sd": 2.0}, {"discordance": 0.3}])
def test_power_sample_size_and_detectable_effect_are_one_function(kind):
    n = stats.sample_size(effect=0.1, power=0.9, **kind)
    assert stats.power(effect=0.1, n=n, **kind) >= 0.9 > stats.power(effect=0.1, n=n - 1, **kind)
    assert stats.detectable_effect(n=n, power=0.9, **kind) == pytest.approx(0.1, rel=0.01)


def test_power_of_pairs_is_what_a_simulation_finds():
    rng = np.random.default_rng(1)
    found = 0
    for _ in range(400):
        d = rng.choice([-1.0, 0.0, 1.0], p=[0.05, 0.8, 0.15], size=200)
        found += stats.interval(d, binary=True).low > 0
    assert found / 400 == pytest.approx(stats.power(effect=0.1, n=200, discordance=0.2), abs=0.06)


def test_joint_power_is_the_product():
    assert stats.joint_power([0.9, 0.95, 1.0]) == pytest.approx(0.855)
    with pytest.raises(StatisticsError, match=r"1\.2"):
        stats.joint_power([1.2])


def test_nothing_to_detect():
    assert math.isnan(stats.detectable_effect(n=10, discordance=0.01))
    assert stats.power(effect=0.0, n=100, discordance=0.05, margin=0.02) == 0.0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"effect": 1.0}, "sd and discordance"),
        ({"effect": 1.0, "sd": 1.0, "discordance": 0.1}, "sd and discordance"),
        ({"effect": 0.0, "sd": 1.0}, "never clears"),
        ({"effect": 1.0, "sd": 1.0, "min_gain": 1.0}, "never clears"),
        ({"effect": 0.3, "discordance": 0.2}, "discordance"),
        ({"effect": 1.0, "sd": -1.0}, "sd -1"),
        ({"effect": 1.0, "sd": 1.0, "power": 1.0}, "power"),
        ({"effect": 1.0, "sd": 1.0, "margin": 1.0, "min_gain": 1.0}, "one number"),
    ],
)
def test_sample_size_arguments(arguments, words):
    with pytest.raises(StatisticsError, match=words):
        stats.sample_size(**arguments)


def test_shares_of_all_runs_and_rungs_sum_to_the_total():
    assert stats.run_alpha(1) == pytest.approx(0.0175)
    assert stats.run_alpha(3) == pytest.approx(0.025 * 0.7 * 0.09)
    assert sum(stats.run_alpha(j) for j in range(1, 60)) == pytest.approx(0.025)
    weights = {"prompt": 2.0, "context": 1.0, "adapter": 1.0}
    alphas = stats.rung_alphas(weights, run=2)
    assert alphas == pytest.approx({"prompt": 0.002625, "context": 0.0013125, "adapter": 0.0013125})
    passed_on = stats.rung_alphas(weights, run=2, failed=["prompt"])
    assert passed_on == pytest.approx({"context": 0.0039375, "adapter": 0.0013125})
    assert stats.rung_alphas(weights, run=2, failed=["adapter"]).keys() == {"prompt", "context"}


def test_levels_and_alphas():
    assert stats.level_from_alpha(0.025) == pytest.approx(0.95)
    assert stats.alpha_from_level(0.99375) == pytest.approx(0.003125)
    assert stats.next_look_alpha(stats.run_alpha(1)) == pytest.approx(stats.run_alpha(2))


@pytest.mark.parametrize(
    "call",
    [
        lambda: stats.run_alpha(0),
        lambda: stats.rung_alphas({}),
        lambda: stats.rung_alphas({"a": 0.0}),
        lambda: stats.rung_alphas({"a": 1.0}, failed=["b"]),
        lambda: stats.alpha_from_level(0.0),
    ],
)
def test_wrong_levels(call):
    with pytest.raises(StatisticsError):
        call()


def test_z_test_of_five_scores():
    found = stats.z_test([41, 39, 42, 38, 40], mean=37, sd=3.2)
    assert found.notes == ("z = 2.10",)
    assert found.p_value == pytest.approx(0.018, abs=5e-4)
    assert found.outcome == "better"
    assert found.difference.value == pytest.approx(3.0)
    assert found.difference.low == pytest.approx(3 - 1.959964 * 3.2 / math.sqrt(5))
    assert np.std([41, 39, 42, 38, 40], ddof=1) == pytest.approx(1.58, abs=0.005)
    assert "1.58" in stats.z_test.__doc__


@pytest.mark.parametrize(("mean", "outcome"), [(37, "better"), (39, "inconclusive"), (50, "worse")])
def test_z_test_outcomes(mean, outcome):
    assert stats.z_test([41, 39, 42, 38, 40], mean=mean, sd=3.2).outcome == outcome


def test_z_test_without_values_or_sd():
    assert stats.z_test([], mean=0, sd=1).outcome == "undefined"
    assert stats.z_test([1, math.nan], mean=0, sd=1).outcome == "undefined"
    with pytest.raises(StatisticsError):
        stats.z_test([1, 2], mean=0, sd=0)


def test_agreement_edges():
    assert stats.agreement([[1, 2] * 6] * 3).value == pytest.approx(1.0)
    assert "equal" in stats.agreement([[1, 1, 1], [1, 1, 1]]).undefined
    assert "1 items" in stats.agreement([[1, math.nan], [1, 2]]).undefined
    opposite = stats.agreement([[0, 1] * 10, [1, 0] * 10])
    assert opposite.value < 0
    first, second = (
        stats.agreement([[0, 1, 1, 0, 1] * 4, [0, 1, 0, 0, 1] * 4], seed=1),
        stats.agreement([[0, 1, 1, 0, 1] * 4, [0, 1, 0, 0, 1] * 4], seed=1),
    )
    assert first == second
    assert first.low < first.value < first.high
    with pytest.raises(StatisticsError, match="cardinal"):
        stats.agreement([[1, 2], [1, 2]], "cardinal")


def test_importing_the_package_does_not_import_scipy():
    code = "import sys, trimtab.stats; sys.exit('scipy' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
