"""Evidence for a change: against definitions, and by simulated streams, quiet and changed."""

import json
import math

import numpy as np
import pytest

from tests.reference import drift_reference as reference
from trimtab.errors import StatisticsError
from trimtab.records import plain
from trimtab.stats.sequential import Change, begun, noticed, rows_to_notice, running_mean
from trimtab.stats.sequential.capital import Capital, grown, log_start
from trimtab.stats.sequential.ranks import BETS, NONE, paid, ranks
from trimtab.stats.sequential.running import boundary

ALPHA = 0.05


def normal(rng, n, mean=500.0, sd=100.0):
    return np.clip(np.rint(rng.normal(mean, sd, n)), 0, 1000).astype(np.int64)


def rate(rng, n, share):
    return (rng.random(n) < share).astype(np.int64)


def first(evidence, alpha=ALPHA):
    found = np.flatnonzero(evidence >= math.log(1 / alpha))
    return int(found[0]) + 1 if len(found) else math.inf


def test_ranks_are_those_of_the_definition():
    rng = np.random.default_rng(1)
    before, codes, chances = rng.integers(0, 6, 9), rng.integers(0, 6, 40), rng.random(40)
    codes[[3, 17]] = NONE
    p, counts = ranks(np.bincount(before, minlength=6), codes, chances)
    seen = before.tolist()
    for code, chance, one in zip(codes.tolist(), chances.tolist(), p.tolist(), strict=True):
        if code == NONE:
            assert math.isnan(one)
            continue
        assert one == pytest.approx(reference.rank(seen, code, chance))
        seen.append(code)
    assert counts.tolist() == np.bincount(seen, minlength=6).tolist()


def test_ranks_of_quiet_values_are_uniform_and_independent_whatever_the_baseline():
    rng = np.random.default_rng(2)
    rows = []
    for _ in range(3000):
        p, _ = ranks(np.bincount(rate(rng, 5, 0.2), minlength=2), rate(rng, 4, 0.2), rng.random(4))
        rows.append(p)
    p = np.array(rows)
    assert (
        np.abs(np.quantile(p, [0.05, 0.2, 0.5, 0.8, 0.95], axis=0).T - [0.05, 0.2, 0.5, 0.8, 0.95]).max()
        < 0.03
    )
    assert np.abs(np.corrcoef(p.T) - np.eye(4)).max() < 0.05


def test_bets_pay_what_the_definition_says_and_one_on_average():
    p = np.random.default_rng(3).random(7)
    assert paid(p) == pytest.approx(np.array([reference.payments(one) for one in p]).T)
    fine = (np.arange(10_000) + 0.5) / 10_000
    assert paid(fine).mean(axis=1) == pytest.approx(np.ones(BETS))
    assert paid(np.array([math.nan])).tolist() == [[1.0]] * BETS


def test_what_is_put_in_sums_to_one():
    rows = np.arange(1, 1001)
    assert np.exp(log_start(rows)) == pytest.approx([reference.put_in(row) for row in rows.tolist()])
    assert np.exp(log_start(rows)).sum() == pytest.approx(1 - math.log(2) / math.log(1002))


def test_evidence_is_the_sum_over_all_beginnings():
    p = np.random.default_rng(4).random(12) ** 0.5
    _, evidence = grown(Capital.none(BETS), paid(p))
    assert np.exp(evidence) == pytest.approx([reference.wealth(p[:n].tolist()) for n in range(1, 13)])


def test_rows_one_by_one_or_at_once_or_from_a_file_are_the_same():
    rng = np.random.default_rng(5)
    start, codes = begun(normal(rng, 50), 1001, seed=3), normal(rng, 60, 560)
    codes[7] = NONE
    whole, evidence = noticed(start, codes)
    step = start
    for place in range(60):
        step = Change.restored(json.loads(json.dumps(plain(step), allow_nan=False)))
        step, one = noticed(step, codes[place : place + 1])
        assert one == pytest.approx(evidence[place : place + 1])
    assert step.rows == 60
    assert step.began == whole.began
    assert step.peak == pytest.approx(evidence.max())
    assert noticed(step, codes[:0])[0] is step


