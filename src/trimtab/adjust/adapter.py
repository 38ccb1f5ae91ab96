"""Adapters through PEFT: LoRA and its relatives on chosen blocks and modules.

    LoRA      W + (alpha / r) B A        Hu et al. 2021, eq. 3; r (in + out) values a module
    rsLoRA    W + (alpha / sqrt(r)) B A  Kalajdzievski 2023
    DoRA      m (W + BA) / ||W + BA||    Liu et al. 2024, eq. 5; out values more a module
    IA3       W diag(l)                  Liu et al. 2022, section 3.3; one value for each output (or input)

Trained on top of the frozen base, saved in PEFT's own form, attached as merged weights: what is measured is what
would be served, at the base's own speed. LoRA may be kept to chosen attention heads: only the rows of the query
projection, and the columns of the output projection, that are theirs. Not for a base so large that a second copy of
its linear weights does not fit in memory.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import json
import re
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch

from trimtab.adjust import headed, weights
from trimtab.adjust.contract import Adjustment, Description, Hook, Setting, training_settings
from trimtab.adjust.fitting import keep, train_followed
from trimtab.adjust.loop import ALONE, Settings, Training
from trimtab.adjust.lowrank import fused
from trimtab.adjust.regularisers import Beside
from trimtab.model import sites
from trimtab.model.hooks import Change, LowRankPart
from trimtab.model.load import Base
from trimtab.model.mixed import Changes
from trimtab.records import Report, TokenRow, content_hash
from trimtab.run import read_json, write_atomic, write_json

Method = Literal["lora", "dora", "rslora", "ia3"]
BLOCK = re.compile(r"\.(\d+)\.")
# Where and with what the adapter was made: no part of what it is.
CIRCUMSTANCES = ("base_model_name_or_path", "peft_version")
# Tokens enough to see which modules read the same input.
FEW = 4


@dataclass(frozen=True, slots=True)
class Shape:
    """Which adapter, and where; `heads` are pairs of a block's number and a query head's, from 0."""

    method: Method = "lora"
    rank: int = 16
    alpha: float | None = None
    dropout: float = 0.0
    modules: tuple[str, ...] = ()
    blocks: tuple[int, ...] = ()
    heads: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Adapter(Adjustment):
    """A trained adapter: PEFT's configuration and weights, and the base that they belong to."""

    kind: ClassVar[str] = "adapter"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"network"})
    config: dict[str, Any]
    tensors: dict[str, torch.Tensor]
    base: str
    training: Settings
    strength: float = 1.0
    heads: tuple[tuple[int, int], ...] = ()

    @functools.cached_property
    def hash(self) -> str:
        """Identity by content."""
        config = {key: value for key, value in self.config.items() if key not in CIRCUMSTANCES}
        return content_hash([self.kind, config, weights.digest(self.tensors), self.base, self.strength])

    def scaled(self, factor: float) -> Adapter:
        """The same adapter with its difference to the base `factor` times as large."""
        return dataclasses.replace(self, strength=self.strength * factor)

    @contextlib.contextmanager
    def attach(self, base: Base) -> Iterator[None]:
        """Lend the network weights with the adapter merged in.

        Raises:
            ModelError: the adapter was trained on another base.
        """
        weights.check_base(base.fingerprint, self.base, "adapter")
        if self.strength == 0:
            yield
            return
        with weights.lent(base.network, self._merged(base)):
            yield

    def changes(self, base: Base) -> Changes:
        """The low-rank part of each module's output; of DoRA and IA3 the whole output, with the merged weights.

        Raises:
            ModelError: the adapter was trained on another base.
        """
        weights.check_base(base.fingerprint, self.base, "adapter")
        if self.strength == 0:
            return {}
        if _method(self.config) in ("dora", "ia3"):
            return weights.changes(base.network, self._merged(base))
        found: dict[str, tuple[Change, ...]] = {}
        with _injected(base.network, self.config) as model:
            _set_state(model, self.tensors)
            for name, layer in _adapted(base.network):
                (key,) = layer.lora_A
                scale = self.strength * layer.scaling[key]
                down, up = layer.lora_A[key].weight.detach(), layer.lora_B[key].weight.detach()
                # As wide as the network: the sum is rounded to that, and bfloat16 takes a third of the time.
                dtype = layer.get_base_layer().weight.dtype
                parts = (one.T.to(dtype).contiguous() for one in (down, scale * up))
                found[name] = (LowRankPart(*parts),)
        return found

    def _merged(self, base: Base) -> dict[str, torch.Tensor]:
        merged: dict[str, torch.Tensor] = {}
        with _injected(base.network, self.config) as model:
            _set_state(model, self.tensors)
            for name, module in _adapted(base.network):
                values = dict(module.get_base_layer().named_parameters(recurse=False))
                before = {key: value.data for key, value in values.items()}
                for key, value in values.items():
                    value.data = before[key].clone()
                module.merge()
                for key, value in values.items():
                    own, full = before[key], value.data
                    value.data = own
                    merged[f"{name}.{key}"] = (
                        full if self.strength == 1 else own + self.strength * (full - own)
                    )
                module.merged_adapters.clear()
        return merged

    def save(self, folder: Path) -> None:
        """Write `adapter_config.json` and `adapter_model.safetensors`, which stock PEFT loads, and our own record."""
        folder.mkdir(parents=True, exist_ok=True)
        weights.write(folder / "adapter_model.safetensors", self.tensors, {"format": "pt"})
        write_json(
            folder / "adapter.json",
            {
                "base": self.base,
                "strength": self.strength,
                "alpha": self.config.get("lora_alpha"),
                "heads": self.heads,
                "training": dataclasses.asdict(self.training),
            },
        )
        text = json.dumps(self._for_peft(), indent=1, sort_keys=True)
        write_atomic(folder / "adapter_config.json", text)

    def _for_peft(self) -> dict[str, Any]:
        """The configuration with the strength in LoRA's alpha; DoRA and IA3 have no such dial, and load at 1."""
        if "lora_alpha" not in self.config or self.config.get("use_dora"):
            return self.config
        return self.config | {"lora_alpha": self.config["lora_alpha"] * self.strength}

    @classmethod
    def load(cls, folder: Path) -> Adapter:
        """Read what `save` wrote."""
        tensors, _ = weights.read(folder / "adapter_model.safetensors")
        record = read_json(folder / "adapter.json")
        config = read_json(folder / "adapter_config.json")
        if record["alpha"] is not None:
            config["lora_alpha"] = record["alpha"]
        heads = tuple((block, head) for block, head in record.get("heads", ()))
        training = Settings(**record["training"])
        return cls(config, tensors, record["base"], training, record["strength"], heads)

    def describe(self) -> Description:
        """Method, size, place and training of the adapter."""
        settings = {
            "method": Setting(_method(self.config)),
            "modules": Setting(sorted({name.rpartition(".")[2] for name in self.config["target_modules"]})),
            "blocks": Setting(
                sorted({int(n) for name in self.tensors for n in BLOCK.findall(name)[:1]}), "numbers from 0"
            ),
            **training_settings(self.training),
        }
        if self.heads:
            settings["heads"] = Setting([f"{block}.{head}" for block, head in self.heads], "block.head")
        if "r" in self.config:
            settings |= {
                "rank": Setting(self.config["r"], "dimensions"),
                "alpha": Setting(self.config["lora_alpha"], "over the rank: factor on the update"),
                "dropout": Setting(self.config["lora_dropout"], "share of inputs"),
            }
        count = sum(t.numel() for t in self.tensors.values())
        size = sum(t.numel() * t.element_size() for t in self.tensors.values())
        return Description(self.kind, self.strength, settings, count, size)


