"""How a tokenizer cuts texts, by llama.cpp's names."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from tokenizers import Regex, normalizers, pre_tokenizers

from tests.export import made
from tests.tiny import tiny_tokenizer
from trimtab.errors import ModelError
from trimtab.export import vocabulary

BYTES = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
CUT = pre_tokenizers.ByteLevel(add_prefix_space=False)


def split(pattern: str) -> Any:
    return pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(pattern), "isolated"), BYTES])


@pytest.mark.parametrize(
    ("way", "name"),
    [
        (CUT, "gpt-2"),
        (pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), CUT]), "smollm"),
        (split(vocabulary.LLAMA3), "llama-bpe"),
        (split(vocabulary.QWEN2), "qwen2"),
    ],
)
def test_ways_of_cutting_have_llama_cpps_names(way: Any, name: str) -> None:
    tokenizer = copy.deepcopy(made.tokenizer())
    tokenizer.backend_tokenizer.pre_tokenizer = way
    assert vocabulary.cut(vocabulary.definition(tokenizer)) == name
    tokenizer.backend_tokenizer.normalizer = normalizers.Lowercase()
    with pytest.raises(ModelError, match="Lowercase"):
        vocabulary.cut(vocabulary.definition(tokenizer))


@pytest.mark.parametrize("way", [BYTES, split(r"\w+"), pre_tokenizers.Metaspace()])
def test_an_unknown_way_is_refused(way: Any) -> None:
    tokenizer = made.tokenizer()
    tokenizer.backend_tokenizer.pre_tokenizer = way
    with pytest.raises(ModelError, match="no name in llama"):
        vocabulary.cut(vocabulary.definition(tokenizer))


def test_no_merges_no_gguf() -> None:
    with pytest.raises(ModelError, match="BPE with merges only"):
        vocabulary.definition(tiny_tokenizer())
