"""A base model from the Hub, a folder, a GGUF file, or the embedded default.

Weights are read from safetensors or GGUF only; code from a repository is never run.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trimtab.errors import MissingPart, ModelError
from trimtab.model import embedded
from trimtab.model.memory import keep_freed_memory
from trimtab.model.service import served
from trimtab.records import Message

if TYPE_CHECKING:
    from trimtab.model.trunk import Trunk


# Attribute of a parameter whose place a lent tensor has taken: the base's own tensor.
OWN = "own_before_lent"
DTYPES = ("float32", "bfloat16")


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that was chosen for the user, and why."""

    value: str
    reason: str


@dataclass
class Base:
    """A loaded base model: network, tokenizer, and where they run.

    `network` is any transformers causal model; its weights are never written to.
    """

    network: Any
    tokenizer: Any
    name: str
    dtype: Choice
    device: Choice
    threads: Choice
    # What the untouched lower blocks computed, once an adjustment above them is to be fitted.
    trunk: Trunk | None = None

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over every weight's name, shape, type and bytes: the identity of the base.

        A weight that an adjustment has lent in its place does not count: the base's own does.
        """
        import torch

        digest = hashlib.sha256()
        for name, held in sorted(self.network.state_dict(keep_vars=True).items()):
            tensor = getattr(held, OWN, held)
            digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}".encode())
            digest.update(tensor.detach().cpu().reshape(-1).contiguous().view(torch.uint8).numpy().data)
        return digest.hexdigest()

    @property
    def parameters(self) -> int:
        """Number of weights; tied ones count once."""
        return sum(p.numel() for p in self.network.parameters())

    def facts(self) -> dict[str, Any]:
        """What a run records of its model."""
        return {
            "name": self.name,
            "fingerprint": self.fingerprint,
            "parameters": self.parameters,
            "dtype": self.dtype,
            "device": self.device,
            "threads": self.threads,
        }

    def spending(self) -> dict[str, float]:
        """What its answers cost beside time: nothing, where a service has counts and a price."""
        return {}

    def stop_ids(self) -> tuple[int, ...]:
        """Token ids that end an answer: the generation settings', the tokenizer's, and the template's own."""
        named = getattr(self.network.generation_config, "eos_token_id", None)
        ids = list(named) if isinstance(named, list | tuple) else [named]
        ids.append(self.tokenizer.eos_token_id)
        return tuple(sorted({i for i in ids if i is not None}))


def prompt_ids(tokenizer: Any, messages: tuple[Message, ...] | list[Message]) -> list[int]:
    """Token ids of a conversation in the model's own chat template, up to where the answer begins.

    Raises:
        ModelError: the tokenizer has no chat template.
    """
    if not tokenizer.chat_template:
        raise ModelError(
            f"tokenizer of {tokenizer.name_or_path}: it has no chat template",
            "use an instruction-tuned model, or set tokenizer.chat_template and save it with the model",
        )
    turns = [{"role": m.role, "content": m.content} for m in messages]
    text = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def load(name: str = embedded.NAME, *, dtype: str = "auto", device: str = "auto", threads: int = 0) -> Base:
    """Load a base model in evaluation mode, without gradients.

    Args:
        name: the embedded default, a folder, a `.gguf` file, or a Hub id.
        dtype: auto, float32 or bfloat16.
        device: auto, cpu, cuda, cuda:<n> or mps.
        threads: processor threads; 0 takes OMP_NUM_THREADS, or else one for each core.

    Raises:
        ModelError: nothing readable under that name, or a service.
        MissingPart: torch or transformers are not installed.
    """
    if served(name):
        raise ModelError(
            f"model {name}: a service, which keeps its network and its tokenizer",
            f"use {embedded.NAME}, a folder, a .gguf file or a Hub id for what needs them",
        )
    torch = _torch()
    chosen_device = _device(torch, device)
    chosen_dtype = _dtype(torch, dtype, chosen_device.value)
    chosen_threads = _threads(torch, threads)
    if chosen_device.value == "cpu":
        keep_freed_memory()
    folder, options = _locate(name)
    network, tokenizer = _read(folder, options, getattr(torch, chosen_dtype.value))
    network.to(chosen_device.value).eval().requires_grad_(False)
    if (chosen_device.value, chosen_dtype.value) == ("cpu", "float32"):
        _lay_out_for_few_rows(network)
    return Base(network, tokenizer, name, chosen_dtype, chosen_device, chosen_threads)


def tokenizer(name: str = embedded.NAME) -> tuple[Any, int]:
    """The tokenizer of a model without its network, and how many tokens it was made to read; 0 where it does not say.

    Raises:
        ModelError: nothing readable under that name, or a service.
        MissingPart: torch or transformers are not installed.
    """
    if served(name):
        raise ModelError(
            f"model {name}: a service, which keeps its network and its tokenizer",
            "name a model with the same tokenizer that can be loaded here",
        )
    _torch()
    import transformers

    folder, options = _locate(name)
    found = _tokenizer(folder, options)
    try:
        with quiet():
            config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False, **options)
    except (OSError, ValueError):
        return found, 0
    return found, int(getattr(config.get_text_config(), "max_position_embeddings", None) or 0)


def wrap(network: Any, tokenizer: Any = None) -> Base:
    """A base around a transformers causal model that is already in memory.

    Raises:
        ModelError: no tokenizer was given and none lies where the model came from.
    """
    if tokenizer is None:
        tokenizer = _tokenizer(network.name_or_path, {})
    given = "as the model was given"
    dtype = str(network.dtype).removeprefix("torch.")
    return Base(
        network,
        tokenizer,
        network.name_or_path,
        Choice(dtype, given),
        Choice(str(network.device), given),
        Choice(str(_torch().get_num_threads()), given),
    )


