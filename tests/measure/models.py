"""Generate and Likelihood over the tiny network, written plainly."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from tests.tiny import tiny_model, tiny_tokenizer
from trimtab.records import Example, Message, Output, Sampling


class Tiny:
    """The tiny network as Generate (`answers`) and Likelihood (`likely`); counts what it is asked."""

    def __init__(self) -> None:
        self.network: Any = tiny_model()
        self.tokenizer: Any = tiny_tokenizer()
        self.asked: list[int] = []

    def prompt(self, messages: Sequence[Message]) -> list[int]:
        if not messages:
            return [1]
        turns = [{"role": m.role, "content": m.content} for m in messages]
        text = self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        return list(self.tokenizer(text)["input_ids"])

    def answers(
        self, examples: Sequence[Example], sampling: Sampling, seeds: Sequence[int] = (0,)
    ) -> list[Output]:
        self.asked.append(len(examples) * len(seeds))
        found: list[Output] = []
        for example in examples:
            for seed in seeds:
                dice = torch.Generator().manual_seed(seed)
                ids = self.prompt(example.messages)
                start = len(ids)
                for _ in range(sampling.max_new_tokens):
                    with torch.inference_mode():
                        logits = self.network(torch.tensor([ids])).logits[0, -1]
                    ids.append(int(torch.multinomial(logits.softmax(-1), 1, generator=dice)))
                found.append(Output(example.id, seed, self.tokenizer.decode(ids[start:])))
        return found

    def likely(self, pairs: Sequence[tuple[Sequence[Message], str]]) -> list[tuple[float, int]]:
        self.asked.append(len(pairs))
        found: list[tuple[float, int]] = []
        for messages, answer in pairs:
            prompt, target = self.prompt(messages), list(self.tokenizer(answer)["input_ids"])
            with torch.inference_mode():
                logs = self.network(torch.tensor([prompt + target])).logits[0].log_softmax(-1)
            places = range(len(prompt) - 1, len(prompt) + len(target) - 1)
            found.append((float(sum(logs[p, t] for p, t in zip(places, target, strict=True))), len(target)))
        return found
