"""Planted effects are found and ranked first, intervals cover, nothing is found where nothing is."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from numpy.polynomial import legendre

from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.errors import MetricError, StatisticsError
from trimtab.measure.contract import Metric
from trimtab.measure.likelihood import nll
from trimtab.model.load import wrap
from trimtab.model.local import Local
from trimtab.probe.sensitivity import Range, section, study, to_json
from trimtab.probe.sensitivity.curves import response
from trimtab.probe.sensitivity.ranges import RANGES
from trimtab.probe.sensitivity.showing import pictures
from trimtab.probe.sensitivity.studying import Plan, judged, planned
from trimtab.probe.sensitivity.surface import adjusted, columns, surface
from trimtab.records import Example, Message, Sampling

METRIC = Metric("made", "points", "higher", "Is it?", "Nothing else.")
NAMES = tuple(r.parameter for r in RANGES)
DESIGN = planned(Plan())


def made(
    rng: np.random.Generator, *, prompts: int = 30, change: float = 0.0, joint: float = 0.0
) -> np.ndarray:
    """Scores (prompts, settings): a prompt's own level and slopes, noise, and what is planted.

    `change` is that of top_p over its range, `joint` the interaction of temperature and min_p.
    """
    codes = DESIGN.codes
    levels = rng.normal(size=(prompts, 1))
    slopes = change / 2 + 0.2 * rng.normal(size=(prompts, 1))
    found = levels + slopes * codes[:, 2] + joint / 4 * codes[:, 0] * codes[:, 3]
    return found + 0.5 * rng.normal(size=(prompts, len(codes)))


def test_a_design_holds_the_default_first_and_every_setting_once() -> None:
    assert DESIGN.settings[0] == Plan().default
    assert len(set(DESIGN.settings)) == len(DESIGN.settings) == 40
    assert np.abs(DESIGN.codes).max() <= 1 + 1e-9
    assert np.linalg.matrix_rank(columns(DESIGN.codes)) == columns(DESIGN.codes).shape[1]
    assert planned(Plan()).settings == DESIGN.settings != planned(Plan(seed=1)).settings
    for sweep in DESIGN.sweeps:
        centre = DESIGN.settings[sweep.centre]
        for place in sweep.at:
            own = sweep.range.parameter
            assert replace(DESIGN.settings[place], **{own: getattr(centre, own)}) == centre


def test_truncation_is_varied_above_temperature_zero() -> None:
    design = planned(Plan(default=Sampling(max_new_tokens=4)))
    centres = {s.range.parameter: design.settings[s.centre].temperature for s in design.sweeps}
    assert centres == {"temperature": 0, "top_k": 1, "top_p": 1, "min_p": 1, "repetition_penalty": 0}


@pytest.mark.parametrize("r", RANGES)
def test_positions_and_values_are_inverse(r: Range) -> None:
    for position in (-1.0, 0.0, 1.0):
        assert r.position(r.value(position)) == pytest.approx(position, abs=0.03)


def test_what_cannot_be_planned_is_refused() -> None:
    with pytest.raises(StatisticsError, match="20 settings"):
        planned(Plan(settings=20))
    with pytest.raises(StatisticsError, match="top_p"):
        planned(Plan(ranges=(Range("top_p", 0.9, 1.5),)))


def test_the_planted_setting_is_ranked_first_and_the_planted_pair_is_found() -> None:
    table = made(np.random.default_rng(3), change=1.0, joint=1.5)
    one = judged(Plan(), DESIGN, [METRIC], [table], [""] * len(table)).metrics[0]
    assert one.surface.shares[0][0] == "top_p"
    found = {effect.parameters for effect in one.surface.effects if effect.found}
    assert found == {("top_p",), ("temperature", "min_p")}
    assert all(effect.adjusted < 1e-4 for effect in one.surface.effects if effect.found)
    change = next(e for e in one.surface.effects if e.parameters == ("top_p",) and e.kind == "change")
    assert change.estimate.low < 1.0 < change.estimate.high


def test_a_lower_metric_is_oriented() -> None:
    table = made(np.random.default_rng(3), change=1.0)
    lower = replace(METRIC, direction="lower")
    one = judged(Plan(), DESIGN, [lower], [table], [""] * len(table)).metrics[0]
    assert next(e for e in one.surface.effects if e.found).estimate.high < 0


def test_intervals_cover_and_no_effect_gives_no_finding() -> None:
    rng = np.random.default_rng(11)
    covered, families, runs = [], 0, 60
    for _ in range(runs):
        none = adjusted([surface(made(rng, prompts=20), DESIGN.codes, NAMES, None, 0.95)], 0.95)[0]
        covered += [e.estimate.low <= 0 <= e.estimate.high for e in none.effects]
        families += any(effect.found for effect in none.effects)
    # Three standard errors of a simulation: of a share of 5% over the runs, and of 95% over all intervals.
    assert families / runs <= 0.05 + 3 * (0.05 * 0.95 / runs) ** 0.5
    assert abs(np.mean(covered) - 0.95) < 0.03


def test_the_fit_of_noise_is_about_zero() -> None:
    rng = np.random.default_rng(4)
    noise = [rng.normal(size=(20, len(DESIGN.codes))) for _ in range(40)]
    fits = [surface(table, DESIGN.codes, NAMES, None, 0.95).fit for table in noise]
    # Three standard errors; without the adjustment it would be 20 / 39.
    assert abs(np.mean(fits)) < 3 * np.std(fits) / len(fits) ** 0.5 + 0.02


def test_what_people_read_names_the_range_the_finding_and_what_is_better() -> None:
    table = made(np.random.default_rng(3), change=1.0, joint=1.5)
    table[:, DESIGN.sweeps[2].at[0]] += 3
    found = section(judged(Plan(), DESIGN, [METRIC], [table], [""] * len(table)))
    matters, bands, points = found.tables
    rows = {(row[0], row[1]): row[2:] for row in matters.rows}
    assert rows["top_p", "from 0.5 to 1"][1:3] == ("< 0.0001", "yes")
    assert ("top_k", "from 5 to off") in rows
    assert {row[:2]: row[3] for row in points.rows}["top_p", "0.5"] == "better"
    assert "; points)" in bands.caption
    assert "at most 64 new tokens" in found.said[0]


def test_shares_are_those_of_the_surface_integrated_by_quadrature() -> None:
    """An independent check of the closed form, by Gauss-Legendre quadrature of a known surface."""
    nodes, weights = legendre.leggauss(5)
    x = np.array(np.meshgrid(nodes, nodes, nodes, indexing="ij")).reshape(3, -1).T
    w = np.prod(np.array(np.meshgrid(weights, weights, weights, indexing="ij")).reshape(3, -1) / 2, axis=0)

    def surfaced(at: np.ndarray) -> np.ndarray:
        return np.asarray(at[:, 0] + 0.7 * at[:, 1] ** 2 + 0.9 * at[:, 0] * at[:, 2])

    y = surfaced(x)
    whole = w @ (y - w @ y) ** 2
    expected = {}
    for place, name in enumerate("abc"):
        rest = [tuple(row) for row in np.delete(x, place, axis=1)]
        kept = {key: [i for i, r in enumerate(rest) if r == key] for key in set(rest)}
        means = np.empty(len(x))
        for rows in kept.values():
            means[rows] = np.average(y[rows], weights=w[rows])
        expected[name] = w @ (y - means) ** 2 / whole
    codes = np.random.default_rng(0).uniform(-1, 1, size=(30, 3))
    levels = np.arange(12.0)[:, None]
    found = surface(surfaced(codes) + levels, codes, "abc", None, 0.95)
    assert dict(found.shares) == pytest.approx(expected, abs=1e-6)
    assert found.fit == pytest.approx(1)


def test_the_safe_band_ends_where_the_loss_is() -> None:
    rng = np.random.default_rng(5)
    sweep = DESIGN.sweeps[0]
    values = [s.temperature for s in DESIGN.settings]
    loss = np.where(np.array(values) > 1.2, 1.0, 0.0)
    table = 0.05 * rng.normal(size=(30, len(values))) - loss
    found = response(sweep, DESIGN, table, METRIC, None, 0.2)
    assert found.held == found.unharmed == (0.3, 1.0)
    assert found.points[-1].comparison is not None
    assert found.points[-1].comparison.outcome == "breached"


def test_a_study_on_a_network() -> None:
    model = Local(wrap(tiny_model(initializer_range=0.4), tiny_tokenizer()))
    examples = [Example((Message("user", f"word {n}"),), ("a",), id=str(n)) for n in range(12)]
    length = Metric("length", "bytes", "higher", "How long?", "All.", score=lambda _, text: float(len(text)))
    penalty = (Range("temperature", 0.2, 1.5), Range("repetition_penalty", 1.0, 1.5))
    plan = Plan(
        Sampling(max_new_tokens=6, temperature=1.0), ranges=penalty, settings=14, levels=2, seeds=(0, 1)
    )
    found = study(model, examples, [length], plan)
    assert [one.metric.name for one in found.metrics] == ["length", "distinct", "answer_entropy"]
    assert to_json(found) == to_json(study(model, examples, [length], plan))
    entropy = next(one for one in found.metrics if one.metric.name == "answer_entropy")
    assert all(0 <= mean <= 1 for mean in entropy.means)
    json.dumps(to_json(found), allow_nan=False)
    shown = section(found)
    assert shown.name == "sensitivity"
    assert all(len(row) == len(table.head) for table in shown.tables for row in table.rows)
    drawn = {picture.name: picture.drawn() for picture in pictures(found)}
    assert "<svg" in drawn["sensitivity-length-temperature"]
    with pytest.raises(MetricError, match="does not change"):
        study(model, examples, [nll()], plan)
