"""Failures: planted kinds and links are found, none where there are none, and rules say what to try."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import fisher_exact
from sklearn.metrics import adjusted_rand_score
from statsmodels.stats.multitest import multipletests

import trimtab
from tests import projects
from trimtab.errors import RunError, StatisticsError
from trimtab.probe.deviations import comparing, finding, items, links, rules

THEMES = ("card lost stolen", "loan rate interest", "parcel late courier")


def encode(texts: Sequence[str]) -> np.ndarray:
    """Bags of words in random directions: texts that share words are alike."""
    made = np.zeros((len(texts), 64))
    for place, text in enumerate(texts):
        for word in text.split():
            number = int(hashlib.sha256(word.encode()).hexdigest()[:8], 16)
            made[place] += np.random.default_rng(number).normal(size=64)
    return made / np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-9)


def planted(n: int = 240, seed: int = 0) -> list[items.Item]:
    """Two of three themes fail, each in a way of its own."""
    rng = np.random.default_rng(seed)
    made = []
    for number in range(n):
        theme = number % 3
        fails = theme < 2 and rng.random() < 0.6
        scores = {
            "coverage": 0.1 if fails and theme == 0 else 0.9,
            "phrase_rate": 3.0 if fails and theme == 1 else 0,
        }
        prompt = f"please help {THEMES[theme]} w{number}"
        made.append(items.Item(str(number), prompt, f"about {THEMES[theme]}", scores, f"g{theme}"))
    return made


BARS = [items.Bar("coverage", 0.5), items.Bar("phrase_rate", 1.0, "lower")]


def test_planted_kinds_are_found_named_and_advised() -> None:
    own = planted()
    found = finding.deviations(own, BARS, encode)
    assert len(found.clusters) == 2
    themes = {item.id: int(item.id) % 3 for item in own}
    codes = [(number, themes[name]) for number, one in enumerate(found.clusters) for name in one.items]
    assert adjusted_rand_score(*zip(*codes, strict=True)) == 1
    advised = {themes[one.items[0]]: one.advice.rungs[0] for one in found.clusters}
    assert advised == {0: "context", 1: "postprocess"}
    for one in found.clusters:
        assert set(one.name.split(": ")[1].split()) & set(THEMES[themes[one.items[0]]].split())
        assert one.share.value == len(one.items) / 240
    assert any(link.found and link.what == "group g2" and link.odds.high < 0 for link in found.links)
    assert json.dumps(finding.section(found).data, allow_nan=False)


def test_examples_are_masked() -> None:
    own = [replace(item, answer=f"{item.answer} write to jo.smith@example.org") for item in planted(60)]
    text = str(finding.section(finding.deviations(own, BARS, encode)))
    assert "jo.smith" not in text
    assert "[e-mail address]" in text


def test_links_are_those_of_scipy_and_statsmodels() -> None:
    rng = np.random.default_rng(0)
    failing = rng.random(100) < 0.4
    masks = {name: rng.random(100) < 0.3 for name in "abc"}
    found = links.links(masks, {"all": np.ones(100, dtype=bool)}, failing)
    ps = [
        fisher_exact([[(m & s).sum(), (~m & s).sum()] for s in (failing, ~failing)]).pvalue
        for m in masks.values()
    ]
    assert sorted(link.p_value for link in found) == pytest.approx(sorted(ps))
    assert sorted(link.adjusted for link in found) == pytest.approx(
        sorted(multipletests(ps, method="holm")[1])
    )


def simulated(seed: int, effect: float) -> bool:
    rng = np.random.default_rng(seed)
    own = []
    for number in range(120):
        warm = rng.random() < 0.5
        value = float(rng.random() < 0.5 + (effect if warm else 0))
        settings = {"temperature": "1.0" if warm else "0.0", "seed": str(rng.integers(3))}
        prompt = " ".join(f"w{rng.integers(40)}" for _ in range(rng.integers(3, 9)))
        group = f"g{rng.integers(4)}"
        own.append(items.Item(str(number), prompt, "x", {"ok": value}, group, (), settings))
    found = finding.deviations(own, [items.Bar("ok", 0.5)], encode, seed=seed)
    return any(link.found and (not effect or "temperature" in link.what) for link in found.links)


def test_a_link_is_found_where_there_is_one_and_not_where_there_is_none() -> None:
    assert sum(simulated(seed, 0.4) for seed in range(10)) >= 9
    # At a rate of 5% more than 9 of 100 come about in 3 of 100 tries.
    assert sum(simulated(seed, 0.0) for seed in range(100)) <= 9


def test_a_guard_is_held_against_the_score_before() -> None:
    bar = items.Bar("tone", 0.2, "lower", {"a": 1.0, "b": 1.0})
    own = [items.Item(name, "", "", {"tone": value}) for name, value in (("a", 1.3), ("b", 1.1), ("c", 9.0))]
    assert items.missed(own, [bar]) == [("tone",), (), ()]


@pytest.mark.parametrize(
    ("signs", "rung"),
    [
        ({"invented": 1.0}, "context"),
        ({"phrase_rate": 0.7}, "postprocess"),
        ({rules.REPEATS: 0.6, "exact_match": 1.0}, "decoding"),
        ({"sentiment": 0.9, rules.CUT: 0.2}, "prompt"),
        ({"exact_match": 1.0, rules.CUT: 0.4}, "adapter"),
    ],
)
def test_every_sign_has_its_rung(signs: dict[str, float], rung: str) -> None:
    assert rules.advice(signs).rungs[0] == rung


def test_repetition_is_seen_in_the_answer() -> None:
    assert finding.repeats("so it is and " * 5)
    assert not finding.repeats("one two three four five six seven eight nine ten eleven twelve")


def test_two_trials_say_what_was_solved_what_remains_and_what_is_new() -> None:
    own = planted()
    after = []
    for item in own:
        theme = int(item.id) % 3
        scores = dict(item.scores) | ({"coverage": 0.9} if theme == 0 else {})
        after.append(replace(item, scores=scores | ({"coverage": 0.1} if theme == 2 else {})))
    one, other = (finding.deviations(side, BARS, encode) for side in (own, after))
    fates = comparing.compared(one, other)
    themes = {c.name: int(c.items[0]) % 3 for side in (other, one) for c in side.clusters}
    assert [fate.fate for fate in fates[:2]] == [
        {0: "solved", 1: "remaining"}[int(c.items[0]) % 3] for c in one.clusters
    ]
    assert [(themes[fate.name], fate.fate) for fate in fates[2:]] == [(2, "new")]
    with pytest.raises(StatisticsError, match="in common"):
        comparing.compared(one, replace(other, clusters=(), passing=("z",)))


def test_a_run_of_the_tiny_network(tmp_path: Path, network: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIMTAB_CACHE", str(tmp_path / "cache"))
    run = trimtab.tune(projects.written(tmp_path, network), root=tmp_path / "runs").folder
    before, after = (
        finding.deviations(*items.of_run(run, stack), encode) for stack in ("base", run.verdict().stack)
    )
    assert before.failing.value == 1
    assert after.failing.value == 0
    assert after.clusters == ()
    assert {fate.fate for fate in comparing.compared(before, after)} == {"solved"}
    with pytest.raises(RunError, match="no scores"):
        items.of_run(run, "none")