@pytest.mark.parametrize("size", [3, 30])
@pytest.mark.parametrize("kind", ["rate", "normal"])
def test_quiet_streams_give_few_false_alarms_however_small_the_baseline(kind, size):
    rng = np.random.default_rng(6)
    draw = {"rate": lambda n: rate(rng, n, 0.1), "normal": lambda n: normal(rng, n)}[kind]
    codes = {"rate": 2, "normal": 1001}[kind]
    alarms = [
        first(noticed(begun(draw(size), codes, seed), draw(300))[1], alpha=0.2) < math.inf
        for seed in range(200)
    ]
    assert np.mean(alarms) <= 0.2


def test_a_baseline_taken_for_the_truth_would_give_false_alarms():
    """The same bets on x / mean(baseline), without ranks, fail the test above."""
    rng = np.random.default_rng(7)
    alarms = []
    for _ in range(60):
        share = max(0.03, rate(rng, 30, 0.1).mean())
        _, evidence = grown(Capital.none(1), rate(rng, 600, 0.1)[None] / share)
        alarms.append(first(evidence, alpha=0.2) < math.inf)
    assert np.mean(alarms) > 0.3


@pytest.mark.parametrize("quiet", [0, 1000])
@pytest.mark.parametrize(("kind", "size"), [("normal", 1.0), ("normal", -1.0), ("rate", 0.3)])
def test_a_planted_change_is_noticed_within_the_stated_delay(kind, size, quiet):
    rng = np.random.default_rng(8)
    late, began = [], []
    for seed in range(40):
        if kind == "normal":
            start = begun(normal(rng, 300), 1001, seed)
            before, after = normal(rng, quiet), 500 + 100 * size
            changed = np.bincount(normal(rng, 100_000, after), minlength=1001) / 100_000
        else:
            start = begun(rate(rng, 300, 0.1), 2, seed)
            before, changed = rate(rng, quiet, 0.1), np.array([0.9 - size, 0.1 + size])
        now, evidence = noticed(start, before)
        if first(evidence) < math.inf:
            continue
        stated = rows_to_notice(now.counts, changed, ALPHA, quiet)
        assert stated < 400
        rows = rng.choice(len(changed), int(stated), p=changed)
        whole, found = noticed(now, rows)
        late.append(first(found) == math.inf)
        began.append(whole.began - quiet)
    assert len(late) > 30
    assert abs(np.median(began)) <= 25
    assert np.mean(late) <= 0.1 + 2 * math.sqrt(0.09 / len(late))


def test_no_delay_is_stated_for_what_a_small_baseline_cannot_show():
    few, many = np.array([18, 2]), np.array([9000, 1000])
    assert rows_to_notice(few, np.array([0.8, 0.2]), ALPHA, 0) == math.inf
    assert rows_to_notice(many, np.array([0.8, 0.2]), ALPHA, 0) < 800
    assert rows_to_notice(many, np.array([0.9, 0.1]), ALPHA, 0) == math.inf


def test_values_off_the_grid_are_refused():
    with pytest.raises(StatisticsError, match="a baseline of 1 values"):
        begun(np.array([1]), 2, 0)
    with pytest.raises(StatisticsError, match="integers from 0 to 1"):
        begun(np.array([0, 2]), 2, 0)
    with pytest.raises(StatisticsError, match="integers from -1 to 1"):
        noticed(begun(np.array([0, 1]), 2, 0), np.array([-2]))


def test_the_boundary_is_that_of_the_formula():
    for v in (0.1, 4.0, 5.0, 1000.0):
        for scale in (1.0, 2.0):
            assert boundary(np.array([v]), 0.025, scale)[0] == pytest.approx(
                reference.stitched(v, 0.025, scale), rel=1e-4
            )


def test_bounds_of_a_running_mean_hold_at_all_rows_at_once_while_it_drifts():
    rng, missed, wide = np.random.default_rng(9), 0, []
    truth = 0.4 * np.sin(np.arange(1, 1001) / 150)
    for _ in range(200):
        d = np.where(rng.random(1000) < (1 + truth) / 2, 1.0, -1.0)
        mean, low, high = running_mean(d, 1.0, level=0.8)
        so_far = np.cumsum(truth) / np.arange(1, 1001)
        missed += bool(((low > so_far) | (high < so_far)).any())
        wide.append(high[-1] - low[-1])
        assert mean[-1] == pytest.approx(d.mean())
    assert missed <= 0.2 * 200
    assert np.mean(wide) < 0.3


def test_differences_beyond_their_span_are_refused():
    with pytest.raises(StatisticsError, match="within \\+-1"):
        running_mean(np.array([0.0, 1.5]), 1.0)
