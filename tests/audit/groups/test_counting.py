"""Counts of groups: what is counted, that parts add up in any cut, and what the figures are."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.audit.groups.made import answers, counted
from tests.audit.made import raw, read, write
from trimtab.audit import as_json, audit
from trimtab.audit.groups import counting
from trimtab.audit.groups.counting import Groups, Spoken
from trimtab.groups.axes import Group, attributes, lexicon, words_of

PEOPLE = {group.name: group for group in lexicon().groups}
RATED = "great terrible long nice good bad short dull superb happy sad vile"
WORDS = (
    *(
        "she",
        "he",
        "nurse",
        "doctor",
        "children",
        "walked",
        "home",
        "today",
        "and",
        "the",
        "new",
        "book",
        "was",
    ),
    *("brilliant", "Mary", "James", "old", "man"),
)


def drawn(count: int, seed: int = 0) -> list[tuple[str, str]]:
    rng = random.Random(seed)

    def sentence() -> str:
        return " ".join(rng.choices(WORDS, k=6)).capitalize() + "."

    return [(sentence(), " ".join(sentence() for _ in range(rng.randint(1, 3)))) for _ in range(count)]


def test_rows_are_counted_by_group_and_side_against_a_plain_count() -> None:
    pairs = drawn(200)
    figures = counted(read(*pairs))._measured
    for side, place in (("prompts", 0), ("answers", 1)):
        for name, words in (
            ("women", {"she"}),
            ("the young", {"children"}),
            ("men", {"he", "man"}),
        ):
            plain = sum(bool(words & set(words_of(pair[place].lower()))) for pair in pairs)
            assert figures.counts[side][PEOPLE[name]] == plain
            assert figures.shares[side][PEOPLE[name]].value == plain / 200
    people = ("old man", "old nurse", "old doctor", "old children")
    old = sum(any(who in pair[1].lower() for who in people) for pair in pairs)
    assert figures.terms["answers"][PEOPLE["the old"]] == {"old …": old}


def test_an_association_counts_rows_with_one_group_in_the_sentence_against_a_plain_count() -> None:
    pairs = drawn(300)
    (she, he), nurse = (PEOPLE["women"], PEOPLE["men"]), "nurse"
    tables = {she: [0, 0], he: [0, 0]}
    seen: set[str] = set()
    for _, answer in pairs:
        has: dict[Group, set[bool]] = {she: set(), he: set()}
        for sentence in answer.split(". "):
            words = set(words_of(sentence.lower()))
            key = sentence.rstrip(".")
            women, men = "she" in words, bool(words & {"he", "man"})
            if key not in seen and women != men:
                has[she if women else he].add(nurse in words)
            seen.add(key)
        for group, met in has.items():
            if met:
                tables[group][0] += any(met)
                tables[group][1] += 1
    (one,) = [
        each
        for each in counted(read(*pairs))._measured.associations
        if (each.one, each.other, each.attribute) == (she, he, nurse)
    ]
    assert (one.have, one.of) == ((tables[she][0], tables[he][0]), (tables[she][1], tables[he][1]))


@pytest.mark.parametrize("cut", [0, 1, 57, 149, 150])
def test_parts_that_are_joined_say_what_the_whole_says(cut: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "RATED", 12)
    monkeypatch.setattr(counting, "KEPT", 100)
    rows = read(*drawn(150))
    whole, parts = counted(rows), counted(rows[:cut])
    parts.join(counted(rows[cut:]))
    assert parts.sections() == whole.sections()
    assert parts.findings() == whole.findings()
    assert whole.sections()[0].data["sentences_kept"] < 1


def test_the_audit_says_the_same_from_one_process_and_from_two(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", raw(*drawn(3500)))
    alone, spread = (as_json(audit(path, workers=workers)) for workers in (1, 2))
    assert alone["sections"]["groups"] == spread["sections"]["groups"]
    assert any("groups of people" in text for text in alone["not_looked_at"])


def test_thinned_sentences_are_those_with_the_least_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "KEPT", 64)
    keys = [int(key) for key in np.random.default_rng(0).integers(0, 1 << 63, 500, dtype=np.uint64) * 2]
    whole, part = Spoken(), Spoken()
    for number, key in enumerate(keys):
        (whole if number < 250 else part).add(number, key, 1, 1)
    whole.join(part)
    assert len(whole.rows) <= 64
    assert sorted(whole.hashes) == sorted(key for key in keys if key < whole.below)
    assert [keys[row] for row in whole.rows] == list(whole.hashes)


def test_a_sentence_that_stands_in_many_rows_counts_once() -> None:
    copies = answers(*["She is a nurse."] * 60, *(f"He has item {n}." for n in range(60)))
    assert copies._measured.counts["answers"][PEOPLE["women"]] == 60
    assert [one for one in copies._measured.associations if one.attribute == "nurse"] == []
    assert "one_sided" not in {finding.kind for finding in copies.findings()}


def test_sentiment_is_the_mean_over_the_sentences_that_name_the_group() -> None:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    said = [f"She wrote a {word} report." for word in RATED.split()]
    figures = answers(*(f"{text} An awful day." for text in said))._measured
    rated = [SentimentIntensityAnalyzer().polarity_scores(text)["compound"] for text in said]
    found = figures.sentiment[PEOPLE["women"]]
    assert (found.n, found.value) == (12, pytest.approx(np.mean(rated)))
    assert found.low < found.value < found.high
    assert found.low >= -1
    assert found.high <= 1


def test_few_sentences_are_counted_but_not_averaged() -> None:
    found = answers("She is great.", "She is good.")._measured.sentiment[PEOPLE["women"]]
    assert found.n == 2
    assert found.undefined


def test_without_vader_there_are_shares_and_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vaderSentiment.vaderSentiment", None)
    (section,) = answers("She left.", "He stayed.").sections()
    assert any("Sentiment was not measured" in text and "trimtab[" in text for text in section.said)
    assert "sentiment" not in section.data["axes"]["gender"]["women"]
    assert section.data["axes"]["gender"]["women"]["answers"]["rows"] == 1


def test_the_section_says_what_was_not_looked_at_and_fits_the_page() -> None:
    (section,) = counted(read(*drawn(200))).sections()
    said = " ".join(section.said)
    assert all(word in said for word in ("other than English", "irony", "two meanings", "May", "surname"))
    for table in section.tables:
        assert all(len(row) == len(table.head) for row in table.rows)
        widths = [max(len(row[at]) for row in (table.head, *table.rows)) for at in range(len(table.head))]
        assert sum(widths) + 2 * len(widths) <= 80 - 4


def test_rows_that_name_nobody_have_no_section() -> None:
    quiet = answers("The kettle boils.")
    assert quiet.sections() == ()
    assert quiet.findings() == ()
    assert Groups().sections() == ()
    assert len(attributes()) > 50
