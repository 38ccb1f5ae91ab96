"""A base model in a folder, run folders that shipped a stack on it, and stacks of each kind."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

from tests import projects
from tests.adjust import made as training
from tests.document import made as documents
from tests.tiny import CHATML, SPECIAL, tiny_model
from trimtab import pipeline, prepare, recipe
from trimtab.adjust import adapter, layers
from trimtab.adjust.contract import Adjustment
from trimtab.adjust.embedding import Embedding
from trimtab.adjust.embedding import Shape as Moved
from trimtab.adjust.stack import Stack
from trimtab.adjust.steering import Push, Steering
from trimtab.model.load import Base, load
from trimtab.records import plain
from trimtab.run import RunFolder

TEXTS = [f"item {number}: one of a few plain words, and another sentence" for number in range(60)]


def tokenizer() -> PreTrainedTokenizerFast:
    """Byte-level BPE with a few merges, cut as GPT-2's, with a ChatML template."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=list(SPECIAL), initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(TEXTS, trainer)
    found = PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<|im_start|>",
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        clean_up_tokenization_spaces=False,
    )
    found.chat_template = CHATML
    return found


def network(folder: Path) -> Path:
    """A tiny Llama whose answers vary, and its tokenizer, in a folder."""
    tiny_model(vocab_size=300, initializer_range=0.3).save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


@dataclass(frozen=True)
class Project:
    """A base model, and a recipe on it whose runs are made without tuning."""

    folder: Path
    base: Base

    def run(self, *adjustments: Adjustment, outcome: str = "ship") -> RunFolder:
        """A run whose verdict is about these adjustments."""
        stack = Stack(adjustments)
        path = projects.written(self.folder / stack.hash, Path(self.base.name))
        folder = pipeline.begun(prepare.prepare(recipe.load(path)), self.folder / f"runs-{stack.hash}")
        stack.save(folder.trial(stack.hash))
        folder.write("provenance.json", {"model": self.base.facts()})
        folder.write(
            "verdict.json", plain(replace(documents.verdict("ship"), stack=stack.hash, outcome=outcome))
        )
        return folder


def project(folder: Path, dtype: str = "float32") -> Project:
    """A project with its base model."""
    return Project(folder, load(str(network(folder / "network")), dtype=dtype, threads=1))


def lora(base: Base, method: Any = "lora", strength: float = 1.0) -> Adjustment:
    """An adapter on all linear modules, moved far enough to change answers."""
    how = replace(training.HOW, epochs=2, learning_rate=3e-2)
    found, _ = adapter.fit(base, training.rows(8), adapter.Shape(method, rank=4), how)
    return found.scaled(strength)


def blocks(base: Base) -> Adjustment:
    """The last block trained in full."""
    found, _ = layers.fit(base, training.rows(8), layers.Where("blocks", (-1,)), training.HOW)
    return found


def moved(base: Base, tied: Any = "input") -> Adjustment:
    """Two words moved."""
    ids = tuple(sorted(base.tokenizer("item word", add_special_tokens=False).input_ids))
    shape = Moved("nudge", ("item", "word"), ("plain",), tied=tied)
    width = base.network.config.hidden_size
    dice = torch.Generator().manual_seed(1)
    rows = 0.5 * torch.randn(len(set(ids)), width, generator=dice)
    return Embedding(rows, tuple(sorted(set(ids))), shape, base.fingerprint)


def steered(base: Base, mode: Any = "add") -> Adjustment:
    """A push at the first block."""
    way = torch.linspace(-1, 1, base.network.config.hidden_size)
    push = Push(float(2), 1.0, 0.5)
    return Steering({0: way / way.norm()}, {0: push}, mode, "mean", 8, base.fingerprint, 0.7)
