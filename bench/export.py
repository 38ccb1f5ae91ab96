"""Every form of export of one adapter on the embedded model: size, seconds, parity, and what damage does.

    python bench/export.py [--prompts 16] [--threads 0] [--kinds merged-f32,peft-f32,gguf-f16] [--llama BINARY]

A LoRA adapter of rank 16 on all linear layers, fitted on a few E2E rows, at strength 0.8, in a run folder whose verdict
is taken as ship. Prompts are half restaurants, half product texts, and each greedy answer has at most 48 tokens.

    largest, mean   difference of a token's log-probability to the stack's, nats, after reading the files again
    agreement       share of tokens of the stack's greedy answers at which both find the same token likeliest
    answers         share of greedy answers that are the same text
    damage          the same figures for files that were damaged on purpose, against the limits of their kind
    llama.cpp       with --llama BINARY (its llama-server): share of prompts that it turns into the same tokens, and
                    of its greedy answers that are the stack's
"""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import torch
import yaml
from gguf import GGUFReader
from safetensors.torch import load_file, save_file

import llama_server
import rows as data
from machine import choices, describe
from record import OUT, write
from trimtab import shipped
from trimtab.adjust import adapter
from trimtab.adjust.loop import Settings
from trimtab.adjust.stack import Stack
from trimtab.export import making, parity
from trimtab.export.gguf_file import NAME
from trimtab.model.load import Base, load
from trimtab.records import Estimate, Verdict
from trimtab.run import RunFolder
from trimtab.shipped import Shipped

KINDS = (
    "merged-f32",
    "merged-bf16",
    "merged-f16",
    "peft-f32",
    "gguf-f32",
    "gguf-f16",
    "gguf-bf16",
    "gguf-q8_0",
)
# Tokens of a prompt and its answer.
CONTEXT = 1024
STRENGTH = 0.8


def run_of(folder: Path, base: Base, prompts: int) -> Shipped:
    """A run folder about an adapter that was fitted now."""
    how = Settings(epochs=4, batch_size=4, learning_rate=1e-3, seed=0)
    made, _ = adapter.fit(base, data.e2e_rows(base.tokenizer, 0, 2), adapter.Shape(rank=16), how)
    stack = Stack((made.scaled(STRENGTH),))
    run = RunFolder.create(folder, "exported")
    stack.save(run.trial(stack.hash))
    nothing = Estimate(1.0, 0.5, 1.5, 0.95, 2, "t")
    run.write("verdict.json", Verdict("ship", stack.hash, nothing, (), (), None, None, 0.95, 1, False))
    sampling = {"max_new_tokens": 48, "stop": []}
    run.write_text("recipe.yaml", yaml.safe_dump({"model": base.name, "sampling": sampling}))
    run.write_rows("examples.jsonl", data.prompts(prompts))
    return shipped.of_run(run.path, base)


def figures(held: parity.Parity) -> dict[str, Any]:
    """What of a parity is kept."""
    names = ("prompts", "tokens", "tokenised", "largest", "mean", "agreement", "failures")
    return {"held": held.held, "answers": held.answers.value, **{n: getattr(held, n) for n in names}}


def exported(folder: Path, base: Base, found: Shipped, known: parity.Reference, name: str) -> dict[str, Any]:
    """One form written, read again and compared."""
    form, _, kind = name.partition("-")
    began = time.monotonic()
    making.written(folder, base, found, form, kind)  # type: ignore[arg-type]
    wrote = time.monotonic()
    held = making.compared(folder, base, form, known, parity.LIMITS[kind])  # type: ignore[arg-type,index]
    size = sum(path.stat().st_size for path in folder.iterdir())
    seconds = {"writing": wrote - began, "comparing": time.monotonic() - wrote}
    return {"form": form, "kind": kind, "mib": size / 2**20, "seconds": seconds, **figures(held)}


def flipped(tensors: dict[str, torch.Tensor]) -> None:
    """The rows of one block's keys in the reverse order."""
    name = "model.layers.15.self_attn.k_proj.weight"
    tensors[name] = tensors[name].flip(0)


def louder(tensors: dict[str, torch.Tensor]) -> None:
    """One norm a tenth larger."""
    tensors["model.layers.15.input_layernorm.weight"] *= 1.1


