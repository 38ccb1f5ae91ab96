"""The token cache: the same rows again, and never stale or damaged ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.tiny import CHATML, tiny_tokenizer
from trimtab.data.cache import cache_key, cached_rows
from trimtab.data.render import render
from trimtab.errors import RunError
from trimtab.records import Example, Message, TokenRow

EXAMPLES = [
    Example((Message("user", f"q{n}"),), tuple(f"answer {m}" for m in range(n % 3 + 1)), f"é{n}")
    for n in range(10)
]


def same(left: list[TokenRow], right: list[TokenRow]) -> bool:
    return len(left) == len(right) and all(
        a.example == b.example
        and a.lost == b.lost
        and a.ids.dtype == b.ids.dtype
        and a.supervised.dtype == b.supervised.dtype
        and np.array_equal(a.ids, b.ids)
        and np.array_equal(a.supervised, b.supervised)
        for a, b in zip(left, right, strict=True)
    )


def test_rows_come_back_as_they_were_rendered(tmp_path: Path, tokenizer: Any) -> None:
    rendered = render(EXAMPLES, tokenizer, max_tokens=30)
    assert any(row.lost for row in rendered)
    assert same(cached_rows(tmp_path / "cache", EXAMPLES, tokenizer, max_tokens=30), rendered)
    (file,) = (tmp_path / "cache").iterdir()
    stamp = file.stat().st_mtime_ns
    assert same(cached_rows(tmp_path / "cache", EXAMPLES, tokenizer, max_tokens=30), rendered)
    assert file.stat().st_mtime_ns == stamp, "the second call reads the file"


def test_the_file_is_what_is_read(tmp_path: Path, tokenizer: Any) -> None:
    cached_rows(tmp_path, EXAMPLES, tokenizer, max_tokens=30)
    first = tmp_path / f"{cache_key(EXAMPLES, tokenizer, max_tokens=30)}.npz"
    cached_rows(tmp_path, EXAMPLES[:3], tokenizer, max_tokens=30)
    other = tmp_path / f"{cache_key(EXAMPLES[:3], tokenizer, max_tokens=30)}.npz"
    os.replace(other, first)
    assert len(cached_rows(tmp_path, EXAMPLES, tokenizer, max_tokens=30)) == 6


def test_the_key_follows_everything_that_decides_the_rows(tokenizer: Any) -> None:
    key = cache_key(EXAMPLES, tokenizer, max_tokens=30)
    assert cache_key(EXAMPLES, tiny_tokenizer(), max_tokens=30) == key
    grown = tiny_tokenizer()
    grown.add_tokens(["answer"])
    others = [
        cache_key(EXAMPLES[1:], tokenizer, max_tokens=30),
        cache_key(EXAMPLES, tiny_tokenizer(CHATML + " "), max_tokens=30),
        cache_key(EXAMPLES, grown, max_tokens=30),
        cache_key(EXAMPLES, tokenizer, max_tokens=31),
        cache_key(EXAMPLES, tokenizer, max_tokens=30, turns="last"),
    ]
    assert len({key, *others}) == 6


@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "other"])
def test_a_damaged_file_is_rendered_again(tmp_path: Path, tokenizer: Any, damage: str) -> None:
    rendered = cached_rows(tmp_path, EXAMPLES, tokenizer, max_tokens=30)
    (file,) = tmp_path.iterdir()
    content = file.read_bytes()
    middle = len(content) // 2
    damaged = {
        "empty": b"",
        "cut": content[:middle],
        "flipped": content[:200] + bytes(byte ^ 255 for byte in content[200:260]) + content[260:],
        "other": b"hello",
    }
    file.write_bytes(damaged[damage])
    assert same(cached_rows(tmp_path, EXAMPLES, tokenizer, max_tokens=30), rendered)
    assert file.read_bytes() == content
    assert list(tmp_path.iterdir()) == [file]


def test_no_rows(tmp_path: Path, tokenizer: Any) -> None:
    assert cached_rows(tmp_path, [], tokenizer, max_tokens=30) == []
    assert cached_rows(tmp_path, [], tokenizer, max_tokens=30) == []


def test_a_folder_that_cannot_be_written(tmp_path: Path, tokenizer: Any) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(RunError, match="cannot be written") as caught:
        cached_rows(tmp_path / "file", EXAMPLES, tokenizer, max_tokens=30)
    assert caught.value.hint


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, tokenizer: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.fdopen

    def full(handle: int, mode: str) -> Any:
        os.close(handle)
        return real(os.open("/dev/full", os.O_WRONLY), mode)

    monkeypatch.setattr("trimtab.data.cache.os.fdopen", full)
    with pytest.raises(RunError, match="No space left"):
        cached_rows(tmp_path, EXAMPLES, tokenizer, max_tokens=30)
    assert list(tmp_path.iterdir()) == []
