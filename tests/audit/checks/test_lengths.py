"""Rows that a model would not read to their end, by the name of the model."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from tests.audit.made import raw, read, write
from tests.tiny import tiny_tokenizer
from trimtab.audit import Asked, audit
from trimtab.audit.checks.lengths import Truncated
from trimtab.errors import MaskError, ModelError

# Every byte is a token: 30 of text and the marks of two turns stay below 90.
LONG = "a sentence that goes on and on " * 20


def test_rows_beyond_the_limit_are_found_and_short_ones_are_not(network: Path) -> None:
    check = pickle.loads(pickle.dumps(Truncated.of(str(network), 90)))
    short, long = read(("ask", "say this"), ("ask", LONG))
    assert list(check(short)) == []
    (hit,) = check(long)
    assert (hit.kind, hit.row) == ("truncated", 1)
    assert "beyond the limit of 90" in hit.note


def test_the_limit_is_what_the_model_reads_or_less(network: Path) -> None:
    assert Truncated.of(str(network)).limit == 512
    assert Truncated.of(str(network), 100).limit == 100
    assert Truncated.of(str(network), 5000).limit == 512


def test_an_audit_looks_for_them_when_a_model_is_named(tmp_path: Path, network: Path) -> None:
    source = write(tmp_path / "r.jsonl", raw(("a", "b c"), ("d", LONG), ("e", "f g")))
    found = audit(source, Asked(model=str(network)))
    cut = found.of("truncated")
    assert cut
    assert cut.rows == (1,)
    assert not any("model=NAME" in text for text in found.not_looked_at)
    plain = audit(source)
    assert plain.of("truncated") is None
    assert any("model=NAME" in text for text in plain.not_looked_at)


def test_models_that_cannot_tell_are_mistakes(tmp_path: Path, model: Any) -> None:
    with pytest.raises(ModelError):
        Truncated.of(str(tmp_path / "none"))
    with pytest.raises(ModelError, match="a service"):
        Truncated.of("openai:gpt@http://localhost:1")
    model.save_pretrained(tmp_path / "plain")
    tiny_tokenizer(None).save_pretrained(tmp_path / "plain")
    with pytest.raises(MaskError, match="no chat template"):
        Truncated.of(str(tmp_path / "plain"))
