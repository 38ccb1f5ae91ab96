"""Calibrating confidence for one stack on the tiny network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.rungs.prepared import workshop
from trimtab.adjust.confidence import observe
from trimtab.adjust.decoding import Decoding
from trimtab.adjust.stack import Stack
from trimtab.candidates import ConfidenceOptions
from trimtab.errors import MetricError, ModelError
from trimtab.measure.trial import of_outputs
from trimtab.records import questions
from trimtab.rungs import confidence
from trimtab.rungs.workshop import Workshop
from trimtab.stats.reliability import brier

OWN = Stack((Decoding({"temperature": 1.2}),))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    folder = tmp_path_factory.mktemp("confidence")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRIMTAB_CACHE", str(folder / "cache"))
        return workshop(folder, sampling={"max_new_tokens": 8, "temperature": 0.9, "seeds": 2})


def middle(shop: Workshop) -> float:
    """The median score on select, so that about half of the answers are good."""
    select = shop.prepared.parts["select"]
    with OWN.attach(shop.base) as model:
        outputs = model(select, shop.prepared.sampling, shop.prepared.seeds)
    return float(np.median([score.value for score in of_outputs(select, outputs, shop.prepared.goal)]))


@pytest.mark.parametrize("method", ["platt", "isotonic"])
def test_a_calibrated_stack_tells_its_confidence(shop: Workshop, tmp_path: Path, method: str) -> None:
    options = ConfidenceOptions(
        good=middle(shop),
        features=("mean_logprob", "p_true", "agreement"),
        samples=2,
        method=method,
        threshold=0.5,
    )
    fitted = confidence.calibrate(shop, OWN, options)
    found = fitted.adjustment
    assert found.for_stack == OWN.hash
    assert found.base == shop.base.fingerprint
    stack = Stack((*OWN.adjustments, found))
    stack.save(tmp_path)
    select = shop.prepared.parts["select"]
    asked = questions(select, shop.prepared.sampling, shop.prepared.seeds)
    with OWN.attach(shop.base) as model:
        seen = observe(model.model, asked, options.features, 2)
    with Stack.load(tmp_path).attach(shop.base) as model:
        told = model(select, shop.prepared.sampling, shop.prepared.seeds)
    expected = found.calibrator.probabilities(seen.features)
    assert [o.confidence for o in told] == pytest.approx(expected.tolist())
    assert [o.fired == ("abstained",) for o in told] == [p < 0.5 for p in expected]
    assert 0 < sum(o.text == options.sentence for o in told) < len(told)
    with pytest.raises(ModelError, match="calibrated for stack"), Stack((found,)).attach(shop.base):
        pass


def test_its_figures_come_from_answers_that_it_has_not_seen(shop: Workshop) -> None:
    options = ConfidenceOptions(good=middle(shop), method="isotonic")
    fitted = confidence.calibrate(shop, OWN, options)
    cost = fitted.cost
    asked = questions(shop.prepared.parts["select"], shop.prepared.sampling, shop.prepared.seeds)
    with OWN.attach(shop.base) as model:
        seen = observe(model.model, asked, options.features)
    marked = confidence.mark(shop.prepared.parts["select"], seen, shop.prepared.goal, options.good)
    flattered = brier(fitted.adjustment.calibrator.probabilities(marked.rows), marked.good)
    assert cost["brier"].value > flattered
    assert cost["items"] == len(asked)
    assert cost["good"] == marked.good.mean()
    assert cost["risk"] == pytest.approx(1 - cost["good"])
    assert cost["calibration_error"].low <= cost["calibration_error"].value <= cost["calibration_error"].high
    assert cost["tokens"] == seen.tokens
    assert cost["abstained"] == 0
    assert confidence.calibrate(shop, OWN, options).adjustment.hash == fitted.adjustment.hash


def test_lower_is_better_is_minded(shop: Workshop) -> None:
    select = shop.prepared.parts["select"]
    with OWN.attach(shop.base) as model:
        asked = questions(select, shop.prepared.sampling, shop.prepared.seeds)
        seen = observe(model.model, asked, ("mean_logprob",))
    good = middle(shop)
    marked = confidence.mark(select, seen, shop.prepared.goal, good)
    lengths = [score.value for score in of_outputs(select, seen.outputs, shop.prepared.goal)]
    assert marked.good.tolist() == [float(length <= good) for length in lengths]
    assert len(set(marked.groups)) == len(select)


def test_what_cannot_be_calibrated_is_said(tmp_path: Path, shop: Workshop) -> None:
    with pytest.raises(MetricError, match="answers are good by length -1"):
        confidence.calibrate(shop, OWN, ConfidenceOptions(good=-1.0))
    several = workshop(
        tmp_path,
        goal={"metric": "consistency"},
        sampling={"max_new_tokens": 2, "temperature": 1.0, "seeds": 2},
    )
    with pytest.raises(MetricError, match="scores no single answer"):
        confidence.calibrate(several, Stack(), ConfidenceOptions(good=0.5))
    with pytest.raises(ValueError, match="need samples of at least 1"):
        ConfidenceOptions(good=0.5, features=("agreement",))
