"""A network of the family Llama as one GGUF file.

Names come from the package gguf. Queries and keys are written with the two halves of each head interleaved, because
llama.cpp turns neighbouring pairs where transformers turns the halves: `LlamaModel.permute` of llama.cpp's converter
(conversion/llama.py). Vectors and norms stay in float32 in every kind, as there.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch

from trimtab.errors import ModelError
from trimtab.export import vocabulary
from trimtab.export.wanted import Kind

NAME = "model.gguf"
TYPES: dict[Kind, tuple[gguf.GGMLQuantizationType, gguf.LlamaFileType]] = {
    "f32": (gguf.GGMLQuantizationType.F32, gguf.LlamaFileType.ALL_F32),
    "f16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
    "bf16": (gguf.GGMLQuantizationType.BF16, gguf.LlamaFileType.MOSTLY_BF16),
    "q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0),
}
TURNED = {"q_proj": "num_attention_heads", "k_proj": "num_key_value_heads"}


def check(network: Any, tokenizer: Any) -> None:
    """Refuse what cannot be written so that it can be read again and compared.

    Raises:
        ModelError: another family than Llama, another rotation, biases, or a tokenizer that llama.cpp does not know.
    """
    config = network.config
    if config.model_type != "llama":
        raise ModelError(
            f"form=gguf: networks of the family llama are known, received {config.model_type}",
            "export form=merged, and convert it with llama.cpp's convert_hf_to_gguf.py",
        )
    rotation = (getattr(config, "rope_parameters", None) or {}).get("rope_type", "default")
    biased = [name for name, _ in network.named_parameters() if name.endswith(".bias")]
    if rotation != "default" or biased:
        what = f"rotation {rotation!r}" if rotation != "default" else f"biases such as {biased[0]}"
        raise ModelError(
            f"form=gguf: {what}: transformers does not read it from GGUF, so that it could not be compared",
            "export form=merged, and convert it with llama.cpp's convert_hf_to_gguf.py",
        )
    vocabulary.cut(vocabulary.definition(tokenizer))


def write(path: Path, network: Any, tokenizer: Any, kind: Kind, name: str) -> None:
    """Write a network with its tokenizer.

    Args:
        network: on the processor, in float32.
        name: as the file calls the model.

    Raises:
        ModelError: it is of another form than `check` takes.
    """
    check(network, tokenizer)
    config, (kept, file_type) = network.config, TYPES[kind]
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[gguf.MODEL_ARCH.LLAMA])
    try:
        writer.add_name(name)
        writer.add_file_type(file_type)
        writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
        _describe(writer, config)
        vocabulary.write(writer, tokenizer, config.vocab_size)
        names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, config.num_hidden_layers)
        for own, tensor in _tensors(network):
            called = names.get_name(own, try_suffixes=(".weight",))
            if called is None:
                raise ModelError(f"form=gguf: tensor {own} has no name in GGUF", "export form=merged")
            data, form = _as_kept(called, turned(own, tensor, config).numpy(), kept)
            writer.add_tensor(called, data, raw_dtype=form)
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
    finally:
        writer.close()


def turned(name: str, tensor: torch.Tensor, config: Any) -> torch.Tensor:
    """Queries and keys (heads * d, hidden), a head's second half interleaved with its first; others as they are."""
    module = name.rpartition(".")[0].rpartition(".")[2]
    if module not in TURNED:
        return tensor
    heads = getattr(config, TURNED[module])
    parts = tensor.reshape(heads, 2, tensor.shape[0] // heads // 2, *tensor.shape[1:])
    return parts.swapaxes(1, 2).reshape(tensor.shape).contiguous()


def _tensors(network: Any) -> list[tuple[str, torch.Tensor]]:
    """Every weight once, by name; a head that is the embedding matrix itself is left out, as readers expect it."""
    tied = bool(network.config.tie_word_embeddings)
    found = {name: held.data for name, held in network.named_parameters()}
    return [(name, one.float()) for name, one in found.items() if not (tied and name == "lm_head.weight")]


def _as_kept(
    name: str, data: np.ndarray, kept: gguf.GGMLQuantizationType
) -> tuple[np.ndarray, gguf.GGMLQuantizationType]:
    """A tensor in its kind of number; vectors in float32, rows that are no whole blocks in float16."""
    form = kept
    if data.ndim == 1:
        form = gguf.GGMLQuantizationType.F32
    elif data.shape[-1] % gguf.GGML_QUANT_SIZES[kept][0]:
        form = gguf.GGMLQuantizationType.F16
    return gguf.quants.quantize(data, form), form


def _describe(writer: gguf.GGUFWriter, config: Any) -> None:
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(width)
    writer.add_value_length(width)
    writer.add_rope_dimension_count(width)
    writer.add_rope_freq_base(_base_frequency(config))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)


def _base_frequency(config: Any) -> float:
    rotation = getattr(config, "rope_parameters", None) or {}
    found = rotation.get("rope_theta") or getattr(config, "rope_theta", None)
    return float(found or 10000.0)
