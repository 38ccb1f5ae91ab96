"""The network with a stack in its weights: a copy of its own, nothing of the base is written.

An adapter and layers are lent to the network, and their weights are read there as they were measured. A moved embedding
is added to the matrix; where the head is that matrix and does not move, the two are parted. Steering adds one constant
to what leaves a block, whose last product is what its feed-forward part adds: so the constant is a bias of it.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator, Sequence
from typing import Any

import torch
import transformers

from trimtab.adjust.contract import Adjustment
from trimtab.adjust.embedding import Embedding, is_tied
from trimtab.adjust.steering import Steering
from trimtab.errors import ModelError
from trimtab.model import sites
from trimtab.model.load import Base, quiet

# Where families keep the last product of a block's feed-forward part.
LAST = ("mlp.down_proj", "mlp.c_proj", "mlp.dense_4h_to_h", "mlp.fc2")
BIAS = "mlp_bias"


@contextlib.contextmanager
def attached(base: Base, inside: Sequence[Adjustment]) -> Iterator[None]:
    """The base's network with adjustments on it, in their order, for as long as the context lasts."""
    with contextlib.ExitStack() as applied:
        for one in inside:
            applied.enter_context(one.attach(base))
        yield


def merged(base: Base, inside: Sequence[Adjustment], dtype: torch.dtype) -> Any:
    """A fresh network on the processor with the adjustments in its weights, rounded to `dtype` at the very end.

    Raises:
        ModelError: steering, and the blocks of this family have no place for a bias.
    """
    with attached(base, inside):
        state = {name: tensor.detach().cpu().clone() for name, tensor in base.network.state_dict().items()}
    config = copy.deepcopy(base.network.config)
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    config.dtype = dtype
    for one in inside:
        if isinstance(one, Embedding):
            _move(base.network, one, state, config)
        elif isinstance(one, Steering):
            _push(base.network, one, state, config)
    with quiet():
        network = transformers.AutoModelForCausalLM.from_config(config, dtype=dtype)
    network.load_state_dict({name: tensor.to(dtype) for name, tensor in state.items()})
    network.generation_config = copy.deepcopy(base.network.generation_config)
    return network.eval().requires_grad_(False)


def _move(network: Any, one: Embedding, state: dict[str, torch.Tensor], config: Any) -> None:
    """Add the moved rows; one that is tied and moves as a whole has been lent already."""
    tied = is_tied(network)
    if tied and one.shape.tied == "both":
        return
    name = f"{sites.module_name(network, network.get_input_embeddings())}.weight"
    if tied:
        config.tie_word_embeddings = False
    at = torch.tensor(one.ids)
    whole = state[name].clone()
    whole[at] = (whole[at].float() + one.strength * one.rows).to(whole.dtype)
    state[name] = whole


def _push(network: Any, one: Steering, state: dict[str, torch.Tensor], config: Any) -> None:
    """Put the constant of each steered block into the bias of its last product, made where there is none."""
    names = sites.block_names(network)
    ends = {name: _last(network, block) for block, name in enumerate(names)}
    if any(f"{end}.bias" not in state for end in ends.values()):
        _make_room(network, names, state, config)
    for block, direction in one.directions.items():
        push, name = one.pushes[block], f"{ends[names[block]]}.bias"
        constant = one.strength * push.amount * push.norm * direction
        state[name] = (state[name].float() + constant).to(state[name].dtype)


def _last(network: Any, block: int) -> str:
    name = sites.block_names(network)[block]
    found = [f"{name}.{end}" for end in LAST if _has(network, f"{name}.{end}")]
    if not found:
        raise _no_room(network)
    return found[0]


def _make_room(network: Any, names: Sequence[str], state: dict[str, torch.Tensor], config: Any) -> None:
    """Let the family's feed-forward parts have biases, all of them 0, where its configuration knows that."""
    if getattr(config, BIAS, None) is not False:
        raise _no_room(network)
    setattr(config, BIAS, True)
    for block in names:
        for part, module in network.get_submodule(f"{block}.mlp").named_modules():
            if isinstance(module, torch.nn.Linear):
                width = module.out_features
                state[f"{block}.mlp.{part}.bias"] = torch.zeros(width, dtype=module.weight.dtype)


def _has(network: Any, name: str) -> bool:
    try:
        network.get_submodule(name)
    except AttributeError:
        return False
    return True


def _no_room(network: Any) -> ModelError:
    return ModelError(
        f"steering adds a constant to a block, and the blocks of {type(network).__name__} have no bias for it",
        "use trimtab serve; adapters, layers and embeddings can be exported",
    )
