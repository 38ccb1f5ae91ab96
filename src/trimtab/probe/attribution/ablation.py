"""Attributions by leaving out: how a target falls when a word, a sentence or a section is not in the prompt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from trimtab.errors import MissingPart
from trimtab.model import likelihood, sampler
from trimtab.model.load import Base, prompt_ids
from trimtab.probe.attribution.gradients import reader
from trimtab.probe.attribution.prompt import Feature, Prompt
from trimtab.probe.attribution.targets import Reading, Scored, total
from trimtab.records import Message, Question, TokenRow

# From conversations to the target for each.
Values = Callable[[Sequence[tuple[Message, ...]]], list[float]]


def left_out(
    prompt: Prompt, features: Sequence[Feature], values: Values
) -> tuple[NDArray[np.float64], float]:
    """For each feature the target with the whole prompt less the target without it (features,); and the former.

    Text is taken out and the rest closes up; nothing is put in its place. Captum's feature ablation, over which
    features are present, makes the comparisons.

    Raises:
        MissingPart: Captum is not installed.
    """
    try:
        from captum.attr import FeatureAblation
    except ImportError:
        raise MissingPart(
            "attribution by leaving out: Captum is not installed", 'pip install "trimtab[probe]"'
        ) from None
    whole: list[float] = []

    def target(present: torch.Tensor) -> torch.Tensor:
        prompts = [
            prompt.without(feature for feature, here in zip(features, row, strict=True) if not here)
            for row in present.bool().tolist()
        ]
        found = values(prompts)
        whole.append(found[0])
        return torch.tensor(found, dtype=torch.float64)

    everything = torch.ones((1, len(features)), dtype=torch.float64)
    found = FeatureAblation(target).attribute(everything, perturbations_per_eval=max(1, len(features)))
    return found[0].numpy(), whole[0]


def read(base: Base, readings: Sequence[Reading]) -> Values:
    """A target that is read off the network's predictions, nats."""

    def values(prompts: Sequence[tuple[Message, ...]]) -> list[float]:
        ids = [np.array(prompt_ids(base.tokenizer, prompt), dtype=np.int64) for prompt in prompts]
        columns = [_listed(base, ids, r) if r.listed else _likely(base, ids, r) for r in readings]
        return [total(readings, row) for row in zip(*columns, strict=True)]

    return values


def scored(base: Base, target: Scored) -> Values:
    """A target that is a metric of the model's own answer, in the metric's unit."""

    def values(prompts: Sequence[tuple[Message, ...]]) -> list[float]:
        asked = [Question(str(k), prompt, target.sampling, target.seed) for k, prompt in enumerate(prompts)]
        return [float(target.score(output.text)) for output in sampler.answer(base, asked)]

    return values


def _likely(base: Base, prompts: Sequence[NDArray[np.int64]], reading: Reading) -> list[float]:
    rows = [
        TokenRow(
            "", np.concatenate([ids, reading.ids]), np.concatenate([np.zeros(len(ids), bool), reading.marked])
        )
        for ids in prompts
    ]
    return [value for value, _ in likelihood.logprobs(base, rows)]


@torch.no_grad()
def _listed(base: Base, prompts: Sequence[NDArray[np.int64]], reading: Reading) -> list[float]:
    value: Any = reader(base, reading)
    rows = (torch.from_numpy(np.concatenate([ids, reading.ids]))[None] for ids in prompts)
    return [float(value(row.to(base.network.device))[0]) for row in rows]
