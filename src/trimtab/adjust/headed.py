"""LoRA kept to chosen attention heads, in a form that any loader of LoRA reads.

With query heads of size d, head h of a block is rows h d .. (h + 1) d of the query projection and the same columns of
the output projection. Of the update B A, rows of B outside the chosen heads are 0 at the queries, and columns of A at
the output: they begin at 0, and their gradient is set to 0, so AdamW leaves them there.

    q' = q + s B A x  in chosen heads only        o' = (W + s B A) [head_1; ...; head_n]  through chosen heads only
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from trimtab.errors import ModelError
from trimtab.model import sites

Heads = tuple[tuple[int, int], ...]
QUERY = "q_proj"
OUTPUT = ("o_proj", "out_proj", "dense")


@dataclass(frozen=True, slots=True)
class Attention:
    """Full names of a block's query and output projection, and its query heads: how many, of which size."""

    query: str
    output: str
    count: int
    size: int


def attention(network: Any, block: str) -> Attention:
    """The attention of a block, by its full name.

    Raises:
        ModelError: the block has no query projection of its own, or one that is not made of equal heads.
    """
    names = sites.linear_names(network, [block])
    queries = [name for name in names if name.rpartition(".")[2] == QUERY]
    outputs = [
        name for name in names for end in OUTPUT if queries and name == f"{queries[0][: -len(QUERY)]}{end}"
    ]
    count = network.config.num_attention_heads
    size = getattr(network.config, "head_dim", None) or network.config.hidden_size // count
    if len(queries) == len(outputs) == 1:
        rows, columns = (network.get_submodule(name).weight for name in (queries[0], outputs[0]))
        if rows.shape[0] == columns.shape[1] == count * size:
            return Attention(queries[0], outputs[0], count, size)
    raise ModelError(
        f"heads: {block} has no projections {QUERY} and {' or '.join(OUTPUT)} of {count} heads of size {size}",
        "leave heads out: this family keeps its attention in another form",
    )


def checked(
    network: Any, heads: Heads, *, method: str, whole: Sequence[int], modules: Sequence[str]
) -> Heads:
    """Chosen heads with blocks counted from 0, sorted; none when none are given.

    Args:
        whole: blocks that are named beside them, which is a contradiction.

    Raises:
        ModelError: a head that the network does not have, or options that heads cannot be combined with.
    """
    if not heads:
        return ()
    if method not in ("lora", "rslora"):
        raise ModelError(
            f"heads: method {method} changes whole matrices", "use method lora or rslora with heads"
        )
    if whole:
        raise ModelError(
            "heads: given together with blocks", "name the blocks in heads alone: [[block, head], ...]"
        )
    names = sites.block_names(network)
    found = []
    for block, head in heads:
        place = attention(network, sites.chosen_blocks(network, [block])[0])
        if not 0 <= head < place.count:
            raise ModelError(
                f"heads: [{block}, {head}]: {place.count} query heads a block", "use 0 for the first"
            )
        allowed = [name.rpartition(".")[2] for name in (place.query, place.output)]
        if unknown := sorted(set(modules) - set(allowed)):
            raise ModelError(f"heads: modules {unknown} have no heads", f"allowed: {', '.join(allowed)}")
        found.append((block % len(names), head))
    return tuple(sorted(set(found)))


def blocks(heads: Heads) -> tuple[int, ...]:
    """Numbers of the blocks that the heads lie in."""
    return tuple(sorted({block for block, _ in heads}))


def places(network: Any, heads: Heads) -> dict[int, Attention]:
    """The attention of each block that the heads lie in; to be asked before an adapter's modules are put in."""
    names = sites.block_names(network)
    return {number: attention(network, names[number]) for number in blocks(heads)}


def module_names(network: Any, heads: Heads, modules: Sequence[str] = ()) -> list[str]:
    """Full names of the projections that are adapted: queries and outputs, or those whose last name is given."""
    names = [name for place in places(network, heads).values() for name in (place.query, place.output)]
    return [name for name in names if not modules or name.rpartition(".")[2] in modules]


@contextlib.contextmanager
def kept_to(network: Any, heads: Heads, at: Mapping[int, Attention]) -> Iterator[None]:
    """Keep the LoRA modules in a network to these heads while they train; no heads: no limit.

    Args:
        at: their `places`.
    """
    with contextlib.ExitStack() as stack:
        for number, place in at.items():
            mask = torch.zeros(place.count * place.size, device=network.device)
            for head in (head for block, head in heads if block == number):
                mask[head * place.size : (head + 1) * place.size] = 1
            for name, side, shaped in (
                (place.query, "lora_B", mask[:, None]),
                (place.output, "lora_A", mask),
            ):
                for module in getattr(network.get_submodule(name), side, {}).values():
                    module.weight.data.mul_(shaped)
                    stack.callback(module.weight.register_hook(lambda grad, m=shaped: grad * m).remove)
        yield
