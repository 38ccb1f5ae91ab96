"""Whether the survey of blocks finds a planted block of the embedded model.

    python bench/layers.py [--blocks 6 15 24] [--seeds 0] [--pairs 16] [--natural]

A kind, + or -, is drawn for each of some hundred tokens, which nothing else about them tells. One block is made to
write the kind of every token along a random direction u; the block after it takes that away, and what it took moves
the logits of the two kinds GAIN nats apart, by what the head is given. Answers are of tokens of one kind, each of
which stands in one answer. Prints for each planted block where the survey puts it, by each measure and by all.
Each of --seeds draws other tokens, kinds, pairs and directions.
--natural: the pairs of reviews instead (reviews.jsonl), where nothing is planted, so that nothing is right or wrong.
Writes bench/out/layers.json. About two minutes for each planted block with 16 pairs on a free core.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

import directions
from record import OUT, write
from trimtab.adjust.contrast import Contrast
from trimtab.model import activations, sites
from trimtab.model.hooks import changing
from trimtab.model.load import Base, load, prompt_ids
from trimtab.probe.layers import ranking, surveying
from trimtab.records import Message, TokenRow

LENGTH = 8
MOST = 32
AMOUNT, GAIN = 0.1, 2.0
NEAR = 2
PROMPT = (Message("user", "Say some words."),)


@dataclass(frozen=True)
class Kinds:
    """Kind of every token, (vocabulary,): +1, -1, or 0 for those that have none."""

    of: torch.Tensor

    @classmethod
    def drawn(cls, base: Base, count: int, seed: int) -> Kinds:
        """Of `count` tokens of letters alone, half are +."""
        dice = np.random.default_rng(seed)
        words = [
            n for n, text in enumerate(base.tokenizer.convert_ids_to_tokens(range(20000))) if _word(text)
        ]
        some = dice.permutation(words)[:count]
        found = torch.zeros(base.network.config.vocab_size)
        found[torch.from_numpy(some)] = torch.tensor([1.0, -1.0]).repeat(len(some) // 2)
        return cls(found)

    def pairs(self, base: Base, count: int, seed: int) -> list[Contrast]:
        """Answers of either kind to one prompt; each token stands in one answer, so that no fold knows another's."""
        dice = np.random.default_rng(seed)
        prompt = np.array(prompt_ids(base.tokenizer, list(PROMPT)))
        sides = [
            dice.permutation(np.flatnonzero((self.of == kind).numpy())).reshape(count, LENGTH)
            for kind in (1, -1)
        ]

        def row(answer: np.ndarray) -> TokenRow:
            ids = np.concatenate([prompt, answer])
            return TokenRow("", ids, np.arange(len(ids)) >= len(prompt))

        return [Contrast(row(one), row(two)) for one, two in zip(*sides, strict=True)]


def _word(text: str) -> bool:
    return len(text) > 3 and text[0] == "Ġ" and text[1:].isalpha() and text[1:].isascii()


def said(base: Base, kinds: Kinds) -> torch.Tensor:
    """Direction w (hidden,) that gives tokens of the kinds logits of +1/2 and -1/2, and all others as little as can be.

    Others matter: what lifts them takes likelihood from both kinds. Least of w' C w where H w = k / 2, with C the
    products of the head's rows and H those of the kinds: w = C^-1 H' (H C^-1 H')^-1 k / 2.
    """
    head = base.network.get_output_embeddings().weight.double()
    rows = head[kinds.of != 0]
    spread = torch.linalg.solve(head.T @ head, rows.T)
    return (spread @ torch.linalg.solve(rows @ spread, kinds.of[kinds.of != 0].double() / 2)).float()


