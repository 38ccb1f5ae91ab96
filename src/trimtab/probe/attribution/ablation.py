"""Attributions by leaving out: how a target falls when a word, a sentence or a section is not in the prompt."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from trimtab.errors import MissingPart
from trimtab.model import likelihood, sampler
from trimtab.model.load import Base, prompt_ids
from trimtab.probe.attribution.passes import passes, row
from trimtab.probe.attribution.prompt import Feature, Prompt
from trimtab.probe.attribution.targets import Reading, Scored
from trimtab.records import Message, Question

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
            prompt.without(feature for feature, here in zip(features, kept, strict=True) if not here)
            for kept in present.bool().tolist()
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
        own = [reading for reading in readings if not reading.listed]
        # All answers at once: those of a contrast share their prompt, which is then run once.
        rows = [row(prompt, reading) for prompt in ids for reading in own]
        found = likelihood.logprobs(base, rows) if rows else []
        weights = [one.weight for one in own]
        sums = np.array([value for value, _ in found]).reshape(len(ids), len(own)) @ weights
        return [float(value) + _listed(base, one, readings) for value, one in zip(sums, ids, strict=True)]

    return values


def scored(base: Base, target: Scored) -> Values:
    """A target that is a metric of the model's own answer, in the metric's unit."""

    def values(prompts: Sequence[tuple[Message, ...]]) -> list[float]:
        asked = [Question(str(k), prompt, target.sampling, target.seed) for k, prompt in enumerate(prompts)]
        return [float(target.score(output.text)) for output in sampler.answer(base, asked)]

    return values


@torch.no_grad()
def _listed(base: Base, ids: NDArray[np.int64], readings: Sequence[Reading]) -> float:
    listed = [reading for reading in readings if reading.listed]
    return math.fsum(float(one.value(one.ids)[0]) for one in passes(base, ids, listed))
