"""Rows for replay: what the base model itself writes to general prompts, so that tuning does not take it away.

Answers are drawn at temperature 1 from the whole distribution. So their likelihood measures the divergence from the
base, E over x ~ p0 of -log p(x) = KL(p0 || p) + a constant, whose gradient is 0 at the base: nothing new is taught.
That is distillation by the model's own sequences (Kim and Rush 2016, section 3.2; Yang et al. 2024 for fine-tuning).
An answer that was cut off is learned without its end. Whatever shares 13 words in a row with a guard suite, or with
select or confirm, is dropped (Brown et al. 2020, appendix C), so that replay teaches nothing that is measured.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from trimtab.data.render import render
from trimtab.model.embedded import cache_folder
from trimtab.model.load import Base
from trimtab.model.sampler import sample
from trimtab.prepare import Prepared
from trimtab.records import Example, Message, Sampling, TokenRow, content_hash
from trimtab.run import write_atomic
from trimtab.rungs.workshop import Workshop

GRAM = 13
DRAWN = Sampling(max_new_tokens=96, temperature=1.0)
SEED = 0
# Prompts and answers are short; a row of more tokens than this cannot be one of them.
MAX_TOKENS = 1024


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows to replay, and what the record says of them."""

    rows: list[TokenRow]
    told: Mapping[str, Any]


def rows(shop: Workshop) -> Kept:
    """What the base model wrote, rendered, without what overlaps anything that is measured."""
    written = answers(shop.base)
    clean = apart(written, measured(shop.prepared))
    found = [_row(shop.base, example) for example in clean]
    told = {
        "rows": len(found),
        "tokens": sum(len(row.ids) for row in found),
        "dropped": len(written) - len(clean),
        "gram": GRAM,
    }
    return Kept(found, told)


def prompts() -> list[str]:
    """The prompts, as the file beside this module lists them."""
    text = resources.files("trimtab").joinpath("rungs", "general.txt").read_text(encoding="utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def answers(base: Base) -> list[Example]:
    """Each prompt with what the base model answers, from the cache when it was asked before; empty answers left out."""
    asked = [Example((Message("user", text),), id=content_hash(text)) for text in prompts()]
    key = content_hash([base.fingerprint, [example.id for example in asked], DRAWN, SEED])
    path = cache_folder() / "replay" / f"{key}.json"
    known = _read(path)
    if known is None:
        known = [[output.text, output.finish] for output in sample(base, asked, DRAWN, (SEED,))]
        write_atomic(path, json.dumps(known, ensure_ascii=False))
    return [
        dataclasses.replace(example, references=(text,), fields={"finish": finish})
        for example, (text, finish) in zip(asked, known, strict=True)
        if text.strip()
    ]


def measured(prepared: Prepared) -> list[Example]:
    """Every item that a run measures: guard suites, select and confirm."""
    items = [*prepared.parts["select"], *prepared.parts["confirm"]]
    return items + [example for guard in prepared.guards for part in guard.parts.values() for example in part]


def apart(written: Sequence[Example], kept_from: Sequence[Example]) -> list[Example]:
    """The examples that share no run of 13 words, and no whole shorter text, with any of the others."""
    taken = {gram for example in kept_from for text in _texts(example) for gram in grams(text)}
    return [
        example
        for example in written
        if not any(gram in taken for text in _texts(example) for gram in grams(text))
    ]


def grams(text: str) -> Iterator[tuple[str, ...]]:
    """Every run of 13 words of a text in lower case, or all of its words if it has fewer."""
    words = re.findall(r"\w+", text.lower())
    if words:
        yield from (tuple(words[start : start + GRAM]) for start in range(max(1, len(words) - GRAM + 1)))


def _texts(example: Example) -> Iterator[str]:
    yield from (message.content for message in example.messages)
    yield from example.references
    for name, value in example.fields.items():
        if name == "finish":
            continue
        yield from (
            text for text in (value if isinstance(value, list | tuple) else [value]) if isinstance(text, str)
        )


def _row(base: Base, example: Example) -> TokenRow:
    (row,) = render([example], base.tokenizer, max_tokens=MAX_TOKENS)
    if example.fields["finish"] == "stop":
        return row
    supervised = row.supervised.copy()
    supervised[np.flatnonzero(supervised)[-1]] = False
    return dataclasses.replace(row, supervised=supervised)


def _read(path: Path) -> list[list[str]] | None:
    try:
        found: list[list[str]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found
