"""Rows made of others: parent, provenance and facts are kept, each way does something, and limits hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.data.augment import WordNet, balanced, facts_kept, mixed, noisy, reworded, synonyms
from trimtab.errors import DataError, MissingPart
from trimtab.records import Example, Message

FACTS = "please compare the Aqua kettle of 1.7 l with another quick machine under 40 euros"


def row(name: str = "a", text: str = FACTS, **more: object) -> Example:
    fixed = {"source": "shop", "licence": "MIT", "subject": "p1", "fields": {"topic": "x"}}
    return Example((Message("user", text),), ("An answer.",), id=name, **(fixed | more))  # type: ignore[arg-type]


def wordnet(folder: Path) -> Path:
    """Files of WordNet's format: quick has one sense with rapid, machine has two."""
    head = "  1 Licence of WordNet.  \n  2 Keep it.  \n"
    data = f"{head}"
    at = {}
    for key, words in (
        ("quick", "quick 0 rapid 0 Latin_word 0"),
        ("m1", "machine 0 engine 0"),
        ("m2", "machine 0 car 0"),
    ):
        at[key] = len(data)
        data += f"{at[key]:08d} 00 n {len(words.split()) // 2:02x} {words} 000 | gloss\n"
    for part in ("noun", "verb", "adj", "adv"):
        (folder / f"data.{part}").write_text(data if part == "noun" else head, encoding="utf-8")
        index = (
            f"{head}quick n 1 0 1 0 {at['quick']:08d}\nmachine n 2 0 2 0 {at['m1']:08d} {at['m2']:08d}\n"
            if part == "noun"
            else head
        )
        (folder / f"index.{part}").write_text(index, encoding="utf-8")
    return folder


def test_a_noisy_row_names_its_parent_and_keeps_the_rest() -> None:
    parent = row()
    found = noisy(parent, rate=0.3, seed=1)
    assert found is not None
    assert found == noisy(parent, rate=0.3, seed=1)
    assert found.prompt != parent.prompt
    assert found.fields == {"topic": "x", "parent": "a", "augmented": "noise"}
    assert (found.source, found.licence, found.subject, found.group) == ("shop", "MIT", "p1", "a")
    assert found.references == parent.references
    assert found.id != parent.id
    assert len({noisy(parent, rate=0.3, seed=s).prompt for s in range(8)}) > 3  # type: ignore[union-attr]


@given(st.integers(0, 10_000), st.floats(0.05, 1.0))
def test_noise_never_touches_a_fact(seed: int, rate: float) -> None:
    found = noisy(row(), rate=rate, seed=seed)
    if found:
        assert all(fact in found.prompt for fact in ("Aqua", "1.7 l", "40 euros"))
        assert facts_kept(FACTS, found.prompt)


@pytest.mark.parametrize(
    "text",
    [
        "the Aqua kettle of 1.8 l",
        "the Aqua kettle of 1.7 kg",
        "the kettle of 1.7 l",
        "the Bora Aqua kettle of 1.7 l",
    ],
)
def test_another_fact_is_no_rewording(text: str) -> None:
    parent = row(text="the Aqua kettle of 1.7 l")
    assert reworded(parent, text, "paraphrase", 0) is None
    assert reworded(parent, "a kettle, the Aqua, that holds 1.7 litres", "paraphrase", 0) is not None


def test_synonyms_of_words_with_one_sense(tmp_path: Path) -> None:
    net = WordNet(str(wordnet(tmp_path)))
    assert net.licence == "Licence of WordNet.\nKeep it."
    assert net.synonyms("quick") == ("rapid",)
    assert net.synonyms("machine") == ()
    found = synonyms(row(), net, rate=1.0, seed=0)
    assert found is not None
    assert found.prompt == FACTS.replace("quick", "rapid")
    assert synonyms(row(text="nothing known"), net, rate=1.0, seed=0) is None


def test_without_wordnet_the_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(MissingPart) as raised:
        WordNet(str(tmp_path))
    assert "wordnet-base" in raised.value.hint
    wordnet(tmp_path)
    (tmp_path / "index.verb").write_text("broken line\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"index\.verb"):
        WordNet(str(tmp_path))


def test_mixing_puts_a_solved_row_before_and_never_joins_two_people() -> None:
    rows = [
        row("a"),
        row("b", "second", licence="BSD"),
        row("c", "third", subject="p2"),
        row("d", "fourth", subject=""),
    ]
    found = mixed(rows, most=2, seed=0)
    by = {(r.fields["parent"], r.fields["beside"]): r for r in found}
    assert len(found) == len(by) <= 8
    assert not {("a", "c"), ("b", "c"), ("c", "a"), ("c", "b")} & set(by)
    one = by["a", "b"]
    assert [m.content for m in one.messages] == ["second", "An answer.", FACTS]
    assert (one.licence, one.subject) == ("MIT AND BSD", "p1")
    assert by["d", found[-1].fields["beside"]].subject != ""


def test_balance_fills_thin_topics_to_the_median_and_no_further_than_allowed() -> None:
    rows = [
        row(f"{topic}{n}", fields={"topic": topic})
        for topic, count in (("x", 9), ("y", 5), ("z", 1))
        for n in range(count)
    ]
    assert [r.fields["parent"] for r in balanced(rows, by="topic", most=8)] == ["z0"] * 4
    found = balanced(rows, by="topic", most=2)
    assert len(found) == 2
    assert len({r.id for r in [*rows, *found]}) == len(rows) + 2
    assert balanced(rows, by="unknown", most=2) == []
