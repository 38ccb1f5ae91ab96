"""Speed of Trimtab's sampler beside transformers' generate, on the same prompts, each at its best batch size.

    HF_HUB_OFFLINE=1 python bench/sample.py

Prompts: inputs of the E2E dev set and product texts of the demo, each with its own instruction, all different. The
embedded model in float32, the same number of new tokens, greedy and top-p. generate is handed the prompts sorted by
length, as Trimtab sorts them, so that it pads no more. Tokens are the sampled ones with the one that ends an answer;
what generate computes for rows that have ended does not count. Trimtab also keeps the log-probability of each token.

Exits with 1 unless the greedy answers of both are equal, at every batch size. Only a tie may differ: where the answers
part, the model's own log-probabilities of the two tokens, read without any batch, lie within 0.001 of each other.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import itertools
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import torch

from e2e import DATA, inputs
from trimtab.model.load import Base, load, prompt_ids, quiet
from trimtab.model.sampler import sample
from trimtab.records import Example, Message, Sampling

OUT = Path(__file__).resolve().parent / "out"
SIZES = (16, 32, 64)
TIE = 1e-3
DESCRIBE = "Describe the restaurant in one or two sentences, from these facts."
REWRITE = "Rewrite this product text factually and neutrally. Keep every fact."
VERSIONS = ("torch", "transformers")
WAYS = {
    "greedy": Sampling(temperature=0.0),
    "top-p": Sampling(temperature=0.8, top_p=0.9),
}


@dataclass(frozen=True)
class Answers:
    """Answers in the order of the prompts, tokens sampled in all, and seconds."""

    texts: list[str]
    tokens: int
    seconds: float

    @property
    def seconds_a_token(self) -> float:
        """Seconds for each sampled token."""
        return self.seconds / self.tokens


def load_examples(count: int) -> list[Example]:
    """`count` prompts, half from each source; an instruction stands before its text with an empty line between."""
    restaurants = [
        facts for facts, _ in itertools.islice(inputs(DATA / "lora_valid.txt.gz"), count - count // 2)
    ]
    demo = resources.files("trimtab").joinpath("demo", "products.jsonl").read_text(encoding="utf-8")
    products = [json.loads(line)["promotional"] for line in demo.splitlines()[: count // 2]]
    prompts = [(DESCRIBE, text) for text in restaurants] + [(REWRITE, text) for text in products]
    return [Example((Message("user", "\n\n".join(pair)),), id=str(n)) for n, pair in enumerate(prompts)]


def answer_trimtab(base: Base, examples: Sequence[Example], sampling: Sampling, rows: int) -> Answers:
    """All answers by Trimtab."""
    started = time.monotonic()
    outputs = sample(base, examples, sampling, rows=rows)
    seconds = time.monotonic() - started
    return Answers([o.text for o in outputs], sum(len(o.logprobs) for o in outputs), seconds)


def stock(threads: int) -> Base:
    """The same model with its weights laid out as transformers leaves them."""
    base = load(dtype="float32", threads=threads)
    for parameter in base.network.parameters():
        parameter.data = parameter.data.contiguous()
    return base


def answer_generate(base: Base, examples: Sequence[Example], sampling: Sampling, rows: int) -> Answers:
    """All answers by transformers, in batches of prompts of like length, padded on the left."""
    started = time.monotonic()
    prompts = [prompt_ids(base.tokenizer, example.messages) for example in examples]
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    stops = set(base.stop_ids())
    texts, tokens = [""] * len(prompts), 0
    torch.manual_seed(0)
    for start in range(0, len(order), rows):
        numbers = order[start : start + rows]
        batch = base.tokenizer.pad(
            {"input_ids": [prompts[i] for i in numbers]}, padding_side="left", return_tensors="pt"
        )
        with torch.no_grad():
            found = base.network.generate(**batch.to(base.network.device), **_options(base, sampling))
        for number, row in zip(numbers, found[:, batch["input_ids"].shape[1] :].tolist(), strict=True):
            end = next((place for place, token in enumerate(row) if token in stops), None)
            tokens += len(row) if end is None else end + 1
            texts[number] = base.tokenizer.decode(row[:end], skip_special_tokens=True)
    return Answers(texts, tokens, time.monotonic() - started)


def _options(base: Base, sampling: Sampling) -> dict[str, Any]:
    common = {"max_new_tokens": sampling.max_new_tokens, "pad_token_id": base.tokenizer.pad_token_id,
              "eos_token_id": list(base.stop_ids()), "repetition_penalty": 1.0}  # fmt: skip
    if not sampling.temperature:
        return {**common, "do_sample": False}
    return {
        **common,
        "do_sample": True,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": 0,
    }


ARMS = {"trimtab": answer_trimtab, "generate": answer_generate}
Bases = dict[str, Base]


def measure(bases: Bases, examples: Sequence[Example], sampling: Sampling, rounds: int) -> dict[str, Any]:
    """Both arms in turn: once at each batch size, then at each one's best; the median at the best counts."""
    seen: dict[str, dict[int, list[Answers]]] = {name: {} for name in ARMS}
    for size, (name, answer) in itertools.product(SIZES, ARMS.items()):
        seen[name][size] = [answer(bases[name], examples, sampling, size)]
    best = {name: min(SIZES, key=lambda size: sizes[size][0].seconds_a_token) for name, sizes in seen.items()}
    for _, (name, answer) in itertools.product(range(rounds - 1), ARMS.items()):
        seen[name][best[name]].append(answer(bases[name], examples, sampling, best[name]))
    arms: dict[str, Any] = {}
    for name, sizes in seen.items():
        speeds = {
            size: 1 / statistics.median(a.seconds_a_token for a in found) for size, found in sizes.items()
        }
        arms[name] = {"best_batch_size": best[name], "tokens_per_second": speeds[best[name]], "by_batch_size": speeds,
                      "tokens": sizes[best[name]][0].tokens}  # fmt: skip
    ratio = arms["trimtab"]["tokens_per_second"] / arms["generate"]["tokens_per_second"]
    result: dict[str, Any] = {"arms": arms, "trimtab_is_faster_by": ratio}
    if not sampling.temperature:
        result |= equality(bases["generate"], examples, seen)
    return result


