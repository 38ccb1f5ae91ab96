"""The arm that answers with transformers' generate, in batches of prompts of like length, padded on the left.

generate takes one way to decode at a time, so it goes variant by variant. A batch that is larger than the number of
prompts holds each of them several times. What it computes for rows that have ended does not count as tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

import rows as data
import stock
from machine import synchronised
from sampling import WARM_PROMPTS, WARM_TOKENS, Answers, greedy, variants
from trimtab.model.load import Base, prompt_ids
from trimtab.model.memory import peak_bytes
from trimtab.records import Example, Sampling


def answer(job: dict[str, Any]) -> dict[str, Any]:
    """Variants one after another until `limit` seconds are over, and every prompt greedily, each at its best size."""
    base = _warm(job)
    examples = data.prompts(job["prompts"])
    texts, tokens, seconds, done = [], 0, 0.0, 0
    for number, sampling in enumerate(variants(job)):
        if seconds > job["limit"]:
            break
        torch.manual_seed(number)
        found = answered(base, examples, sampling, job["sizes"]["top-p"])
        texts, tokens, seconds = texts + found.texts, tokens + found.tokens, seconds + found.seconds
        done += 1
    return {
        "top-p": {**Answers(texts, tokens, seconds).told(), "variants": done},
        "greedy": answered(base, examples, greedy(job), job["sizes"]["greedy"]).told(),
        "peak_bytes": peak_bytes(job["device"]),
    }


def probe(job: dict[str, Any]) -> dict[str, Any]:
    """Tokens a second by batch size and way, from one batch of the prompts of middling length."""
    base = _warm(job)
    examples = sorted(data.prompts(job["prompts"]), key=lambda e: len(prompt_ids(base.tokenizer, e.messages)))
    speeds: dict[str, Any] = {"top-p": {}, "greedy": {}}
    for way, sampling in (("top-p", variants(job)[0]), ("greedy", greedy(job))):
        for size in job["batch_sizes"]:
            start = max(0, (len(examples) - size) // 2)
            found = answered(base, examples[start : start + size], sampling, size)
            speeds[way][str(size)] = found.tokens / found.seconds
    return speeds


def _warm(job: dict[str, Any]) -> Base:
    base = stock.opened(job)
    few = data.prompts(job["prompts"])[:WARM_PROMPTS]
    answered(
        base, few, Sampling(max_new_tokens=WARM_TOKENS, temperature=1.0, top_p=0.9), WARM_PROMPTS, copies=1
    )
    return base


def answered(
    base: Base, examples: Sequence[Example], sampling: Sampling, size: int, copies: int = 0
) -> Answers:
    """All answers under one way to decode, in batches of `size`, each prompt as often as fills a batch."""
    device = base.device.value
    started = synchronised(device)
    prompts = [prompt_ids(base.tokenizer, example.messages) for example in examples]
    prompts *= copies or max(1, size // len(prompts))
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    stops = set(base.stop_ids())
    texts, tokens = [""] * len(prompts), 0
    for start in range(0, len(order), size):
        numbers = order[start : start + size]
        batch = base.tokenizer.pad(
            {"input_ids": [prompts[i] for i in numbers]}, padding_side="left", return_tensors="pt"
        )
        with torch.no_grad(), stock.silent():
            found = base.network.generate(**batch.to(device), **_options(base, sampling))
        for number, row in zip(numbers, found[:, batch["input_ids"].shape[1] :].tolist(), strict=True):
            end = next((place for place, token in enumerate(row) if token in stops), None)
            tokens += len(row) if end is None else end + 1
            texts[number] = base.tokenizer.decode(row[:end], skip_special_tokens=True)
    return Answers(texts, tokens, synchronised(device) - started)


def _options(base: Base, sampling: Sampling) -> dict[str, Any]:
    common = {
        "max_new_tokens": sampling.max_new_tokens,
        "pad_token_id": base.tokenizer.pad_token_id,
        "eos_token_id": list(base.stop_ids()),
        "repetition_penalty": 1.0,
    }
    if not sampling.temperature:
        return {**common, "do_sample": False}
    drawn = {"do_sample": True, "temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": 0}
    return {**common, **drawn}
