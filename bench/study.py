"""A study of decoding settings by Trimtab, beside the same answers from one generate call for each setting.

    python bench/study.py

The job: 30 prompts under the 40 settings of the default plan (temperature, top-k, top-p, min-p, repetition penalty),
at most 64 new tokens, on the embedded model. Trimtab answers all in one call, so that each prompt is read once, and
then judges the scores; generate answers all prompts in one batch, padded on the left, setting by setting, and judges
nothing. It does so twice: as it comes, and with our setting of the C library's memory, which anyone could set from
outside. Each arm runs in a process of its own, in turns, after a warm-up. Loading is off the clock.

    ours, peer    seconds of the whole study, and of the answers alone; the peer is generate with our memory setting
    ratio         Trimtab's answers a second over the peer's; tokens a second stand beside, because answers differ
    plain_ratio   Trimtab's answers a second over those of generate as it comes
    goal          whether our whole study took less than three minutes
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

import rows as data
import stock
from arms import run
from machine import choices, describe, synchronised
from record import OUT, gib, ratio, spread, write
from training import opened
from trimtab.measure.overlap import chrf
from trimtab.model import sampler
from trimtab.model.load import Base, prompt_ids
from trimtab.model.local import Local
from trimtab.model.memory import peak_bytes
from trimtab.probe.sensitivity.studying import Plan, planned, study
from trimtab.records import Example, Output, Question, Report, Sampling

PROMPTS, NEW_TOKENS, SETTINGS, LEVELS = 30, 64, 40, 3
LIMIT_SECONDS = 180.0
WARM_PROMPTS, WARM_TOKENS = 8, 4
ARMS: dict[str, tuple[str, dict[str, Any]]] = {
    "ours": ("study-trimtab", {}),
    "peer": ("study-generate", {"keep_memory": True}),
    "plain": ("study-generate", {}),
}


class Clocked(Local):
    """A base whose answers are timed."""

    seconds = 0.0

    def answer(self, asked: Sequence[Question], report: Report | None = None) -> list[Output]:
        """One answer for each question, in order."""
        started = synchronised(self.base.device.value)
        found = super().answer(asked, report)
        Clocked.seconds += synchronised(self.base.device.value) - started
        return found


def plan(job: dict[str, Any]) -> Plan:
    """The plan that both arms follow."""
    default = Sampling(max_new_tokens=job["new_tokens"], temperature=1.0)
    return Plan(default, settings=job["settings"], levels=job["levels"])


def prompts(job: dict[str, Any]) -> list[Example]:
    """Prompts; the text itself stands in as the reference that the metric reads."""
    return [replace(e, references=(e.messages[0].content,)) for e in data.prompts(job["prompts"])]


def trimtab(job: dict[str, Any]) -> dict[str, Any]:
    """The whole study."""
    base, examples = opened(job), prompts(job)
    sampler.sample(base, examples[:WARM_PROMPTS], Sampling(max_new_tokens=WARM_TOKENS, temperature=1.0))
    model = Clocked(base)
    started = synchronised(base.device.value)
    found = study(model, examples, [chrf()], plan(job))
    whole = synchronised(base.device.value) - started
    answers = len(examples) * len(found.design.settings)
    return {**_told(answers, found.tokens, Clocked.seconds, job), "whole_seconds": whole}


def generate(job: dict[str, Any]) -> dict[str, Any]:
    """The same answers by one call of generate for each setting; nothing is judged."""
    base, examples = stock.opened(job), prompts(job)
    _called(base, examples[:WARM_PROMPTS], Sampling(max_new_tokens=WARM_TOKENS, temperature=1.0))
    settings = planned(plan(job)).settings
    tokens, started = 0, synchronised(base.device.value)
    for number, sampling in enumerate(settings):
        torch.manual_seed(number)
        tokens += _called(base, examples, sampling)
    seconds = synchronised(base.device.value) - started
    return {**_told(len(examples) * len(settings), tokens, seconds, job), "whole_seconds": seconds}


def _told(answers: int, tokens: int, seconds: float, job: dict[str, Any]) -> dict[str, Any]:
    return {
        "answers": answers,
        "tokens": tokens,
        "seconds": seconds,
        "answers_per_second": answers / seconds,
        "tokens_per_second": tokens / seconds,
        "peak_bytes": peak_bytes(job["device"]),
    }


def _called(base: Base, examples: list[Example], sampling: Sampling) -> int:
    """All answers under one setting; tokens sampled, with those that end answers."""
    ids = [prompt_ids(base.tokenizer, example.messages) for example in examples]
    batch = base.tokenizer.pad({"input_ids": ids}, padding_side="left", return_tensors="pt")
    # What is off must be said: without it, transformers takes the 50 most likely tokens.
    drawn = {
        "do_sample": True,
        "temperature": sampling.temperature,
        "top_k": sampling.top_k,
        "top_p": sampling.top_p,
        "min_p": sampling.min_p or None,
    }
    with torch.no_grad(), stock.silent():
        found = base.network.generate(
            **batch.to(base.device.value),
            **(drawn if sampling.temperature else {"do_sample": False}),
            repetition_penalty=sampling.repetition_penalty,
            max_new_tokens=sampling.max_new_tokens,
            pad_token_id=base.tokenizer.pad_token_id,
            eos_token_id=list(base.stop_ids()),
        )
    stops, tokens = set(base.stop_ids()), 0
    for row in found[:, batch["input_ids"].shape[1] :].tolist():
        end = next((place for place, token in enumerate(row) if token in stops), None)
        tokens += len(row) if end is None else end + 1
        base.tokenizer.decode(row[:end], skip_special_tokens=True)
    return tokens


def compare(job: dict[str, Any], repeats: int) -> dict[str, Any]:
    """All arms in turn."""
    rounds: list[dict[str, Any]] = []
    for number in range(1, repeats + 1):
        rounds.append({})
        for name, (arm, own) in ARMS.items():
            rounds[-1][name] = found = run(arm, **job, **own)
            print(f"round {number}, {name}: {found['whole_seconds']:.0f} s", file=sys.stderr, flush=True)

    def each(arm: str, what: str) -> list[float]:
        return [found[arm][what] for found in rounds]

    def beside(what: str, arm: str) -> dict[str, float | int]:
        return ratio(each("ours", what), each(arm, what))

    return {
        **beside("answers_per_second", "peer"),
        "unit": "answers/s",
        "peer_name": "generate, a call for each setting",
        "tokens_ratio": beside("tokens_per_second", "peer"),
        "plain_ratio": beside("answers_per_second", "plain"),
        "whole_seconds": {arm: each(arm, "whole_seconds") for arm in ARMS},
        "peak_bytes": {arm: max(each(arm, "peak_bytes")) for arm in ARMS},
        "within_goal": max(each("ours", "whole_seconds")) < LIMIT_SECONDS,
        "rounds": rounds,
    }


def main() -> int:
    """Run the benchmark and write its JSON; 1 unless our whole study is within the goal."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="where the result goes; bench/out/study.json otherwise")
    parser.add_argument("--repeats", type=int, default=3, help="times that each arm answers")
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0: one for each core")
    parser.add_argument("--prompts", type=int, default=PROMPTS, help=argparse.SUPPRESS)
    parser.add_argument("--new-tokens", type=int, default=NEW_TOKENS, help=argparse.SUPPRESS)
    parser.add_argument("--settings", type=int, default=SETTINGS, help=argparse.SUPPRESS)
    parser.add_argument("--levels", type=int, default=LEVELS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    started = time.monotonic()
    settings = {name: getattr(options, name) for name in ("prompts", "new_tokens", "settings", "levels")}
    chosen = choices(options.threads)
    machine = describe(chosen)
    found = compare({**settings, **chosen}, options.repeats)
    result = {"case": "study", **found, "device": chosen["device"], "settings": settings, "machine": machine}
    result["minutes"] = round((time.monotonic() - started) / 60, 2)
    write(result, options.json or OUT / "study.json")
    first, peak, whole = result["rounds"][0]["ours"], result["peak_bytes"], result["whole_seconds"]
    print(f"{first['answers']} answers, {first['tokens']} tokens, {machine['dtype']} on {machine['name']}")
    print(f"whole study, s: {whole['ours']}; generate: {whole['peer']}, as it comes: {whole['plain']}")
    print(f"answers/s over generate's: {spread(result)}, as it comes: {spread(result['plain_ratio'])}")
    print(f"tokens/s over generate's: {spread(result['tokens_ratio'])}")
    print(f"peak memory {gib(peak['ours'])}, generate {gib(peak['peer'])}")
    print(f"under three minutes: {result['within_goal']}")
    return 0 if result["within_goal"] else 1


if __name__ == "__main__":
    sys.exit(main())