def dropped(tensors: dict[str, torch.Tensor]) -> None:
    """One row of one matrix lost."""
    tensors["model.layers.15.mlp.down_proj.weight"][7] = 0


DAMAGE: tuple[Callable[[dict[str, torch.Tensor]], None], ...] = (flipped, louder, dropped)


def damaged(folder: Path, base: Base, known: parity.Reference, kind: str) -> dict[str, Any]:
    """What each damage to a merged folder does, one at a time."""
    path, found = folder / "model.safetensors", {}
    whole = load_file(path)
    for change in DAMAGE:
        tensors = {name: tensor.clone() for name, tensor in whole.items()}
        change(tensors)
        save_file(tensors, path, {"format": "pt"})
        held = making.compared(folder, base, "merged", known, parity.LIMITS[kind])  # type: ignore[index]
        found[str(change.__doc__)] = figures(held)
    return found


def uninterleaved(folder: Path, base: Base, known: parity.Reference, kind: str) -> dict[str, Any]:
    """What a GGUF file does whose queries were written as transformers has them."""
    heads, reader = base.network.config.num_attention_heads, GGUFReader(folder / NAME, "r+")
    for one in reader.tensors:
        if "attn_q." in one.name:
            parts = one.data.reshape(heads, -1, 2, one.data.shape[-1])
            one.data[:] = np.ascontiguousarray(parts.swapaxes(1, 2)).reshape(one.data.shape)
    del reader
    return figures(making.compared(folder, base, "gguf", known, parity.LIMITS[kind]))  # type: ignore[index]


def by_llama(binary: str, folder: Path, base: Base, known: parity.Reference, threads: int) -> dict[str, Any]:
    """What llama.cpp itself says of a file."""
    tokenised, answers = [], []
    with (
        llama_server.serving(binary, folder / NAME, 1, CONTEXT, threads) as address,
        httpx2.Client(base_url=address, timeout=llama_server.PATIENCE) as client,
    ):
        for asked, ids, answer in zip(known.asked, known.prompts, known.answers, strict=True):
            messages = [{"role": m.role, "content": m.content} for m in asked]
            text = base.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            cut = client.post(
                "/tokenize", json={"content": text, "parse_special": True, "add_special": False}
            )
            tokenised.append(cut.raise_for_status().json()["tokens"] == list(ids))
            said = client.post(
                "/v1/chat/completions", json={"messages": messages, "max_tokens": known.tokens}
            )
            told = said.raise_for_status().json()["choices"][0]["message"]["content"]
            answers.append(told == answer)
    return {"tokenised": sum(tokenised) / len(tokenised), "answers": sum(answers) / len(answers)}


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--prompts", type=int, default=16)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--llama", default="", help="llama.cpp's llama-server")
    parser.add_argument("--kinds", default=",".join(KINDS))
    given = parser.parse_args()
    base = load(dtype="float32", threads=given.threads)
    work = Path(tempfile.mkdtemp(prefix="trimtab-export-"))
    results: dict[str, Any] = {"forms": [], "damage": {}, "llama.cpp": {}}
    try:
        found = run_of(work, base, given.prompts)
        known = making.known_of(found, base, given.prompts)
        bare = parity.reference(base, known.asked, known.tokens)
        results["moved"] = 1 - sum(a == b for a, b in zip(bare.answers, known.answers, strict=True)) / len(
            known.answers
        )
        for name in given.kinds.split(","):
            folder = work / name
            one = exported(folder, base, found, known, name)
            results["forms"].append(one)
            print(one, flush=True)
            if one["form"] == "gguf" and given.llama:
                threads = int(base.threads.value)
                results["llama.cpp"][name] = by_llama(given.llama, folder, base, known, threads)
                print(results["llama.cpp"][name], flush=True)
            if name in ("merged-f32", "merged-bf16"):
                results["damage"][name] = damaged(folder, base, known, one["kind"])
                print(results["damage"][name], flush=True)
            if name == "gguf-f32":
                results["damage"][name] = uninterleaved(folder, base, known, one["kind"])
                print(results["damage"][name], flush=True)
            shutil.rmtree(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    limits = {name: dataclasses.asdict(limit) for name, limit in parity.LIMITS.items()}
    write({**describe(choices(given.threads)), **results, "limits": limits}, OUT / "export.json")


if __name__ == "__main__":
    main()
