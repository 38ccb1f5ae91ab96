"""Positive control: facts that stand in a few documents only are in the answers with context, and not without."""

from __future__ import annotations

from pathlib import Path

import pytest

from trimtab.adjust.context import Context
from trimtab.adjust.stack import Stack
from trimtab.candidates import ContextCandidate
from trimtab.measure.registry import find
from trimtab.model import embedded
from trimtab.model.load import load as load_model
from trimtab.model.sentences import encoder_installed
from trimtab.prepare import prepare
from trimtab.recipe import load
from trimtab.rungs import kind
from trimtab.rungs.workshop import Workshop

RECIPE = Path(__file__).resolve().parents[2] / "examples" / "context" / "recipe.yaml"


@pytest.mark.embedded
@pytest.mark.skipif(
    embedded._installed() is None or not encoder_installed(), reason="the models' packages are not installed"
)
def test_with_context_the_answers_hold_the_facts(tmp_path: Path) -> None:
    shop = Workshop(prepare(load(RECIPE)), load_model(), tmp_path)
    items = shop.prepared.parts["select"][:20]
    fitted = kind("context").fit(shop, ContextCandidate(passages=2))
    assert fitted.cost["retrieval"]["recall"].low > 0.8
    coverage = find("coverage").score
    assert coverage is not None

    def share(stack: Stack) -> float:
        with stack.attach(shop.base) as generate:
            answers = generate(items, shop.prepared.sampling)
        return sum(coverage(e, a.text) for e, a in zip(items, answers, strict=True)) / len(items)

    without, told = share(Stack()), share(Stack((fitted.adjustment,)))
    assert isinstance(fitted.adjustment, Context)
    assert without < 0.2
    assert told > without + 0.4
