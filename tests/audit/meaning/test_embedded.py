"""Rows as vectors: which are read, what of them, in what order, and what it costs."""

from __future__ import annotations

import datetime
from pathlib import Path

import numpy as np
import pytest

from tests.audit.made import raw, write
from trimtab.audit.meaning.embedded import LONGEST, Embedded, blocks, drawn, embedded, scaled
from trimtab.errors import DataError
from trimtab.records import Progress


class Counting:
    """An encoder that knows a text by its length alone, and remembers what it was given."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def __call__(self, texts: tuple[str, ...]) -> np.ndarray:
        self.read += texts
        angles = np.array([float(len(text)) for text in texts])
        return np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)


def made(folder: Path, rows: list[dict[str, object]], encode: Counting, **more: object) -> Embedded:
    wanted = np.arange(len(rows))
    return embedded(write(folder / "r.jsonl", rows), {}, wanted, encode, **more)  # type: ignore[arg-type]


def test_each_side_has_its_own_vector_and_equal_texts_are_read_once(tmp_path: Path) -> None:
    encode = Counting()
    found = made(tmp_path, raw(("one", "four"), ("one", "Four "), ("three", "one")), encode)
    assert sorted(encode.read) == ["four", "one", "three"]
    assert found.texts == (("one", "four"), ("one", "four"), ("three", "one"))
    assert found.read == 3
    for side, texts in ((found.prompt, ("one", "one", "three")), (found.answer, ("four", "four", "one"))):
        np.testing.assert_allclose(side, Counting()(texts), atol=1e-6)


def test_a_side_without_a_text_is_zero_and_long_ones_are_cut(tmp_path: Path) -> None:
    found = made(tmp_path, [{"text": "word " * 900}, {"text": "a"}], encode := Counting())
    assert not found.prompt.any()
    assert max(map(len, encode.read)) == LONGEST
    np.testing.assert_allclose(np.linalg.norm(found.theme()[0], axis=1), 1, atol=1e-6)


def test_the_beginning_that_prompts_share_is_left_out_and_dates_are_read(tmp_path: Path) -> None:
    rows = [row | {"date": "2024-05-06"} for row in raw(("Please say: one", "x"), ("Please say: two", "y"))]
    found = made(tmp_path, rows, Counting(), begin="Please say: ")
    assert found.texts[0] == ("one", "x")
    assert found.days == (datetime.date(2024, 5, 6),) * 2


def test_progress_ends_at_the_whole(tmp_path: Path) -> None:
    told: list[Progress] = []
    made(tmp_path, raw(*((f"ask {n}", f"tell {n * n}") for n in range(300))), Counting(), report=told.append)
    assert [one.stage for one in told] == ["read meaning"] * 5
    assert [one.done for one in told] == sorted(one.done for one in told)
    assert told[-1].done == told[-1].total
    assert told[-1].facts["texts"] == 600


def test_a_column_of_labels_that_no_row_has_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="label=kind: expected a column") as raised:
        made(tmp_path, raw(("a", "b")), Counting(), label="kind")
    assert "completion, prompt" in str(raised.value.hint)


def test_what_rows_are_about_leaves_a_side_of_few_texts_out(tmp_path: Path) -> None:
    found = made(
        tmp_path, raw(*((f"ask {n} {'x' * n}", ("yes", "no")[n % 2]) for n in range(60))), Counting()
    )
    assert (found.few(0), found.few(1)) == (False, True)
    theme, texts = found.theme()
    np.testing.assert_allclose(theme, found.prompt, atol=1e-6)
    assert texts[3] == "ask 3 xxx"


def test_a_sample_is_drawn_by_its_seed() -> None:
    numbers = np.arange(1000) * 3
    one = drawn(numbers, 100, seed=1)
    assert one.tolist() == sorted(set(one.tolist())) == drawn(numbers, 100, seed=1).tolist()
    assert one.tolist() != drawn(numbers, 100, seed=2).tolist()
    assert drawn(numbers, 1000) is numbers


def test_blocks_cover_all_once() -> None:
    assert [place for begin, end in blocks(2500) for place in range(begin, end)] == list(range(2500))
    assert not scaled(np.zeros((2, 3))).any()