def fit(
    base: Base,
    rows: Sequence[TokenRow],
    shape: Shape,
    settings: Settings,
    *,
    beside: Beside = ALONE,
    held_out: Sequence[TokenRow] = (),
    folder: Path | None = None,
    report: Report | None = None,
) -> tuple[Adapter, Training]:
    """Train an adapter on rows; the network is left as it was found.

    Args:
        beside: twins and replayed rows, where the settings ask for them.
        held_out: rows whose loss (nats a token) is followed, and decides when to stop early.
        folder: where an interrupted training is kept and found again.

    Raises:
        ModelError: blocks, modules or heads that the network does not have.
    """
    heads = _heads(base.network, shape)
    at = headed.places(base.network, heads)
    config = _peft_config(base.network, shape)
    before = base.fingerprint
    beside = keep(base, first_block(base.network, shape), rows, beside)
    few = torch.from_numpy(rows[0].ids[:FEW])[None].to(base.network.device)
    with (
        _injected(base.network, config, seed=settings.seed) as model,
        fused(model, few),
        headed.kept_to(base.network, heads, at),
    ):
        parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
        beside = dataclasses.replace(beside, bare=functools.partial(_off, model))
        training = train_followed(
            base, parameters, rows, settings, beside=beside, held_out=held_out, folder=folder, report=report
        )
        tensors, config = _state(model)
    return Adapter(config, tensors, before, settings, heads=heads), training


def first_block(network: Any, shape: Shape) -> int:
    """Number of the lowest block that an adapter of this shape changes."""
    return sites.first_of(network, shape.blocks or headed.blocks(_heads(network, shape)))


def size(network: Any, shape: Shape) -> int:
    """Number of values that an adapter of this shape trains, at most (IA3 chooses among the modules)."""
    names = _module_names(network, shape)
    shapes: list[tuple[int, int]] = [tuple(network.get_submodule(name).weight.shape) for name in names]
    if shape.method == "ia3":
        return sum(max(sides) for sides in shapes)
    magnitudes = sum(out for out, _ in shapes) if shape.method == "dora" else 0
    return magnitudes + sum(shape.rank * sum(sides) for sides in shapes)


