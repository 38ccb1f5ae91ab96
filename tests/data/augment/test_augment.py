"""Rows made of others: parent, provenance and facts are kept, each way does something, and limits hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.data.augment import WordNet, balanced, facts_kept, fingerprint, mixed, noisy, reworded, synonyms
from trimtab.errors import DataError, MissingPart
from trimtab.records import Example, Message

FACTS = "please compare the Aqua kettle of 1.7 l with another quick machine under 40 euros"


def row(name: str = "a", text: str = FACTS, **more: object) -> Example:
    fixed = {"source": "shop", "licence": "MIT", "subject": "p1", "fields": {"topic": "x"}}
    fixed |= {"consent": "form 3", "collected_at": "2026-03-31"}
    return Example((Message("user", text),), ("An answer.",), id=name, **(fixed | more))  # type: ignore[arg-type]


HEAD = "  1 Licence of WordNet.  \n  2 Keep it.  \n"
SENSES = (
    ("quick", "quick 0 rapid 0 Latin_word 0"),
    ("machine", "machine 0 engine 0"),
    ("machine", "machine 0 car 0"),
    ("days", "days 0 years 0"),
    ("day", "day 0 daytime 0"),
    ("kept", "kept 0 unbroken 0"),
)


def wordnet(folder: Path) -> Path:
    """Files of WordNet's format. One sense each: quick, days (a form of day), kept (irregular); machine has two."""
    folder.mkdir(exist_ok=True)
    data, at = HEAD, {}
    for lemma, words in SENSES:
        at.setdefault(lemma, []).append(f"{len(data):08d}")
        data += f"{len(data):08d} 00 n {len(words.split()) // 2:02x} {words} 000 | gloss\n"
    index = HEAD + "".join(
        f"{lemma} n {len(places)} 0 {len(places)} 0 {' '.join(places)}\n" for lemma, places in at.items()
    )
    for part in ("noun", "verb", "adj", "adv"):
        (folder / f"data.{part}").write_text(data if part == "noun" else HEAD, encoding="utf-8")
        (folder / f"index.{part}").write_text(index if part == "noun" else HEAD, encoding="utf-8")
        (folder / f"{part}.exc").write_text("kept keep\n" if part == "verb" else "", encoding="utf-8")
    return folder


def test_a_noisy_row_names_its_parent_and_keeps_the_rest() -> None:
    parent = row()
    found = noisy(parent, rate=0.3, seed=1)
    assert found is not None
    assert found == noisy(parent, rate=0.3, seed=1)
    assert found.prompt != parent.prompt
    assert found.fields == {"topic": "x", "parent": "a", "augmented": "noise"}
    assert (found.source, found.licence, found.subject, found.group) == ("shop", "MIT", "p1", "a")
    assert (found.consent, found.collected_at) == ("form 3", "2026-03-31")
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
    ("before", "after"),
    [
        ("Can I get a refund?", "You can get a refund."),
        ("Is a refund possible without it?", "Is a refund possible with it?"),
        ("It isn't hot.", "It is hot."),
        (
            "Close my account.",
            "To close your account, open the menu, choose settings, and then press the button.",
        ),
    ],
    ids=["answered", "without", "not", "longer"],
)
def test_an_answer_a_denial_or_a_speech_is_no_rewording(before: str, after: str) -> None:
    assert reworded(row(text=before), after, "paraphrase", 0) is None
    assert reworded(row(text=before), f"Please: {before}", "paraphrase", 0) is not None


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


def test_a_form_of_another_word_is_not_taken_for_a_word_with_one_sense(tmp_path: Path) -> None:
    net = WordNet(str(wordnet(tmp_path)))
    assert net.synonyms("day") == ("daytime",)
    assert net.synonyms("days") == net.synonyms("kept") == ()


def test_the_recipes_instruction_stays_as_it_is(tmp_path: Path) -> None:
    told = "Answer quickly; the machine listens."
    parent = row(text=f"{told}\n\n{FACTS}", fields={"instruction": told})
    net = WordNet(str(wordnet(tmp_path)))
    for found in (noisy(parent, rate=1.0, seed=0), synonyms(parent, net, rate=1.0, seed=0)):
        assert found is not None
        assert found.prompt.startswith(f"{told}\n\n")
        assert found.prompt != parent.prompt
    put = reworded(parent, f"Would you please: {FACTS}", "paraphrase", 0)
    assert put is not None
    assert put.prompt == f"{told}\n\nWould you please: {FACTS}"


def test_without_wordnet_the_package_is_named(tmp_path: Path) -> None:
    for needs_it in (WordNet, fingerprint):
        with pytest.raises(MissingPart) as raised:
            needs_it(str(tmp_path))
        assert "index.noun" in raised.value.message
        assert "apt install wordnet-base" in raised.value.hint
        assert "wordnet: FOLDER" in raised.value.hint
    before = fingerprint(str(wordnet(tmp_path)))
    (tmp_path / "adv.exc").write_text("best well\n", encoding="utf-8")
    assert fingerprint(str(tmp_path)) != before
    (tmp_path / "index.verb").write_text("broken line\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"index\.verb"):
        WordNet(str(tmp_path))


def test_mixing_puts_a_solved_row_before_and_never_joins_two_people() -> None:
    rows = [
        row("a", consent="form 3", collected_at="2026-03-31"),
        row(
            "b",
            "second",
            licence="BSD",
            consent="form 4",
            collected_at="2026-02-01T09:30:00Z",
            source="letters",
        ),
        row("c", "third", subject="p2"),
        row("d", "fourth", subject=""),
    ]
    found = mixed(rows, most=2, seed=0)
    by = {(r.fields["parent"], r.fields["beside"]): r for r in found}
    assert len(found) == len(by) <= 8
    assert not {("a", "c"), ("b", "c"), ("c", "a"), ("c", "b")} & set(by)
    one = by["a", "b"]
    assert [m.content for m in one.messages] == ["second", "An answer.", FACTS]
    assert (one.licence, one.subject, one.group) == ("MIT AND BSD", "p1", "a")
    assert (one.source, one.consent) == ("shop and letters", "form 3 and form 4")
    assert one.collected_at == "2026-02-01T09:30:00Z"
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