def equality(
    base: Base, examples: Sequence[Example], seen: dict[str, dict[int, list[Answers]]]
) -> dict[str, Any]:
    """How many pairs of greedy answers are equal, part at a tie, or differ."""
    counts = {"equal": 0, "ties": 0, "different": 0}
    gaps: list[float] = []
    for size in SIZES:
        texts = [seen[name][size][0].texts for name in ARMS]
        for example, ours, theirs in zip(examples, *texts, strict=True):
            if ours == theirs:
                counts["equal"] += 1
                continue
            gaps.append(tie_gap(base, example, ours, theirs))
            counts["ties" if gaps[-1] <= TIE else "different"] += 1
    return {**counts, "gaps": gaps}


@torch.no_grad()
def tie_gap(base: Base, example: Example, ours: str, theirs: str) -> float:
    """Difference (nats) of the log-probabilities of the first two tokens in which two answers differ.

    An answer that ended there has the token that ends a turn in that place.
    """
    prompt = prompt_ids(base.tokenizer, example.messages)
    first, second = ([*base.tokenizer(t, add_special_tokens=False)["input_ids"], base.tokenizer.eos_token_id]
                     for t in (ours, theirs))  # fmt: skip
    place = next(i for i, pair in enumerate(zip(first, second, strict=False)) if pair[0] != pair[1])
    ids = torch.tensor([prompt + first[:place]], device=base.network.device)
    logprobs = (
        base.network(input_ids=ids, use_cache=False, logits_to_keep=1).logits[0, -1].float().log_softmax(-1)
    )
    return abs(float(logprobs[first[place]] - logprobs[second[place]]))


def show(way: str, result: dict[str, Any]) -> None:
    """Print the rows of one way to sample."""
    for name, arm in result["arms"].items():
        sizes = "".join(f"{speed:9.0f}" for speed in arm["by_batch_size"].values())
        ratio = "" if name == "trimtab" else f"{result['trimtab_is_faster_by']:.2f} x"
        print(f"{way:8}{name:10}{arm['tokens_per_second']:10.0f}{arm['best_batch_size']:6}{sizes}{ratio:>13}")


def main() -> int:
    """Run the benchmark and write bench/out/sample.json."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--prompts", type=int, default=64, help="half from each source")
    parser.add_argument("--new-tokens", type=int, default=64, help="longest answer")
    parser.add_argument(
        "--rounds", type=int, default=2, help="times that each arm answers at its best batch size"
    )
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0: one for each core")
    options = parser.parse_args()
    started = time.monotonic()
    base = load(dtype="float32", threads=options.threads)
    bases = {"trimtab": base, "generate": stock(options.threads)}
    examples = load_examples(options.prompts)
    report: dict[str, Any] = {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "threads": int(base.threads.value),
        "load_before": os.getloadavg()[0],
        "versions": {name: importlib.metadata.version(name) for name in VERSIONS},
        "settings": vars(options),
    }
    warm = Sampling(max_new_tokens=2)
    print(f"{len(examples)} prompts, up to {options.new_tokens} new tokens; tokens/s")
    print(
        f"{'':18}{'tokens/s':>10}{'best':>6}"
        + "".join(f"{f'by {s}':>9}" for s in SIZES)
        + f"{'Trimtab is':>13}"
    )
    with quiet():
        for name, answer in ARMS.items():
            answer(bases[name], examples[:8], warm, 8)
        for way, sampling in WAYS.items():
            sampling = dataclasses.replace(sampling, max_new_tokens=options.new_tokens)
            report[way] = measure(bases, examples, sampling, options.rounds)
            show(way, report[way])
    report |= {"load_after": os.getloadavg()[0], "minutes": round((time.monotonic() - started) / 60, 2)}
    OUT.mkdir(exist_ok=True)
    (OUT / "sample.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    greedy = report["greedy"]
    print(f"greedy answers: {greedy['equal']} equal, {greedy['ties']} part at a tie, {greedy['different']} differ; "
          f"{report['minutes']} minutes")  # fmt: skip
    return 1 if greedy["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
