from __future__ import annotations

import json
from pathlib import Path

import ftfy
import pytest

from tests.audit.planted import read
from trimtab.audit.checks import encoding
from trimtab.audit.findings import Hit, Span

Case = dict[str, str]


@pytest.fixture(scope="module")
def cases(public_data: Path) -> list[Case]:
    lines = (
        (public_data / "dirty_mojibake" / "ftfy_cases.jsonl").read_text(encoding="utf-8").strip().split("\n")
    )
    return [json.loads(line) for line in lines]


def plain(text: str) -> str:
    """A text without what is no damage: the form of quotes."""
    return ftfy.fixes.uncurl_quotes(text)


def mendable(case: Case) -> bool:
    """Whether ftfy makes of a case what it should be, and that is more than another form of quotes."""
    text = ftfy.fix_text(case["original"], remove_control_chars=False)
    return text == case["fixed"] and plain(text) != plain(case["original"])


def hits_of(text: str) -> list[Hit]:
    return list(encoding.encoding(read(0, {"prompt": "What?", "completion": text})))


def test_all_that_ftfy_mends_is_found_and_mended(cases: list[Case]) -> None:
    chosen = [case for case in cases if mendable(case)]
    assert len(chosen) > 100
    assert [case["label"] for case in chosen if encoding.mended(case["original"]) != case["fixed"]] == []
    assert [case["label"] for case in chosen if not hits_of(case["original"])] == []


def test_what_is_mended_stays_mended(cases: list[Case]) -> None:
    once = [encoding.mended(case["original"]) for case in cases]
    assert [encoding.mended(text) for text in once] == once


def test_what_only_looks_damaged_is_left_alone(cases: list[Case]) -> None:
    left = [case for case in cases if case["expect"] == "pass" and not mendable(case)]
    assert len(left) > 30
    assert [case["label"] for case in left if encoding.mended(case["original"]) != case["original"]] == []
    assert [case["label"] for case in left if hits_of(case["original"])] == []


@pytest.mark.parametrize(
    "text", ["“Well”, she said – it’s naïve…", "你好，世界！", "Ａｂｃ", "π ≈ 3", "a\r\nb – c"]
)
def test_what_somebody_wrote_is_left_alone(text: str) -> None:
    assert encoding.mended(text) is text or encoding.mended(text) == text
    assert hits_of(text) == []


def test_spans_name_the_damage_and_nothing_else() -> None:
    text = "In 2019 we saw the cafÃ© there.\nAll is well – here.\nIt isnâ€™t signiﬁcant"
    found = [
        (hit.span.field, text[hit.span.start : hit.span.end], hit.span.type)
        for hit in hits_of(text)
        if hit.span
    ]
    assert found == [
        ("completion", "Ã©", "mojibake"),
        ("completion", "â€™", "mojibake"),
        ("completion", "ﬁ", "mojibake"),
    ]
    assert hits_of("signiﬁcant")[0].span == Span(0, "completion", 5, 6, "ligature")


def test_words_beside_a_sign_that_was_read_rightly_are_mended() -> None:
    assert encoding.mended("one – two caf√©‚Äôs") == "one – two café's"


def test_a_long_line_is_mended_from_end_to_end() -> None:
    text = "Das cafÃ© ist schÃ¶n. " * 2000
    assert encoding.mended(text) == "Das café ist schön. " * 2000
    assert hits_of(text)


def test_lost_characters_are_named() -> None:
    row = read(3, {"prompt": "What?", "completion": "caf\ufffd\ufffd"})
    assert [hit.span for hit in encoding.lost(row)] == [Span(3, "completion", 3, 5, "lost_character")]
