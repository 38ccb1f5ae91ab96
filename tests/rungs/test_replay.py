"""Replayed rows: what the base wrote, nothing that is measured, and no invented endings."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest

from tests.adjust import made as networks
from tests.rungs.people import shop
from trimtab.data.render import special_ids
from trimtab.measure import suites
from trimtab.records import Example, Message
from trimtab.rungs import replay


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    monkeypatch.setenv("TRIMTAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "replay"


def item(text: str, *references: str) -> Example:
    return Example((Message("user", text),), references)


LONG = " ".join(f"word{n}" for n in range(30))


def test_thirteen_words_in_a_row_are_too_many() -> None:
    twelve, thirteen = (f"Start. {' '.join(LONG.split()[4 : 4 + n])}, end" for n in (12, 13))
    measured = [item("Question?", LONG.upper())]
    assert replay.apart([item("a", twelve)], measured) == [item("a", twelve)]
    assert replay.apart([item("a", thirteen)], measured) == []
    assert replay.apart([item(thirteen, "b")], measured) == []
    assert replay.apart([item("question", "b")], measured) == []
    choices = [Example((), fields={"choices": ["no", LONG], "answer": 1})]
    assert replay.apart([item("a", thirteen)], choices) == []


def test_the_prompts_share_nothing_with_the_built_in_suites() -> None:
    asked = [item(text) for text in replay.prompts()]
    assert len({text.lower() for text in replay.prompts()}) == len(asked) >= 90
    built_in = [example for name in suites.names() for example in suites.find(name).examples]
    assert len(built_in) > 100
    assert replay.apart(asked, built_in) == asked


def test_what_is_measured_is_dropped(tmp_path: Path) -> None:
    work = shop(tmp_path)
    whole = replay.rows(work)
    assert whole.told["dropped"] == 0
    written = replay.answers(work.base)
    leak = dataclasses.replace(written[3], id="leak")
    parts = {**work.prepared.parts, "confirm": [*work.prepared.parts["confirm"], leak]}
    prepared = dataclasses.replace(work.prepared, parts=parts)
    found = replay.rows(dataclasses.replace(work, prepared=prepared))
    assert found.told["dropped"] == 1
    assert found.told["rows"] == len(found.rows) == len(whole.rows) - 1
    assert written[3].id not in [row.example for row in found.rows]
    guard = dataclasses.replace(
        work.prepared.guards[0], parts={"select": [written[0]], "confirm": [written[1]]}
    )
    prepared = dataclasses.replace(work.prepared, guards=(guard,))
    found = replay.rows(dataclasses.replace(work, prepared=prepared))
    assert found.told["dropped"] == 2


def test_the_base_writes_once(cache: Path) -> None:
    first = replay.answers(networks.base())
    (path,) = cache.iterdir()
    written = path.stat().st_mtime_ns
    assert replay.answers(networks.base()) == first
    assert path.stat().st_mtime_ns == written
    assert replay.answers(networks.base(seed=1)) != first
    assert len(list(cache.iterdir())) == 2
    path.write_text("{broken", encoding="utf-8")
    assert replay.answers(networks.base()) == first


def test_an_answer_that_was_cut_off_is_learned_without_an_end() -> None:
    base = networks.base()
    special = special_ids(base.tokenizer)
    cut, whole = (
        dataclasses.replace(item("a", "b c"), id=finish, fields={"finish": finish})
        for finish in ("length", "stop")
    )
    open_row, closed = replay._row(base, cut), replay._row(base, whole)
    assert int(closed.ids[closed.supervised][-1]) in special
    assert not special & set(open_row.ids[open_row.supervised].tolist())
    assert np.array_equal(open_row.ids, closed.ids)


def test_grams_cover_a_text() -> None:
    words = LONG.split()
    assert list(replay.grams(LONG)) == [tuple(words[n : n + 13]) for n in range(18)]
    assert list(replay.grams("One, two!")) == [("one", "two")]
    assert list(replay.grams("?!")) == []
    assert list(itertools.islice(replay.grams(" ".join(words[:13])), 3)) == [tuple(words[:13])]
