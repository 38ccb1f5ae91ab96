"""What every adjustment promises, shown for the kinds that change how answers are drawn and told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.adjust import made
from trimtab.adjust.confidence import Confidence, identity
from trimtab.adjust.decoding import Decoding
from trimtab.adjust.stack import BASE, Stack
from trimtab.adjust.watermark import Watermark, drawn
from trimtab.errors import ModelError
from trimtab.model.load import Base
from trimtab.model.local import Local
from trimtab.records import SETTINGS, Example, Message, Output, Sampling, questions
from trimtab.stats import calibration

ITEMS = [Example((Message("user", f"Say {word}."),), id=word) for word in ("tea", "milk", "water")]
WARM = Sampling(max_new_tokens=8, temperature=0.9)
SEEDS = (0, 4)


def confidence(base: Base, method: calibration.Method, **changes: Any) -> Confidence:
    """A confidence for the bare base, fitted on made-up marks: what it says matters less than that it says it."""
    dice = np.random.default_rng(0)
    rows = dice.normal(-4.0, 1.0, (40, 2))
    good = (rows[:, 0] + dice.normal(0, 1, 40) > -4).astype(float)
    fitted = calibration.fit(rows, good, ("mean_logprob", "min_logprob"), method)
    settings = {"for_stack": BASE, "base": identity(Local(base)), "threshold": 0.99} | changes
    return Confidence(fitted, **settings)


CASES: dict[str, Any] = {
    "temperature": lambda base: Decoding({"temperature": 0.4}),
    "greedy": lambda base: Decoding({"temperature": 0.0}),
    "truncation": lambda base: Decoding({"top_k": 5, "top_p": 0.9, "min_p": 0.1}),
    "penalty": lambda base: Decoding({"repetition_penalty": 1.5}),
    "length": lambda base: Decoding({"max_new_tokens": 3, "stop": ("e", "a")}),
    "best by likelihood": lambda base: Decoding({}, 4),
    "best by agreement": lambda base: Decoding({"temperature": 0.5}, 4, "agreement"),
    "best by vote": lambda base: Decoding({"temperature": 0.1}, 3, "vote"),
    "best by judgement": lambda base: Decoding({}, 3, "judgement"),
    "best by repetition": lambda base: Decoding({"temperature": 0.3}, 3, "repetition"),
    "green list": lambda base: drawn(base, "green-list", "a secret", bias=6.0),
    "confidence, platt": lambda base: confidence(base, "platt"),
    "confidence, isotonic": lambda base: confidence(base, "isotonic"),
}


@pytest.fixture(scope="module")
def base() -> Base:
    return made.base()


@pytest.fixture(params=CASES.values(), ids=CASES)
def fitted(request: pytest.FixtureRequest, base: Base) -> Any:
    """One adjustment."""
    return request.param(base)


def answers(base: Base, *adjustments: Any, sampling: Sampling = WARM) -> list[Output]:
    with Stack(adjustments).attach(base) as generate:
        return generate(ITEMS, sampling, SEEDS)


def test_it_changes_what_is_answered_and_nothing_else(base: Base, fitted: Any) -> None:
    found = answers(base, fitted)
    assert found != answers(base)
    assert [(o.example, o.seed) for o in found] == [(e.id, seed) for e in ITEMS for seed in SEEDS]


def test_strength_0_is_the_base_bit_for_bit(base: Base, fitted: Any) -> None:
    bare = answers(base)
    assert answers(base, fitted.scaled(0)) == bare
    assert fitted.scaled(0).answers(Local(base), questions(ITEMS, WARM, SEEDS)) == bare
    assert "sampling" not in Stack((fitted.scaled(0),)).hooks


def test_leaving_restores_bit_for_bit_also_after_an_exception(base: Base, fitted: Any) -> None:
    bare, weights, named = answers(base), made.weights(base), set(vars(base.network))

    def fail() -> None:
        with Stack((fitted,)).attach(base) as generate:
            generate(ITEMS, WARM, SEEDS)
            raise RuntimeError("on the way")

    with pytest.raises(RuntimeError, match="on the way"):
        fail()
    assert answers(base) == bare
    assert made.same(weights, made.weights(base))
    assert set(vars(base.network)) == named


def test_save_and_load_are_exact(base: Base, fitted: Any, tmp_path: Path) -> None:
    for number, adjustment in enumerate((fitted, fitted.scaled(0.3))):
        stack = Stack((adjustment,))
        stack.save(tmp_path / str(number))
        (again,) = Stack.load(tmp_path / str(number)).adjustments
        assert again == adjustment
        assert again.hash == adjustment.hash
        assert again.strength == adjustment.strength
        assert again.describe() == adjustment.describe()
        assert answers(base, again) == answers(base, adjustment)


def test_same_seed_same_result_and_another_strength_another_identity(base: Base, fitted: Any) -> None:
    assert answers(base, fitted) == answers(base, fitted)
    assert fitted.scaled(2).hash != fitted.hash
    assert (0.5 * fitted).strength == 0.5
    assert (0.5 * fitted).scaled(4).strength == 2


def test_describes_every_setting_with_its_unit(fitted: Any) -> None:
    told = fitted.scaled(0.5).describe()
    assert (told.kind, told.strength, told.parameters) == (fitted.kind, 0.5, 0)
    if isinstance(fitted, Decoding):
        assert {name for name in SETTINGS if name in fitted.settings} <= told.settings.keys()
        assert all(told.settings[name].unit for name in fitted.settings)
        assert ("best_of" in told.settings) == (fitted.best_of > 1)
    elif isinstance(fitted, Watermark):
        assert {"scheme", "key", "bias", "share"} == told.settings.keys()
        assert told.settings["bias"].unit == "added to a green token's logit"
        assert fitted.mark.key not in str(told)
    else:
        assert {"features", "method", "threshold", "for_stack", "samples", "items"} <= told.settings.keys()
        assert told.settings["threshold"].unit == "probability of being good"


def test_likelihood_is_out_of_reach(base: Base, fitted: Any) -> None:
    pairs = [(ITEMS[0].messages, "yes")]
    with Stack().attach(base) as generate:
        bare = generate.likelihood(pairs)
    with Stack((fitted,)).attach(base) as generate:
        assert generate.likelihood(pairs) == bare


def test_of_two_the_later_wins_for_what_it_sets(base: Base) -> None:
    early, late = Decoding({"temperature": 0.1, "top_k": 3}), Decoding({"temperature": 1.5})
    both = Decoding({"temperature": 1.5, "top_k": 3})
    assert answers(base, early, late) == answers(base, both)
    assert answers(base, late, early) == answers(base, early)
    assert answers(base, early, late) != answers(base, early)


def test_of_two_the_later_goes_on_from_where_the_earlier_stands(base: Base) -> None:
    early, late = Decoding({"temperature": 0.4}), Decoding({"temperature": 1.4})
    assert answers(base, early, late.scaled(0.5)) == answers(base, Decoding({"temperature": 0.9}))
    assert answers(base, early, late.scaled(0)) == answers(base, early)


def test_of_two_that_choose_the_later_chooses(base: Base) -> None:
    early, late = Decoding({}, 3, "repetition"), Decoding({}, 4)
    assert answers(base, early, late) == answers(base, late)


@pytest.mark.parametrize("name", [name for name in CASES if "confidence" not in name])
def test_nested_is_as_stacked(base: Base, name: str) -> None:
    one, other = CASES[name](base), Decoding({"temperature": 0.6})
    alone = answers(base, one)
    with Stack((one,)).attach(base) as outer:
        with Stack((other,)).attach(outer.model) as inner:
            found = inner(ITEMS, WARM, SEEDS)
        assert outer(ITEMS, WARM, SEEDS) == alone
    assert found == answers(base, one, other)


def test_a_confidence_stands_after_its_own_stack_only(base: Base) -> None:
    first, warmer = CASES["confidence, platt"](base), Decoding({"temperature": 1.2})
    with pytest.raises(ModelError, match="calibrated for stack base"):
        answers(base, warmer, first)
    with pytest.raises(ModelError, match="calibrated for stack base"):
        answers(base, first, first)
    with pytest.raises(ModelError, match="on base"):
        answers(made.base(seed=1), first)
    with Stack((warmer,)).attach(base) as outer, pytest.raises(ModelError, match="calibrated for stack"):
        Stack((first,)).attach(outer.model).__enter__()
    again = confidence(base, "platt", for_stack=Stack((first,)).hash, threshold=0.0)
    told = answers(base, first, again)
    assert all(output.confidence is not None for output in told)
    # An adjustment without strength is not there.
    assert answers(base, warmer.scaled(0), first) == answers(base, first)


def test_an_abstaining_answer_keeps_what_it_was_read_from(base: Base) -> None:
    bare, told = answers(base), answers(base, CASES["confidence, platt"](base))
    quiet = answers(base, confidence(base, "platt", threshold=0.0))
    assert {o.fired for o in told} == {("abstained",)}
    assert {o.text for o in told} == {"I am not sure enough to answer that."}
    assert [o.logprobs for o in told] == [o.logprobs for o in bare]
    assert [o.text for o in quiet] == [o.text for o in bare]
    assert [o.confidence for o in quiet] == [o.confidence for o in told]
    assert len({o.confidence for o in quiet}) > 1
    middle = sorted(o.confidence or 0.0 for o in quiet)[3]
    some = answers(base, confidence(base, "platt", threshold=2 * middle).scaled(0.5))
    assert [bool(o.fired) for o in some] == [(o.confidence or 0.0) < middle for o in quiet]
