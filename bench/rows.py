"""The rows and prompts that the benchmarks run on, from the data beside the repository and from the demo."""

from __future__ import annotations

import gzip
import itertools
import json
from collections import defaultdict
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

from trimtab.data.render import render
from trimtab.records import Example, Message, TokenRow

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
E2E = SHARED / "e2e_nlg"
MEDQUAD = SHARED / "medquad_small" / "qa.jsonl.gz"
E2E_TOKENS = 256
DESCRIBE = "Describe the restaurant in one or two sentences, from these facts."
REWRITE = "Rewrite this product text factually and neutrally. Keep every fact."


def distinct_inputs(path: Path) -> dict[str, list[str]]:
    """Distinct inputs of an E2E file with all their distinct references, in the order of the file."""
    found: dict[str, list[str]] = defaultdict(list)
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            facts, _, reference = line.strip().partition("||")
            if reference.strip() and reference.strip() not in found[facts.strip()]:
                found[facts.strip()].append(reference.strip())
    return found


def e2e_rows(tokenizer: Any, first: int, last: int | None) -> list[TokenRow]:
    """All references of the training inputs number `first` up to, not with, `last`."""
    chosen = itertools.islice(distinct_inputs(E2E / "lora_train.txt.gz").items(), first, last)
    return _rendered([(facts, tuple(found)) for facts, found in chosen], tokenizer, E2E_TOKENS)


def e2e_dev_rows(tokenizer: Any, count: int) -> list[TokenRow]:
    """The first reference of each of the first `count` dev inputs."""
    chosen = itertools.islice(distinct_inputs(E2E / "lora_valid.txt.gz").items(), count)
    return _rendered([(facts, tuple(found[:1])) for facts, found in chosen], tokenizer, E2E_TOKENS)


def medquad_rows(tokenizer: Any, first: int, last: int, max_tokens: int) -> list[TokenRow]:
    """Medical questions with their answers, one row each, cut to `max_tokens`."""
    pairs = [(question, (answer,)) for question, answer in itertools.islice(_medquad(), first, last)]
    return _rendered(pairs, tokenizer, max_tokens)


def long_rows(tokenizer: Any, count: int, tokens: int) -> list[TokenRow]:
    """`count` rows of exactly `tokens` tokens: questions with as many answers, one after another, as fill them."""
    pairs, source = [], _medquad()
    for question, answer in source:
        # English prose has four to five characters a token; eight leave no row short.
        while len(answer) < 8 * tokens:
            answer += " " + next(source)[1]
        pairs.append((question, (answer,)))
        if len(pairs) == count:
            break
    return _rendered(pairs, tokenizer, tokens)


def prompts(count: int) -> list[Example]:
    """`count` prompts, half from each source; an instruction stands before its text with an empty line between."""
    restaurants = itertools.islice(distinct_inputs(E2E / "lora_valid.txt.gz"), count - count // 2)
    demo = resources.files("trimtab").joinpath("demo", "products.jsonl").read_text(encoding="utf-8")
    products = [json.loads(line)["promotional"] for line in demo.splitlines()[: count // 2]]
    pairs = [(DESCRIBE, text) for text in restaurants] + [(REWRITE, text) for text in products]
    return [Example((Message("user", "\n\n".join(pair)),), id=str(n)) for n, pair in enumerate(pairs)]


def _medquad() -> Iterator[tuple[str, str]]:
    with gzip.open(MEDQUAD, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            yield row["question"], row["answer"]


def _rendered(pairs: list[tuple[str, tuple[str, ...]]], tokenizer: Any, max_tokens: int) -> list[TokenRow]:
    examples = [Example((Message("user", q),), answers, id=str(n)) for n, (q, answers) in enumerate(pairs)]
    return render(examples, tokenizer, max_tokens=max_tokens)
