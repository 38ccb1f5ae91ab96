"""What every check keeps to: it names a known kind, stands any text, goes to a worker, and is quick on bad ones."""

from __future__ import annotations

import datetime
import gc
import json
import pickle
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.audit.planted import read
from trimtab.audit import checks
from trimtab.audit.checks.spans import MOST
from trimtab.audit.findings import RowCheck
from trimtab.audit.kinds import KINDS

EVERY: tuple[RowCheck, ...] = (*checks.chosen(language="en", stale_before=datetime.date(2024, 1, 1)),)
LENGTH = 100_000
# Processor time of one check on one text of 100 kB; they take a twentieth of it.
SECONDS = 1.0
UNITS = (
    "a", "a ", "Ã", "Â ", "Ã‚", "â€", "РґРѕ", "í\xa0½", "caf√©‚Äôs ", "<a ", "<a =", "<b",
    "&amp;", "&#", "`", "``` ", "<!--", "<script>", "\nHuman: ", "A |", "Home | ",
    "-----BEGIN PRIVATE KEY-----", "eyJaaaaaaaaa.eyJ", "eyJ", "xoxb-", "a://b:", "api_key = ",
    "api_key=aaaaaaa ", "Bearer ", "sk-a-", "AC", "a.b-", "\u200b", "\u200d", "\u202e", "\x1b[",
    "\x00", "\x9d", "ﬁ", "\ufffd", "## ", "[INST]", "<|a|>", "fuck", "click here ", "as an ai ",
    "0", ".", "中", "\u0316\u0301", "e\u0301 click ", "\U0001f3f4\U000e0067", "lorem ipsum",
    "n/a", "&amp;amp;lt;", "click here" + "\u0316\u0301" * 45_000,
)  # fmt: skip


@pytest.fixture(scope="module")
def dirty(public_data: Path) -> list[str]:
    strings = json.loads((public_data / "dirty_strings" / "blns.json").read_text(encoding="utf-8"))
    assert len(strings) == 515
    return [str(text) for text in strings]


def test_dirty_strings_crash_nothing(dirty: list[str]) -> None:
    for number, text in enumerate(dirty):
        for raw in ({"prompt": text, "completion": "It is so."}, {"prompt": "What?", "completion": text}):
            row = read(number, raw)
            fields = {one.field: one.text for one in row.texts}
            for hit in (hit for check in EVERY for hit in check(row)):
                assert hit.kind in KINDS
                assert hit.row == number
                if hit.span:
                    assert 0 <= hit.span.start < hit.span.end <= len(fields[hit.span.field])
            assert row.raw == raw


def test_mending_a_dirty_string_settles_and_takes_the_fault_away(dirty: list[str]) -> None:
    finds = {kind: check for check in checks.ROW_CHECKS for kind in checks.MENDED if _names(check, kind)}
    assert set(finds) == set(checks.MENDED)
    for text in dirty:
        for kind, mend in checks.MENDED.items():
            mended = mend(text)
            assert mend(mended) == mended
            left = [
                h for h in finds[kind](read(0, {"prompt": "What?", "completion": mended})) if h.kind == kind
            ]
            assert left == []
            if not list(finds[kind](read(0, {"prompt": "What?", "completion": text}))):
                assert mended == text


def _names(check: RowCheck, kind: str) -> bool:
    faulty = "cafÃ©s \x00 \u200b <b>x</b> api_key = 'Zx81kQp92mLr47Tn'"
    return any(hit.kind == kind for hit in check(read(0, {"prompt": "What?", "completion": faulty})))


@pytest.fixture
def uncollected() -> Iterator[None]:
    """No garbage collection, whose time depends on what other tests have left."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: ascii(unit[:20]))
def test_bad_texts_are_read_quickly(unit: str) -> None:
    text = (unit * (LENGTH // len(unit) + 1))[:LENGTH] + "!"
    for raw in ({"prompt": text, "completion": "It is so."}, {"prompt": "What?", "completion": text}):
        row = read(0, raw)
        for check in EVERY:
            began = time.process_time()
            hits = list(check(row))
            assert time.process_time() - began < SECONDS, check
            assert len(hits) <= 4 * MOST
    for kind, mend in checks.MENDED.items():
        began = time.process_time()
        mend(text)
        assert time.process_time() - began < SECONDS, kind


def test_checks_go_to_worker_processes() -> None:
    row = read(7, {"prompt": "What?", "completion": "It is cafÃ© <b>."})
    found = [list(check(row)) for check in EVERY]
    assert [list(check(row)) for check in pickle.loads(pickle.dumps(EVERY))] == found
    assert {hit.kind for hits in found for hit in hits} == {"encoding", "html_remains"}


def test_every_rule_is_that_of_a_kind() -> None:
    assert {name for name, kind in KINDS.items() if kind.rule == name} >= {*checks.MENDED, *checks.DROPPED}
