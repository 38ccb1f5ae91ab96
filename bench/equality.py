"""Whether greedy answers of Trimtab and of generate are equal, in float32.

Only a tie may differ: where the answers part, the model's own log-probabilities of the two tokens, read without any
batch, lie within `TIE` nats of each other.
"""

from __future__ import annotations

from typing import Any

import torch

import generate_peer
import rows as data
import sampling
import stock
from training import opened
from trimtab.model.load import Base, prompt_ids
from trimtab.records import Example

TIE = 1e-3


def check(job: dict[str, Any]) -> dict[str, Any]:
    """How many pairs of greedy answers are equal, part at a tie, or differ."""
    job = {**job, "dtype": "float32"}
    examples = data.prompts(job["prompts"])
    way = sampling.greedy(job)
    ours = sampling.answered(opened(job), [(examples, way)]).texts
    base = stock.opened(job)
    theirs = generate_peer.answered(base, examples, way, job["sizes"]["greedy"], copies=1).texts
    counts = {"equal": 0, "ties": 0, "different": 0}
    gaps = []
    for example, own, other in zip(examples, ours, theirs, strict=True):
        if own == other:
            counts["equal"] += 1
            continue
        gaps.append(_tie_gap(base, example, own, other))
        counts["ties" if gaps[-1] <= TIE else "different"] += 1
    return {**counts, "gaps": gaps}


@torch.no_grad()
def _tie_gap(base: Base, example: Example, ours: str, theirs: str) -> float:
    """Difference (nats) of the log-probabilities of the first two tokens in which two answers differ.

    An answer that ended there has the token that ends a turn in that place.
    """
    prompt = prompt_ids(base.tokenizer, example.messages)
    first, second = (
        [*base.tokenizer(text, add_special_tokens=False)["input_ids"], base.tokenizer.eos_token_id]
        for text in (ours, theirs)
    )
    place = next(i for i, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1])
    ids = torch.tensor([prompt + first[:place]], device=base.network.device)
    logits = base.network(input_ids=ids, use_cache=False, logits_to_keep=1).logits[0, -1]
    logprobs = logits.float().log_softmax(-1)
    return abs(float(logprobs[first[place]] - logprobs[second[place]]))
