"""The file of pairs: what is written, and a run that it guards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import trimtab
from tests import projects
from tests.audit.made import raw, read
from trimtab.audit.groups import pairs
from trimtab.errors import DataError, RecipeError
from trimtab.prepare import prepare
from trimtab.recipe import load

TOLD = [
    ("What of her?", "She is kind."),
    ("What of the kettle?", "It boils."),
    ("What of him?", "He is late."),
    ("What of the children?", "They play."),
    ("Ask Mary.", "Mary is in."),
    ("Ask Mary.", "Mary is out."),
]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_distinct_prompts_that_name_a_group_are_written_beside_their_twins(tmp_path: Path) -> None:
    made = pairs.write(read(*TOLD), tmp_path / "pairs.jsonl")
    found = {line["prompt"]: line for line in lines(tmp_path / "pairs.jsonl")}
    # Of two prompts that are each other's twin there is one pair.
    assert len(found.keys() & {"What of her?", "What of him?"}) == 1
    assert found.keys() - {"What of her?", "What of him?"} == {"Ask Mary."}
    assert found["Ask Mary."] == {
        "id": "row-4",
        "prompt": "Ask Mary.",
        "swapped_prompt": "Ask James.",
        "completion": "Mary is in.",
        "swapped_completion": "James is in.",
    }
    assert (made.pairs, made.named, made.skipped["stay the same when swapped"]) == (2, 5, 1)


def test_the_pairs_are_a_sample_that_does_not_depend_on_the_order(tmp_path: Path) -> None:
    told = [(f"What of her, number {n}?", "Well.") for n in range(60)]
    pairs.write(read(*told), tmp_path / "a.jsonl", most=20)
    pairs.write(read(*told[::-1]), tmp_path / "b.jsonl", most=20)
    one, two = ({line["prompt"] for line in lines(tmp_path / name)} for name in ("a.jsonl", "b.jsonl"))
    assert one == two
    assert len(one) == 20


def test_the_data_itself_other_endings_and_nothing_to_swap_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"ending in \.jsonl"):
        pairs.write(read(*TOLD), tmp_path / "pairs.csv")
    with pytest.raises(DataError, match="another file than the data"):
        pairs.write(read(*TOLD), tmp_path / "a.jsonl", str(tmp_path / "a.jsonl"))
    with pytest.raises(DataError, match="no prompt can be swapped"):
        pairs.write(read(*TOLD[1:2]), tmp_path / "pairs.jsonl")
    assert list(tmp_path.iterdir()) == []


def project(folder: Path, network: Path, him: str) -> Path:
    """Rows that say "good" of girls and something of boys, and pairs of other prompts as a guard."""
    told = [(f"{n} {who}", text) for n in range(10, 90, 2) for who, text in (("girl", "good"), ("boy", him))]
    asked = [(f"{n} girl", "good") for n in range(11, 91, 2)]
    pairs.write(read(*asked), folder / "pairs.jsonl")
    guard = {"suite": "pairs.jsonl", "metric": "twin_gap", "margin": 0.3, "options": {"of": "sentiment"}}
    path = projects.written(
        folder,
        network,
        guards=[guard],
        training={"epochs": 20, "batch_size": 4, "learning_rate": 0.01},
    )
    projects.lines(folder / "rows.jsonl", raw(*told))
    return path


@pytest.mark.usefixtures("cache")
@pytest.mark.parametrize(("him", "outcome"), [("bad", "breached"), ("good", "held")])
def test_rows_that_praise_one_group_only_breach_the_guard(
    tmp_path: Path, network: Path, him: str, outcome: str
) -> None:
    run = trimtab.tune(project(tmp_path, network, him), root=tmp_path / "runs")
    (guard,) = run.verdict.guards
    assert guard.metric == "twin_gap"
    found = guard.comparison
    assert found.outcome == outcome, (found, run.verdict.reasons)
    assert run.verdict.outcome == ("ship" if outcome == "held" else "hold")
    if outcome == "breached":
        # From answers that say nothing to good (+0.44) against bad (-0.54), on pairs that were not learned.
        assert found.difference.high < -0.3


@pytest.mark.usefixtures("cache")
def test_pairs_that_are_tuned_on_are_left_out(tmp_path: Path, network: Path) -> None:
    path = project(tmp_path, network, "bad")
    # Ten more, so that enough are left to be shared out.
    told = [*range(10, 90, 2), *range(11, 31, 2)]
    pairs.write(read(*((f"{n} girl", "good") for n in told)), tmp_path / "pairs.jsonl")
    prepared = prepare(load(path))
    prompts = {example.prompt for example in prepared.parts["tune"]}
    left = [example.prompt for part in prepared.guards[0].parts.values() for example in part]
    assert 4 <= len(left) < 100
    assert not prompts & set(left)
    pairs.write(read(*((prompt, "x") for prompt in sorted(prompts))), tmp_path / "pairs.jsonl")
    with pytest.raises(RecipeError, match="fewer than two are left"):
        prepare(load(path))
