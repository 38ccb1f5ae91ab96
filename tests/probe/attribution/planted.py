"""A tiny network that was trained to let one known phrase decide its answer, and prompts for it."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import torch

from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.model.load import Base, prompt_ids, wrap
from trimtab.probe.attribution.targets import Contrast
from trimtab.records import Example, Message

NEUTRAL = ("A hen. ", "The sea. ", "One mat. ", "Thin ice. ", "Red tea. ", "A cart. ")
CAUSES = {"Say X now. ": "x", "Say Q now. ": "q"}


@dataclass(frozen=True)
class Planted:
    """A prompt, the number of the sentence that forces the answer, and the target that asks why."""

    example: Example
    cause: int
    target: Contrast


def prompts(count: int, seed: int) -> list[Planted]:
    """Three neutral sentences and a cause, in random order."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        said, answer = list(CAUSES.items())[int(rng.integers(2))]
        texts = [NEUTRAL[k] for k in rng.permutation(len(NEUTRAL))[:3]]
        place = int(rng.integers(4))
        texts.insert(place, said)
        other = "q" if answer == "x" else "x"
        message = Message("user", "".join(texts).rstrip())
        found.append(Planted(Example((message,), id=str(number)), place, Contrast(answer, other)))
    return found


@functools.cache
def trained() -> Base:
    """The tiny network after about a hundred and fifty steps on such prompts; it answers them rightly."""
    tokenizer, network = tiny_tokenizer(), tiny_model(blocks=1, max_position_embeddings=128)
    rows = [
        (torch.tensor(prompt_ids(tokenizer, list(one.example.messages))), one.target.answer)
        for one in prompts(512, seed=1)
    ]
    answers = {said: tokenizer(said, add_special_tokens=False)["input_ids"][0] for said in "xq"}
    optimiser = torch.optim.AdamW(network.parameters(), lr=4e-3)
    rng = np.random.default_rng(0)
    network.train()
    for _ in range(150):
        chosen = [rows[int(k)] for k in rng.choice(len(rows), 16, replace=False)]
        longest = max(len(ids) for ids, _ in chosen)
        given = torch.stack([torch.nn.functional.pad(ids, (longest - len(ids), 0)) for ids, _ in chosen])
        logits = network(input_ids=given, attention_mask=(given != 0).long(), logits_to_keep=1).logits[:, 0]
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor([answers[said] for _, said in chosen]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return wrap(network.eval().requires_grad_(False), tokenizer)