def _heads(network: Any, shape: Shape) -> headed.Heads:
    return headed.checked(
        network, shape.heads, method=shape.method, whole=shape.blocks, modules=shape.modules
    )


def _module_names(network: Any, shape: Shape) -> list[str]:
    """Full names of the modules that are adapted."""
    if shape.heads:
        return headed.module_names(network, _heads(network, shape), shape.modules)
    return sites.linear_names(network, sites.chosen_blocks(network, shape.blocks), shape.modules)


def _peft_config(network: Any, shape: Shape) -> dict[str, Any]:
    from peft import IA3Config, LoraConfig

    names = _module_names(network, shape)
    # GPT-2's own linear modules hold their weights the other way round.
    turned = any(type(network.get_submodule(name)).__name__ == "Conv1D" for name in names)
    if shape.method == "ia3":
        names, fed = _ia3_names(network, names, bool(shape.modules))
        ia3 = IA3Config(
            target_modules=names, feedforward_modules=fed, fan_in_fan_out=turned, task_type="CAUSAL_LM"
        )
        return _jsonable(ia3)
    short = sorted({name.rpartition(".")[2] for name in names})
    return _jsonable(
        LoraConfig(
            r=shape.rank,
            lora_alpha=shape.alpha if shape.alpha is not None else 2 * shape.rank,
            lora_dropout=shape.dropout,
            target_modules=names if shape.blocks or shape.heads else short,
            use_dora=shape.method == "dora",
            use_rslora=shape.method == "rslora",
            fan_in_fan_out=turned,
            task_type="CAUSAL_LM",
        )
    )


def _ia3_names(network: Any, names: list[str], named: bool) -> tuple[list[str], list[str]]:
    """The modules that IA3 scales in this family, all of them if it is unknown, and which are scaled at the input."""
    from peft.utils import constants

    family = network.config.model_type
    usual = constants.TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING.get(family, ())
    fed = constants.TRANSFORMERS_MODELS_TO_IA3_FEEDFORWARD_MODULES_MAPPING.get(family, ())
    if usual and not named:
        names = [name for name in names if name.endswith(tuple(f".{end}" for end in usual))]
    return names, [name for name in names if name.endswith(tuple(f".{end}" for end in fed))]


def _jsonable(config: Any) -> dict[str, Any]:
    """PEFT's own JSON form of a configuration, sets sorted so that it is the same every time."""
    with tempfile.TemporaryDirectory() as folder:
        config.save_pretrained(folder)
        content = json.loads((Path(folder) / "adapter_config.json").read_text(encoding="utf-8"))
    return {
        key: sorted(value) if key in ("target_modules", "feedforward_modules") else value
        for key, value in content.items()
    }


def _method(config: dict[str, Any]) -> str:
    if config["peft_type"] == "IA3":
        return "ia3"
    return "dora" if config["use_dora"] else "rslora" if config["use_rslora"] else "lora"


def _adapted(network: Any) -> list[tuple[str, Any]]:
    """The modules that carry an adapter, with their full names."""
    from peft.tuners.tuners_utils import BaseTunerLayer

    return [(name, module) for name, module in network.named_modules() if isinstance(module, BaseTunerLayer)]


@contextlib.contextmanager
def _off(model: Any) -> Iterator[None]:
    """The network as without its adapter's modules."""
    layers = [module for _, module in _adapted(model)]
    try:
        for layer in layers:
            layer.enable_adapters(False)
        yield
    finally:
        for layer in layers:
            layer.enable_adapters(True)


@contextlib.contextmanager
def _injected(network: Any, config: dict[str, Any], *, seed: int = 0) -> Iterator[Any]:
    """The network with an adapter's modules in place of its linear ones; afterwards its own modules stand again."""
    from peft import PeftConfig, get_peft_model

    wants = {name: p.requires_grad for name, p in network.named_parameters()}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "adapter_config.json").write_text(json.dumps(config), encoding="utf-8")
        peft_config = PeftConfig.from_pretrained(folder)
    peft_config.inference_mode = False
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        torch.manual_seed(seed)
        model = get_peft_model(network, peft_config)
    try:
        yield model
    finally:
        model.unload()
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(wants[name])
        if hasattr(network, "peft_config"):
            del network.peft_config


def _state(model: Any) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    from peft import get_peft_model_state_dict

    tensors = {name: t.detach().cpu().clone() for name, t in get_peft_model_state_dict(model).items()}
    config = model.peft_config["default"]
    config.inference_mode = True
    return tensors, _jsonable(config)


def _set_state(model: Any, tensors: dict[str, torch.Tensor]) -> None:
    from peft import set_peft_model_state_dict

    set_peft_model_state_dict(model, dict(tensors))
