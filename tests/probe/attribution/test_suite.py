"""A suite's ranking of sections, and how attributions are shown."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence

import numpy as np
import pytest

from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.errors import DataError
from trimtab.model.load import wrap
from trimtab.probe.attribution import shown
from trimtab.probe.attribution.attributing import Attribution, Settings
from trimtab.probe.attribution.prompt import Feature, Piece, sectioned
from trimtab.probe.attribution.suite import over, rank
from trimtab.probe.attribution.targets import Answer
from trimtab.records import Example, Message


def made(values: tuple[float, float], item: str) -> Attribution:
    features = sectioned((Message("system", "Be."), Message("user", "Go."))).features("section")
    return Attribution(item, "ablation", "section", "the answer", features, values)


def test_sections_are_ranked_by_share_with_intervals_that_hold_the_truth() -> None:
    covered = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        system = rng.uniform(0.5, 0.9, 30)  # of the whole; 0.7 in truth
        ranking = rank([made((s, -(1 - s)), str(k)) for k, s in enumerate(system)])
        assert ranking is not None
        first, second = ranking.standings
        assert (first.section, second.section) == ("system", "question")
        assert first.share.value == pytest.approx(system.mean())
        assert second.value.value == pytest.approx(-(1 - system).mean())
        assert first.first.value == 1
        assert first.share.n == ranking.items == 30
        covered += first.share.low <= 0.7 <= first.share.high
    assert covered >= 34


def test_what_could_not_be_looked_at_is_counted_and_one_item_has_no_interval() -> None:
    undefined = Attribution(
        "b", "ablation", "section", "the answer", made((1, 1), "b").features, undefined="too long"
    )
    ranking = rank([made((0.5, 0.1), "a"), undefined])
    assert ranking is not None
    assert (ranking.items, ranking.skipped) == (1, 1)
    assert ranking.standings[0].share.undefined


def test_a_suite_on_a_network() -> None:
    base = wrap(tiny_model(initializer_range=0.3).requires_grad_(False), tiny_tokenizer())
    examples = [Example((Message("system", "Be."), Message("user", f"Go {k}.")), id=str(k)) for k in range(3)]
    told = []
    settings = Settings(("gradient_x_input", "ablation"), ("word",))
    driven = over(base, examples, [Answer("a")] * 3, settings, report=told.append)
    assert [one.method for one in driven.rankings] == ["gradient_x_input", "ablation"]
    assert all(sum(s.share.value for s in one.standings) == pytest.approx(1) for one in driven.rankings)
    assert told[-1].done == 3
    section = shown.section(driven)
    assert json.loads(json.dumps(section.data))["items"][0]["features"][0]["value"] is not None
    assert [table.head[0] for table in section.tables] == ["section"] * 2 + ["part"] * 6
    with pytest.raises(DataError, match="2 targets for 3"):
        over(base, examples, [Answer("a")] * 2)


def worded(texts: Sequence[str]) -> tuple[Feature, ...]:
    """A turn cut into these features."""
    ends = list(itertools.accumulate(map(len, texts)))
    return tuple(
        Feature(text, "question", (Piece(0, end - len(text), end),))
        for text, end in zip(texts, ends, strict=True)
    )


def test_the_picture_has_every_part_with_its_value() -> None:
    texts, values = ("<b>&", ' "no" ', "so so", "nil"), (2.0, -1.1, 0.5, 0.0)
    one = Attribution("a", "ablation", "word", "the answer <i>", worded(texts), values)
    drawn = shown.passage(one)
    assert drawn is not None
    assert [(part.text, part.value, part.label) for part in drawn.parts] == [
        (text, value, "question") for text, value in zip(texts, values, strict=True)
    ]
    assert shown.table(one).rows[0] == ("<b>&", "question", "+2")
    assert shown.passage(Attribution("a", "ablation", "word", "x", (), undefined="too <long>")) is None


def test_what_is_personal_is_hidden_though_it_is_cut_into_words() -> None:
    texts = ("Call ", "+44 ", "20 ", "7946 ", "0958 ", "or ", "me@", "example.org")
    one = Attribution("a", "ablation", "word", "x", worded(texts), tuple(map(float, range(8))))
    drawn = shown.passage(one)
    assert drawn is not None
    written = "".join(part.text for part in drawn.parts)
    assert written == "Call [telephone number] or [e-mail address]"
    said = json.dumps([shown.item_values([one]), shown.table(one).rows])
    assert not any(secret in said for secret in ("7946", "0958", "example.org"))
