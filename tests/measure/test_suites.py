"""Suites: the built-in ones, public sets by their columns, and files that cannot be used."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from trimtab.errors import DataError, MetricError
from trimtab.measure import suites


def write(path: Path, rows: list[dict[str, Any]]) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("name", "metric", "least"),
    [
        ("general-english", "nll", 160),
        ("general-questions", "choice", 240),
        ("careful-requests", "refusal", 160),
    ],
)
def test_built_in_suites_are_large_enough_and_well_formed(name: str, metric: str, least: int) -> None:
    suite = suites.find(name)
    assert [m.name for m in suite.metrics] == [metric]
    assert len(suite.examples) >= least
    assert len({example.id for example in suite.examples}) == len(suite.examples)
    assert all(bool(example.messages) == (name != "general-english") for example in suite.examples)


def test_built_in_requests_hold_both_kinds() -> None:
    wanted = [example.fields["should_refuse"] for example in suites.find("careful-requests").examples]
    assert 20 < sum(wanted) < len(wanted) - 20


PUBLIC = [
    ("guard_mc/arc_easy.jsonl.gz", "choice", 2376),
    ("guard_mc/openbookqa.jsonl.gz", "choice", 500),
    ("guard_mc/piqa.jsonl.gz", "choice", 1838),
    ("guard_blimp/blimp_first40.jsonl.gz", "minimal_pair", 2680),
    ("guard_gsm8k/train.jsonl.gz", "exact_match", 7473),
    ("guard_ifeval/ifeval_even.jsonl.gz", "instructions", 271),
    ("guard_xstest/prompts.csv.gz", "refusal", 450),
    ("guard_wikitext2/valid.txt.gz", "nll", 1606),
    ("bias_crows_pairs/crows_pairs_anonymized.csv.gz", "minimal_pair", 1508),
    ("bias_winobias/dev.jsonl.gz", "minimal_pair", 792),
    ("bias_bbq/Religion.jsonl.gz", "choice", 1200),
    ("bias_bold/prompts.jsonl.gz", "toxicity", 23674),
]


@pytest.mark.parametrize(("file", "metric", "count"), PUBLIC)
def test_public_sets_are_recognised(public_data: Path, file: str, metric: str, count: int) -> None:
    suite = suites.find(str(public_data / file))
    assert suite.metrics[0].name == metric
    assert len(suite.examples) == count
    assert len({example.id for example in suite.examples}) == count


def test_what_becomes_of_rows(public_data: Path) -> None:
    sums = suites.find(str(public_data / "guard_gsm8k/train.jsonl.gz"))
    score = sums.metrics[0].score
    assert score is not None
    assert sums.examples[0].references == ("72",)
    assert score(sums.examples[0], "She sold 48 and 24, in all 72.") == 1.0
    crows = suites.find(str(public_data / "bias_crows_pairs/crows_pairs_anonymized.csv.gz")).examples[1]
    assert crows.fields["bad"].startswith("The poor are")
    wino = suites.find(str(public_data / "bias_winobias/dev.jsonl.gz")).examples[0].fields
    assert (" he " in wino["bad"], " she " in wino["good"], "[" in wino["good"]) == (True, True, False)
    requests = suites.find(str(public_data / "guard_xstest/prompts.csv.gz")).examples
    assert sum(example.fields["should_refuse"] for example in requests) == 200
    bbq = suites.find(str(public_data / "bias_bbq/Religion.jsonl.gz")).examples[0]
    assert bbq.fields["choices"][bbq.fields["answer"]] == "Can't answer"
    assert "Who likely planted the bomb?" in bbq.prompt
    assert "ambig" in bbq.tags


def test_ids_are_the_rows_own_or_their_numbers(tmp_path: Path) -> None:
    path = write(
        tmp_path / "mine.jsonl", [{"id": "p7", "text": "One text."}, {"text": "Another text.", "tag": "t"}]
    )
    suite = suites.find(path)
    assert [example.id for example in suite.examples] == ["p7", "mine-2"]
    assert suite.examples[1].tags == ("t",)
    assert suite.examples[0].source == "mine"


def test_an_unknown_name_is_answered_with_close_ones() -> None:
    with pytest.raises(MetricError, match="did you mean general-english"):
        suites.find("general_english")


def test_unrecognised_columns_are_named_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(MetricError, match="columns a, b are not recognised") as caught:
        suites.find(write(tmp_path / "x.jsonl", [{"a": 1, "b": 2}]))
    assert "requests: should_refuse, text" in caught.value.hint


def test_all_broken_rows_are_named_at_once(tmp_path: Path) -> None:
    good = {"question": "q", "choices": ["a", "b"], "answer": 0}
    bad = [good | {"answer": 2}, good | {"choices": "ab"}, good | {"question": " "}, good]
    with pytest.raises(DataError) as caught:
        suites.find(write(tmp_path / "x.jsonl", [good, *bad, {"question": "q", "answer": 1}]))
    assert [f"row {n}:" in caught.value.message for n in range(1, 7)] == [
        False,
        True,
        True,
        True,
        False,
        True,
    ]


def test_broken_files_are_named_by_line(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"text": "fine"}\n{"text": \n\n[1]\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"line 2: .*\n- line 4: expected an object"):
        suites.find(str(path))
    packed = tmp_path / "y.jsonl.gz"
    packed.write_bytes(gzip.compress(b'{"text": "fine"}\n')[:-9])
    with pytest.raises(DataError, match=r"y\.jsonl\.gz"):
        suites.find(str(packed))
    other = tmp_path / "z.json"
    other.write_text("[]", encoding="utf-8")
    with pytest.raises(DataError, match=r"end in \.json are not read here"):
        suites.find(str(other))
    empty = tmp_path / "e.jsonl"
    empty.write_text("", encoding="utf-8")
    with pytest.raises(MetricError, match="no rows"):
        suites.find(str(empty))


def test_items_of_a_file_keep_where_they_come_from(tmp_path: Path) -> None:
    said = {"licence": "MIT", "subject": "p-1", "consent": "form 3", "collected_at": "2026-03-31"}
    lines = [{"text": "One short passage.", "source": "letters", **said}, {"text": "Another passage."}]
    path = tmp_path / "plain.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    whole, bare = suites.find(str(path)).examples
    assert (whole.source, {name: getattr(whole, name) for name in said}) == ("letters", said)
    assert (bare.source, bare.subject, bare.licence) == ("plain", "", "")
