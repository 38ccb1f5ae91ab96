"""Attributions by gradients at the embedding layer: what each token of a prompt adds to a target.

The tokens of the template and of the answer stay as they are. The baseline, against which everything counts, has a
neutral token (a space) in place of each token of what the turns say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from trimtab.errors import MissingPart
from trimtab.model.load import Base
from trimtab.probe.attribution.passes import passes
from trimtab.probe.attribution.targets import Reading

Gradient = Literal["integrated_gradients", "gradient_x_input"]
# Of one backward pass, whose memory is about a megabyte a token for a network of thirty blocks and 576 channels.
BATCH_TOKENS = 256


@dataclass(frozen=True, slots=True)
class PerToken:
    """What tokens add.

    Attributes:
        values: (T,) nats, of the prompt's tokens.
        full, baseline: the target for the prompt, and for the baseline; nan where the method has none.
        steps: points of the integral, 1 for a single gradient.
    """

    values: NDArray[np.float64]
    full: float
    baseline: float
    steps: int

    @property
    def gap(self) -> float:
        """What integrated gradients leave unexplained: |sum of values - (full - baseline)|, nats.

        Zero for the exact integral (completeness: Sundararajan, Taly and Yan 2017, Axiomatic attribution for deep
        networks, proposition 1).
        """
        return abs(float(self.values.sum()) - (self.full - self.baseline))


def integrated(
    base: Base, ids: NDArray[np.int64], fixed: NDArray[np.bool_], readings: Sequence[Reading], steps: int
) -> PerToken:
    """Integrated gradients along the straight line between the embeddings of the baseline and of the prompt.

    For token t: sum_d (e_td - b_td) integral_0^1 dF/de_td (b + a (e - b)) da, by Gauss-Legendre with `steps` points
    (Sundararajan, Taly and Yan 2017, section 3); Captum computes it.

    Args:
        ids: (T,) tokens of the prompt.
        fixed: (T,) which of them stay in the baseline.

    Raises:
        MissingPart: Captum is not installed.
    """
    captum = _captum()
    replaced = torch.from_numpy(np.where(fixed, ids, neutral(base)))
    sums = np.zeros(len(ids))
    full = baseline = 0.0
    for one in passes(base, ids, readings):
        start = one.ids.clone()
        start[0, : len(ids)] = replaced
        method = captum.LayerIntegratedGradients(one.value, base.network.get_input_embeddings())
        rows = max(1, BATCH_TOKENS // start.shape[1])
        found = method.attribute(one.ids, start, n_steps=steps, internal_batch_size=rows)
        sums += _summed(found, len(ids))
        with torch.no_grad():
            full += float(one.value(one.ids)[0])
            baseline += float(one.value(start)[0])
    return PerToken(sums, full, baseline, steps)


def times_input(base: Base, ids: NDArray[np.int64], readings: Sequence[Reading]) -> PerToken:
    """Gradient times input: for token t of (T,) sum_d e_td dF/de_td, a first-order guess at what its embedding adds.

    Source: Shrikumar et al. 2016, Not just a black box, section 2; Captum computes it.

    Raises:
        MissingPart: Captum is not installed.
    """
    captum = _captum()
    sums, full = np.zeros(len(ids)), 0.0
    for one in passes(base, ids, readings):
        method = captum.LayerGradientXActivation(one.value, base.network.get_input_embeddings())
        sums += _summed(method.attribute(one.ids), len(ids))
        with torch.no_grad():
            full += float(one.value(one.ids)[0])
    return PerToken(sums, full, float("nan"), 1)


def neutral(base: Base) -> int:
    """The token of a space; of a tokenizer without one, the one that fills rows up."""
    ids = base.tokenizer(" ", add_special_tokens=False)["input_ids"]
    if len(ids) == 1:
        return int(ids[0])
    return int(base.tokenizer.pad_token_id or base.tokenizer.eos_token_id)


def _summed(values: torch.Tensor, tokens: int) -> NDArray[np.float64]:
    """From (1, T + A, hidden) to the sum over the hidden axis of the prompt's tokens (T,)."""
    return values.detach()[0, :tokens].double().sum(-1).cpu().numpy()


def _captum() -> Any:
    try:
        import captum.attr
    except ImportError:
        raise MissingPart(
            "attribution by gradients: Captum is not installed", 'pip install "trimtab[probe]"'
        ) from None
    return captum.attr