def _lay_out_for_few_rows(network: Any) -> None:
    """Keep linear weights with their inputs as the slow axis: same values and shapes, other strides.

    A float32 product of 4 to 48 rows, as in sampling, ran 1.2 to 1.4 times as fast so; of more rows, equally fast.
    Not the head where it is tied: looking up embeddings in it would be slow.
    """
    import torch

    tied = network.get_input_embeddings().weight
    for module in network.modules():
        if isinstance(module, torch.nn.Linear) and module.weight is not tied:
            module.weight.data = module.weight.data.t().contiguous().t()


def _torch() -> Any:
    try:
        import torch
        import transformers  # noqa: F401
    except ImportError as error:
        raise MissingPart(f"local models need {error.name}", "pip install 'trimtab[local]'") from None
    return torch


def _device(torch: Any, wanted: str) -> Choice:
    if wanted != "auto":
        _check_device(torch, wanted)
        return Choice(wanted, "as asked")
    if torch.cuda.is_available():
        return Choice("cuda", f"{torch.cuda.get_device_name()} is there")
    if torch.backends.mps.is_available():
        return Choice("mps", "an Apple GPU is there")
    return Choice("cpu", "no GPU was found")


def _check_device(torch: Any, wanted: str) -> None:
    kind, _, number = wanted.partition(":")
    there = {
        "cpu": 1,
        "cuda": torch.cuda.device_count(),
        "mps": int(torch.backends.mps.is_available()),
    }
    if kind not in there or (number and not number.isdigit()):
        raise ModelError(f"device {wanted}: not known", "use auto, cpu, cuda, cuda:<number> or mps")
    if int(number or 0) >= there[kind]:
        have = ", ".join(name for name, count in there.items() if count)
        raise ModelError(
            f"device {wanted}: not there; this machine has {have}", "use auto, or a device that is there"
        )


def _dtype(torch: Any, wanted: str, device: str) -> Choice:
    if wanted not in ("auto", *DTYPES):
        raise ModelError(f"dtype {wanted}: not known", f"use auto, {' or '.join(DTYPES)}")
    if wanted != "auto":
        return Choice(wanted, "as asked")
    if device.startswith("cuda"):
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
        return (
            Choice("bfloat16", "the GPU computes it natively")
            if fast
            else Choice("float32", "the GPU has no native bfloat16")
        )
    if device == "cpu" and torch.cpu.get_capabilities().get("avx512_bf16"):
        return Choice("bfloat16", "the processor has avx512_bf16")
    return Choice("float32", "the processor has no native bfloat16, which emulated is slower than float32")


def _threads(torch: Any, wanted: int) -> Choice:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    told = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if wanted:
        count, reason = wanted, "as asked"
    elif told.isdecimal() and int(told):
        count, reason = min(int(told), cores), "OMP_NUM_THREADS says so"
    else:
        count, reason = cores, "one for each core that this process may use"
    torch.set_num_threads(count)
    return Choice(str(count), reason)


def _locate(name: str) -> tuple[str, dict[str, str]]:
    """What transformers is asked for: a folder or Hub id, and the GGUF file in it if it is one."""
    if name == embedded.NAME:
        return str(embedded.embedded_path(_unpack)), {}
    path = Path(name).expanduser()
    if path.suffix == ".gguf":
        if not path.is_file():
            raise ModelError(f"model {name}: no such file", "check the path")
        return str(path.parent), {"gguf_file": path.name}
    if path.exists() or name.startswith((".", "/", "~")):
        if not (path / "config.json").is_file():
            raise ModelError(
                f"model {name}: no config.json in that folder", "name a folder written by save_pretrained"
            )
        return str(path), {}
    return name, {}


def _read(folder: str, options: dict[str, str], dtype: Any) -> tuple[Any, Any]:
    import transformers
    from safetensors import SafetensorError

    form: dict[str, Any] = {} if options else {"use_safetensors": True}
    try:
        with quiet():
            network = transformers.AutoModelForCausalLM.from_pretrained(
                folder, dtype=dtype, trust_remote_code=False, **form, **options
            )
    except (OSError, ValueError, RuntimeError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ModelError(
            f"model {folder}: cannot be loaded: {reason}",
            f"use {embedded.NAME}, a folder with safetensors, a .gguf file, or a Hub id that you can reach",
        ) from error
    return network, _tokenizer(folder, options)


def _tokenizer(folder: str, options: dict[str, str]) -> Any:
    import transformers

    try:
        with quiet():
            tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False, **options)
    except (OSError, ValueError) as error:
        raise ModelError(
            f"tokenizer of {folder}: cannot be loaded: {str(error).splitlines()[0]}",
            "give the tokenizer beside the model",
        ) from error
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def _unpack(source: Path, folder: Path) -> None:
    """Write a GGUF file as safetensors: the state is copied into a fresh model without quantisation settings."""
    import torch
    import transformers

    network, tokenizer = _read(str(source.parent), {"gguf_file": source.name}, torch.float32)
    config = network.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    with quiet():
        fresh = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32)
        fresh.load_state_dict(network.state_dict())
        fresh.generation_config = network.generation_config
        fresh.save_pretrained(folder)
        tokenizer.save_pretrained(folder)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence transformers' progress bars and advice: progress is shown by Trimtab itself."""
    import transformers

    logger = logging.getLogger("transformers")
    level, bars = logger.level, transformers.utils.logging.is_progress_bar_enabled()
    logger.setLevel(logging.ERROR)
    transformers.utils.logging.disable_progress_bar()
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)
        if bars:
            transformers.utils.logging.enable_progress_bar()
