"""Facts left out and added are found where they were planted, in words that no rule knows beforehand."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from tests.audit.made import raw, read, write
from trimtab.audit import audit
from trimtab.audit.told import tally
from trimtab.audit.told.comparing import Described, compared

SAID = {
    ("family", "yes"): ["bring the kids", "children welcome", "a place for children"],
    ("family", "no"): ["adults only", "not for the little ones", "leave the children at home"],
    ("price", "low"): ["costs little", "easy on the purse", "cheap plates"],
    ("price", "high"): ["costs a fortune", "dear indeed", "expensive plates"],
    ("river", "near"): ["on the water", "by the river", "with boats before the window"],
}
VALUES = {"family": ("yes", "no"), "price": ("low", "high"), "river": ("near", "")}


def described(rng: random.Random, number: int) -> tuple[dict[str, str], list[str]]:
    """The facts of a place, and the sentences that tell them."""
    facts = {"name": f"House {number % 40}"}
    facts |= {key: value for key, values in VALUES.items() if (value := rng.choice(values))}
    said = [f"{facts['name']} is open"]
    said += [rng.choice(SAID[pair]) for pair in facts.items() if pair in SAID]
    return facts, said


def rows(seed: int, count: int, left: int, added: int) -> tuple[list[Described], set[int], set[int]]:
    """Rows of which the first leave a fact out, and those after them tell one that is not given."""
    rng = random.Random(seed)
    made = []
    for number in range(count):
        facts, said = described(rng, number)
        if number < left:
            said.pop()
        elif number < left + added:
            facts.pop(list(facts)[-1])
        made.append(Described(number, facts, ", ".join(said) + "."))
    return made, set(range(left)), set(range(left, left + added))


def test_planted_faults_are_found_and_others_are_not() -> None:
    made, left, added = rows(1, 1500, 60, 60)
    hits = compared(made)
    for kind, planted in (("fact_left_out", left), ("fact_added", added)):
        found = {hit.row for hit in hits if hit.kind == kind}
        assert len(found & planted) >= 0.8 * len(planted)
        assert len(found & planted) >= 0.75 * len(found)


@pytest.mark.parametrize("seed", range(5))
def test_a_faithful_set_has_next_to_none(seed: int) -> None:
    assert len(compared(rows(seed, 600, 0, 0)[0])) <= 3


def test_a_name_that_all_repeat_is_looked_for_itself() -> None:
    made, _, _ = rows(2, 300, 0, 0)
    made[7] = Described(7, made[7].pairs, made[7].answer.replace("House 7", "It"))
    hits = [hit for hit in compared(made) if hit.row == 7]
    assert [(hit.kind, hit.note) for hit in hits] == [("fact_left_out", "does not repeat its name")]


def source(folder: Path, made: list[Described]) -> str:
    pairs = [(", ".join(f"{k}[{v}]" for k, v in row.pairs.items()), row.answer) for row in made]
    return write(folder / "rows.jsonl", raw(*pairs))


def test_the_audit_says_it_and_says_how_many_rows_it_looked_at(tmp_path: Path) -> None:
    made, left, _ = rows(3, 800, 40, 0)
    found = audit(source(tmp_path, made)).of("fact_left_out")
    assert found
    assert len(left & set(found.rows)) >= 24
    assert found.detail == {"rows looked at": 800}
    assert all("does not read like " in note for note in found.notes.values())


@pytest.mark.parametrize("cut", [0, 1000, 3999])
def test_of_many_rows_the_same_are_drawn_in_whatever_parts(monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    monkeypatch.setattr(tally, "MOST", 500)
    made = rows(4, 4000, 400, 0)[0]
    pairs = [(", ".join(f"{k}[{v}]" for k, v in row.pairs.items()), row.answer) for row in made]
    whole, first, later = tally.Told(), tally.Told(), tally.Told()
    for row in read(*pairs):
        whole.add(row)
        (first if row.number < cut else later).add(row)
    first.join(later)
    assert first.findings() == whole.findings()
    assert whole.findings()[0].detail == {"rows looked at": 500}


def test_several_processes_find_the_same(tmp_path: Path) -> None:
    path = source(tmp_path, rows(4, 4000, 400, 0)[0])
    alone, together = (audit(path, workers=n).of("fact_left_out") for n in (1, 2))
    assert alone
    assert alone == together


def test_prompts_that_list_nothing_are_left_alone(tmp_path: Path) -> None:
    pairs = [(f"What is {n}?", f"It is {n + 1}, area: none.") for n in range(300)]
    found = audit(write(tmp_path / "r.jsonl", raw(*pairs)))
    assert found.of("fact_left_out") is None
    assert found.of("fact_added") is None


def test_the_faults_that_people_mended_in_e2e(public_data: Path) -> None:
    from bench.facts import known_faults

    found, faults, count = known_faults(public_data / "e2e_nlg" / "clean_dev.csv.gz")
    both = len(found & faults)
    assert count == 4299
    assert both / len(faults) > 0.65
    assert both / len(found) > 0.70
    chance = np.mean([row in faults for row in range(count)])
    assert both / len(found) > 1.5 * chance
