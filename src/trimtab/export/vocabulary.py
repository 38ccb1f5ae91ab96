"""A byte-level tokenizer in the form that GGUF keeps: tokens, their types, merges, and how texts are cut before them.

llama.cpp knows the ways of cutting by name (`tokenizer.ggml.pre`, src/llama-vocab.cpp) and its converter finds the name
by the hash of a text's tokens. Here it is read from the tokenizer's own definition: what cuts alike has the same name.
"""

from __future__ import annotations

import json
from typing import Any

import gguf

from trimtab.errors import ModelError

LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
SPECIAL = ("bos", "eos", "unk", "sep", "pad")


def write(writer: gguf.GGUFWriter, tokenizer: Any, size: int) -> None:
    """Add a tokenizer to a file that is being written.

    Args:
        size: rows of the embedding; those beyond the tokenizer's own are written as unused.

    Raises:
        ModelError: it is not a byte-level BPE that llama.cpp knows how to cut for.
    """
    content = definition(tokenizer)
    tokens, kinds = _tokens(tokenizer, size)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(cut(content))
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([" ".join(map(_spelled, pair)) for pair in content["model"]["merges"]])
    for name in SPECIAL:
        number = getattr(tokenizer, f"{name}_token_id", None)
        if number is not None:
            getattr(writer, f"add_{name}_token_id")(number)
    first = tokenizer("a").input_ids[:1]
    writer.add_add_bos_token(tokenizer.bos_token_id is not None and first == [tokenizer.bos_token_id])
    writer.add_add_space_prefix(False)
    writer.add_chat_template(tokenizer.chat_template)


def definition(tokenizer: Any) -> dict[str, Any]:
    """The tokenizer's own definition, with merges as pairs.

    Raises:
        ModelError: it is no byte-level BPE with merges.
    """
    content: dict[str, Any] = (
        json.loads(tokenizer.backend_tokenizer.to_str()) if getattr(tokenizer, "is_fast", False) else {}
    )
    model = content.get("model", {})
    if model.get("type") != "BPE" or model.get("byte_fallback") or not model.get("merges"):
        raise ModelError(
            f"tokenizer {type(tokenizer).__name__}: form=gguf knows byte-level BPE with merges only",
            "export form=merged, and convert it with llama.cpp's convert_hf_to_gguf.py",
        )
    model["merges"] = [tuple(one.split(" ")) if isinstance(one, str) else one for one in model["merges"]]
    return content


def cut(content: dict[str, Any]) -> str:
    """llama.cpp's name for the way in which a tokenizer cuts texts before it merges.

    Raises:
        ModelError: no name is known for it.
    """
    found = content.get("pre_tokenizer") or {}
    steps = found.get("pretokenizers", [found]) if found else []
    shapes = [_shape(one) for one in steps]
    normal = (content.get("normalizer") or {}).get("type")
    name = {
        ("bytes, cut",): "gpt-2",
        ("digits", "bytes, cut"): "smollm",
        (f"split {LLAMA3}", "bytes"): "llama-bpe",
        (f"split {QWEN2}", "bytes"): "qwen2",
    }.get(tuple(shapes), "")
    if not name or normal not in (None, "NFC" if name == "qwen2" else None):
        raise ModelError(
            f"a tokenizer that cuts texts by {shapes or 'nothing'} (normalised: {normal}) has no name in llama.cpp "
            "that is known here",
            "export form=merged, and convert it with llama.cpp's convert_hf_to_gguf.py",
        )
    return name


def _shape(step: dict[str, Any]) -> str:
    kind = step.get("type")
    if kind == "ByteLevel" and not step.get("add_prefix_space"):
        return "bytes, cut" if step.get("use_regex", True) else "bytes"
    if kind == "Digits" and step.get("individual_digits"):
        return "digits"
    if kind == "Split" and step.get("behavior") == "Isolated" and not step.get("invert"):
        return f"split {step['pattern'].get('Regex')}"
    return str(kind)


def _tokens(tokenizer: Any, size: int) -> tuple[list[str], list[int]]:
    """Every row of the embedding by its token, and the token's type."""
    own = {number: token for token, number in tokenizer.get_vocab().items()}
    added = tokenizer.added_tokens_decoder
    tokens, kinds = [], []
    for number in range(size):
        token = own.get(number)
        if token is None:
            kind = gguf.TokenType.UNUSED
        elif number not in added:
            kind = gguf.TokenType.NORMAL
        else:
            kind = gguf.TokenType.CONTROL if added[number].special else gguf.TokenType.USER_DEFINED
        tokens.append(f"[PAD{number}]" if token is None else token)
        kinds.append(int(kind))
    return tokens, kinds


def _spelled(part: str) -> str:
    """A side of a merge; a space inside it is written as its byte-level letter."""
    return part.replace(" ", chr(ord(" ") + 256))