@contextlib.contextmanager
def planted(base: Base, kinds: Kinds, block: int, norms: np.ndarray, seed: int) -> Iterator[None]:
    """Let a block write the kind, and the next one take it to the head."""
    network = base.network
    generator = torch.Generator().manual_seed(1000 * seed + block)
    u = torch.nn.functional.normalize(torch.randn(network.config.hidden_size, generator=generator), dim=0)
    w = said(base, kinds)
    u, w = (way.to(network.dtype) for way in (u, w))
    step = AMOUNT * float(norms[block])
    seen: list[torch.Tensor] = []
    taken: list[torch.Tensor] = []

    def see(module: Any, given: tuple[Any, ...], named: dict[str, Any]) -> None:
        seen[:] = [kinds.of[named["input_ids"] if "input_ids" in named else given[0]]]

    def write_kind(_: Any, states: torch.Tensor) -> torch.Tensor:
        return states + step * seen[0][..., None].to(states.dtype) * u

    def use(_: Any, states: torch.Tensor) -> torch.Tensor:
        along = (states @ u)[..., None]
        taken[:] = [torch.tanh(along / step)]
        return states - along * u

    def say(_: Any, states: torch.Tensor) -> torch.Tensor:
        return states + GAIN * taken[0] * w

    names = sites.block_names(network)
    handle = network.base_model.register_forward_pre_hook(see, with_kwargs=True)
    try:
        with changing(network, {names[block]: write_kind, names[block + 1]: use, "model.norm": say}):
            yield
    finally:
        handle.remove()


def found(base: Base, pairs: Sequence[Contrast]) -> dict[str, Any]:
    """The survey, its orders, and the seconds that it took."""
    started = time.monotonic()
    blocks = surveying.survey(base, pairs)
    seconds = time.monotonic() - started
    orders = {name: [p.block for p in ranking.ranked(blocks, (name,))] for name in surveying.MEASURES}
    joint = ranking.ranked(blocks)
    return {
        "seconds": seconds,
        "pairs": blocks.pairs,
        "margin": str(blocks.margin),
        "joint": [place.block for place in joint],
        "why": joint[0].reason,
        "steering_candidates": [one.blocks[0] for one in ranking.candidates(blocks, "steering")],
        "orders": orders,
        "values": {
            name: [[one.value, one.low, one.high] for b in blocks.blocks for one in [getattr(b, name)]]
            for name in (*surveying.MEASURES, "loss")
        },
    }


def main() -> int:
    """Plant, look, tell; 1 where the steering candidate or the joint order misses a planted block by more than two."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--blocks", type=int, nargs="+", default=[6, 15, 24])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--pairs", type=int, default=16)
    parser.add_argument("--natural", action="store_true")
    asked = parser.parse_args()
    if not 4 <= asked.pairs <= MOST:
        parser.error(f"--pairs: from 4 to {MOST}, so that a direction can tell their tokens apart")
    base = load()
    if asked.natural:
        results = [found(base, directions.tone().contrasts(base)[: asked.pairs])]
        tell("natural", results[0])
        write({"natural": results}, OUT / "layers-natural.json")
        return 0
    results = []
    for seed in asked.seeds:
        kinds = Kinds.drawn(base, 2 * LENGTH * asked.pairs, seed)
        pairs = kinds.pairs(base, asked.pairs, seed + 1)
        rows = [row for pair in pairs for row in (pair.positive, pair.negative)]
        norms = activations.read(base, rows).norms
        for block in asked.blocks:
            with planted(base, kinds, block, norms, seed):
                results.append({"seed": seed, "planted": block, **found(base, pairs)})
            tell(f"seed {seed}, planted at {block}", results[-1])
            write({"planted": results}, OUT / "layers.json")
    missed = [
        (one["seed"], one["planted"])
        for one in results
        for order in (one["steering_candidates"], one["joint"])
        if not order or abs(order[0] - one["planted"]) > NEAR
    ]
    return int(bool(missed))


def tell(name: str, one: dict[str, Any]) -> None:
    """Print one survey."""
    orders = "; ".join(f"{measure} {order[:3]}" for measure, order in one["orders"].items())
    print(f"{name}: joint {one['joint'][:3]}; to steer {one['steering_candidates']}; {orders}")
    print(f"    {one['why']}; margin {one['margin']}; {one['seconds']:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
