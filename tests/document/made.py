"""Run folders with realistic content, written through RunFolder as a run writes them."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from trimtab.records import (
    NAN,
    Comparison,
    Estimate,
    Example,
    GuardResult,
    Message,
    Output,
    Score,
    Verdict,
    plain,
)
from trimtab.run import RunFolder

STACK = "5f0c1d9e7ab24c63"
OTHER = "91b27e04d8f3a5c6"
LEVEL = 0.965
INSTRUCTION = "Rewrite the product text as a neutral, factual description. Keep every fact."

GAIN = Estimate(31.238467, 28.931256, 33.572914, LEVEL, 74, "hull of bootstrap-t and t")
SELECT_GAIN = Estimate(32.804215, 29.117302, 36.445871, 0.95, 49, "bootstrap-t")
BETTER = Comparison(GAIN, 3.1e-19, "better", None, 3.1762, 2.0, 31.184205, 62.422672)

KINDS = (
    "ship",
    "breached",
    "small",
    "inconclusive",
    "open guard",
    "explored",
    "no look",
    "review",
    "undefined",
)


def guard(outcome: str, *, by_construction: bool = False) -> GuardResult:
    """A guard on general English (nats per token, where lower is better) that came out like this."""
    value, low, high = {
        "held": (-0.012413, -0.021704, -0.003182),
        "breached": (-0.142871, -0.171526, -0.114933),
        "inconclusive": (-0.043118, -0.068206, -0.018449),
    }[outcome]
    need = 311 if outcome == "inconclusive" else None
    estimate = Estimate(value, low, high, LEVEL, 128, "hull of bootstrap-t and t")
    comparison = Comparison(estimate, 2.4e-05, outcome, need, 0.0141, -0.05, -3.104217, -3.104217 + value)  # type: ignore[arg-type]
    return GuardResult("general-english", "nll", 0.05, comparison, by_construction)


def facts_guard() -> GuardResult:
    """A guard on the target's own answers, held with room to spare."""
    estimate = Estimate(0.021739, -0.018421, 0.061934, LEVEL, 74, "t")
    return GuardResult(
        "facts-kept",
        "coverage",
        0.05,
        Comparison(estimate, 0.0006, "held", None, 0.0291, -0.05, 0.861342, 0.883081),
    )


def refusal_guard() -> GuardResult:
    """A guard of right-or-wrong items, of which one changed."""
    estimate = Estimate(-0.007812, -0.043217, 0.016944, LEVEL, 128, "hull of Tango and Bonett-Price")
    return GuardResult(
        "refusals",
        "refusal",
        0.05,
        Comparison(estimate, 0.0112, "held", None, 0.0377, -0.05, 0.71875, 0.710938),
    )


def verdict(kind: str) -> Verdict:
    """A verdict of one kind: those that `test_report.KINDS` names."""
    guards = (guard("held"), facts_guard(), refusal_guard())
    ship = Verdict(
        "ship",
        STACK,
        GAIN,
        guards,
        ("target better: the interval lies above 2", "all guards held"),
        None,
        BETTER,
        LEVEL,
        1,
        False,
    )
    small = Estimate(0.713402, -0.182914, 1.609718, LEVEL, 74, "hull of bootstrap-t and t")
    unsure = Estimate(3.104882, 0.617331, 5.592433, LEVEL, 74, "hull of bootstrap-t and t")
    nothing = Estimate(NAN, NAN, NAN, LEVEL, 1, "none", "1 items; an interval needs at least 2")
    if kind == "breached":
        return replace(
            ship,
            outcome="hold",
            guards=(guard("breached"), *guards[1:]),
            reasons=("general-english breached",),
        )
    if kind == "small":
        target = Comparison(small, 0.9962, "too small", None, 1.2209, 2.0, 31.184205, 31.897607)
        return replace(ship, outcome="hold", difference=small, target=target, reasons=("target too small",))
    if kind == "inconclusive":
        target = Comparison(unsure, 0.1741, "inconclusive", 286, 3.4021, 2.0, 31.184205, 34.289087)
        return replace(
            ship,
            outcome="inconclusive",
            difference=unsure,
            target=target,
            need_n=286,
            reasons=("target inconclusive",),
        )
    if kind == "open guard":
        return replace(
            ship, outcome="inconclusive", guards=(guard("inconclusive"), guards[1]), need_n=311, look=2
        )
    if kind == "explored":
        seen = Comparison(SELECT_GAIN, 1e-12, "better", None, 3.9, 2.0, 30.911824, 63.716039)
        last = "explored: the confirm part was not opened, so nothing is proven"
        return Verdict(
            "inconclusive", STACK, SELECT_GAIN, guards[:2], ("target better", last), None, seen, 0.95, 0, True
        )
    if kind == "no look":
        little = Estimate(0.914127, -1.204418, 3.032672, 0.95, 49, "bootstrap-t")
        seen = Comparison(little, 0.8431, "inconclusive", 1420, 2.7, 2.0, 30.911824, 31.825951)
        last = "no look at the confirm part was taken: not better on select"
        return Verdict(
            "inconclusive",
            STACK,
            little,
            guards[:1],
            ("target: not decided", last),
            None,
            seen,
            0.95,
            0,
            False,
        )
    if kind == "review":
        waiting = (*ship.reasons, "human review is required and has not taken place")
        return replace(ship, outcome="inconclusive", reasons=waiting)
    if kind == "undefined":
        target = Comparison(nothing, NAN, "undefined", None, NAN, 2.0)
        return replace(
            ship,
            outcome="inconclusive",
            difference=nothing,
            target=target,
            guards=(),
            reasons=("the target is undefined",),
        )
    return ship


def examples(count: int) -> list[Example]:
    """Items of select, from the demo's products."""
    lines = files("trimtab").joinpath("demo/products.jsonl").read_text(encoding="utf-8").split("\n")
    rows = [json.loads(line) for line in lines[: count * 5 : 5] if line]
    return [
        Example(
            (Message("system", INSTRUCTION), Message("user", row["promotional"])),
            (row["neutral"],),
            row["id"],
        )
        for row in rows
    ]


def trial(items: list[Example], stack: str, seeds: int) -> tuple[list[Output], list[Score]]:
    """Answers and scores: the base model echoes its prompt, the tuned one comes near the reference."""
    rng = np.random.default_rng(len(stack))
    outputs, scores = [], []
    for number, item in enumerate(items):
        for seed in range(seeds):
            tuned = stack != "base" and number % 9 != 4
            source = item.references[0] if tuned else item.prompt
            cut = (
                source.rfind(" ", 0, int(len(source) * (0.82 if number % 5 == 2 else 1.01)))
                if number % 5 == 2
                else None
            )
            text = source[:cut] if tuned else f"Here is the {source[: int(len(source) * 0.7)]}"
            outputs.append(Output(item.id, seed, text))
            scores.append(Score(item.id, "chrf", seed, float(rng.normal(64 if tuned else 31, 7))))
    return outputs, scores


def training(steps: int) -> list[dict[str, Any]]:
    """A loss curve that falls and levels off; select is measured ten times."""
    rng = np.random.default_rng(7)
    return [
        {
            "step": step,
            "loss": 0.92 + 1.6 * math.exp(-step / (steps / 5)) + float(rng.normal(0, 0.09)),
            "learning_rate": 5e-4 * (1 - (step - 1) / steps),
            "tokens": step * 1184,
            "seconds": step * 1.93,
            "select_loss": 1.04 + 1.4 * math.exp(-step / (steps / 5))
            if step % max(1, steps // 8) == 0
            else None,
        }
        for step in range(1, steps + 1)
    ]


def ladder(kind: str) -> dict[str, Any]:
    """One rung with two candidates, the first chosen."""
    weaker = Estimate(27.140318, 23.604417, 30.676219, 0.95, 49, "bootstrap-t")
    entries = []
    for stack, name, gain in (
        (STACK, "lora rank 16, all blocks, learning rate 0.0005", SELECT_GAIN),
        (OTHER, "lora rank 8, all blocks, learning rate 0.0002", weaker),
    ):
        score = Estimate(30.911824 + gain.value, 58.2211, 67.1124, 0.95, 49, "t")
        entries.append(
            {
                "stack": stack,
                "name": name,
                "select": replace(score, low=NAN, high=NAN, method="mean"),
                "chosen": stack == STACK,
                "comparison": Comparison(gain, 1e-12, "better", None, 3.9, 2.0, 30.911824, score.value),
                "cost": {
                    "seconds": 154.31 if stack == STACK else 148.02,
                    "tokens": 94720,
                    "peak_bytes": 1893400576,
                },
            }
        )
    rung = {
        "rung": "adapter",
        "weight": 1.0,
        "alpha": 0.0175,
        "level": LEVEL,
        "candidates": entries,
        "outcome": {
            "explored": "passed",
            "small": "too small",
            "breached": "guard breached",
            "ship": "passed",
        }.get(kind, "undecided"),
        "looked": kind not in ("explored", "no look"),
        "minutes": 3.9,
        "difference": verdict(kind).difference,
        "guards": verdict(kind).guards,
    }
    return {"base": {"select": Estimate(30.911824, 28.4017, 33.4219, 0.95, 49, "t")}, "rungs": [rung]}


def climbed() -> dict[str, Any]:
    """Three rungs: the first undecided after a look, the second never tried, the third ships."""
    content = ladder("ship")
    unsure = Estimate(3.104882, -0.617331, 5.592433, 0.9959, 74, "t")
    tried = {
        **content["rungs"][0],
        "rung": "prompt",
        "outcome": "undecided",
        "difference": unsure,
        "minutes": 2.3,
    }
    skipped = {
        **tried,
        "rung": "steering",
        "outcome": "skipped: budget",
        "looked": False,
        "candidates": [],
        "difference": None,
        "guards": (),
        "minutes": 5.2,
    }
    return content | {"rungs": [tried, skipped, *content["rungs"]]}


def raced() -> dict[str, Any]:
    """A rung of three candidates: the second was dropped, the third stayed to the end without being chosen."""
    content = ladder("ship")
    rung = content["rungs"][0]
    first, second = rung["candidates"]
    behind = Estimate(11.2, 3.1, 19.3, 0.975, 12, "bootstrap-t")
    third = {**second, "stack": "9f2ac01d", "name": "lora rank 4, all blocks", "dropped": None}
    second["dropped"] = {
        "look": 1,
        "items": 12,
        "of": 49,
        "leader": STACK,
        "comparison": Comparison(behind, 1e-4, "better", None, 9.0, 0.0, 46.0, 57.2),
    }
    first["dropped"] = None
    rung["candidates"] = [first, second, third]
    rung["race"] = {
        "looks": [12, 49],
        "alpha": 0.05,
        "reason": "",
        "rounds": [{"level": 0.975, "racing": [3, 2]}],
        "items_scored": 110,
        "items_saved": 37,
        "tokens_spent": 9120,
        "tokens_saved": 3080,
        "estimated": "tokens of answers",
    }
    return content


def provenance() -> dict[str, Any]:
    """What a run on two cores records."""
    return {
        "trimtab": "0.1.0",
        "python": "3.11.2",
        "platform": "Linux-6.1.0-x86_64-with-glibc2.36",
        "processor": "AMD EPYC 7B13",
        "cores": 2,
        "packages": {"torch": "2.13.0", "transformers": "5.2.0", "peft": "0.19.1", "numpy": "2.4.1"},
        "started": "2026-03-14T09:12:44Z",
        "finished": "2026-03-14T09:19:31Z",
        "model": {
            "name": "smollm2-135m-instruct",
            "fingerprint": "c8d1f0a2b7e94d35",
            "parameters": 134515008,
            "dtype": {"value": "bfloat16", "reason": "the processor computes it natively"},
            "device": {"value": "cpu", "reason": "no accelerator was found"},
            "threads": {"value": 2, "reason": "one for each core"},
        },
        "data": {
            "source": "products.jsonl",
            "hash": "0f7c2be19d5a8e64",
            "rows": 246,
            "parts": {"tune": 123, "select": 49, "confirm": 74},
        },
        "seed": 0,
        "peak_bytes": 1893400576,
        "command": "trimtab tune recipe.yaml",
        "costs": {
            "load": 4.21,
            "base_on_select": 48.7,
            "training": 302.33,
            "candidates_on_select": 31.05,
            "confirm": 20.94,
        },
        "goal": {
            "metric": "chrf",
            "unit": "points, 0 to 100",
            "direction": "higher",
            "min_gain": 2.0,
            "question": "How much of the references' spelling does the answer reproduce?",
            "limits": "Rewards shared letters, not shared meaning; a wrong number costs a few characters.",
        },
        "guards": [
            {
                "suite": "general-english",
                "metric": "nll",
                "unit": "nats per token",
                "direction": "lower",
                "question": "How surprised is the model by ordinary English?",
                "limits": "Says nothing of what the model writes itself.",
            },
            {
                "suite": "facts-kept",
                "metric": "coverage",
                "unit": "share of facts",
                "direction": "higher",
                "question": "Are the numbers, units and named terms of the input still in the answer?",
                "limits": "A fact attached to the wrong thing counts as kept; a synonym counts as lost.",
            },
        ],
    }


def plan() -> dict[str, Any]:
    """What was planned for it."""
    power = [
        {
            "name": "chrf",
            "role": "target",
            "n": 74,
            "threshold": 2.0,
            "expected": 6.0,
            "sd": 11.2,
            "detectable": 3.9,
            "power": 0.871,
            "need_n": 62,
            "assumed": "standard deviation of the base model's scores on select",
        },
        {
            "name": "general-english nll",
            "role": "guard",
            "n": 128,
            "threshold": -0.05,
            "expected": 0.0,
            "sd": 0.09,
            "detectable": 0.024,
            "power": 0.998,
            "need_n": 31,
            "assumed": "usual spread of small adapters",
        },
    ]
    return {
        "parts": {"tune": 123, "select": 49, "confirm": 74},
        "power": power,
        "joint_power": 0.869,
        "minutes": 7.5,
        "memory_bytes": 2100000000,
        "notes": [],
        "problems": [],
    }


def certificate() -> dict[str, Any]:
    """Totals of the mask certificate, and a row."""
    row = {
        "example": "bicycle-001",
        "tokens": 171,
        "supervised": 58,
        "first": "The",
        "last": "<|im_end|>",
        "stop": True,
        "lost": 0,
    }
    return {
        "rows": [row] * 123,
        "data": "0f7c2be19d5a8e64",
        "tokenizer": "a44d10c93be67f21",
        "template": "7be20f915cd8a316",
        "tokens": 20913,
        "supervised": 7034,
        "lost": 12,
        "truncated": 1,
        "stop_tokens": {"<|im_end|>": 122},
    }


def stack() -> dict[str, Any]:
    """The adjustment's own description."""
    settings = {
        "method": {"value": "lora", "unit": ""},
        "rank": {"value": 16, "unit": "dimensions"},
        "learning_rate": {"value": 0.0005, "unit": "per update"},
    }
    return {
        "stack": STACK,
        "adjustments": [
            {
                "kind": "adapter",
                "strength": 1.0,
                "settings": settings,
                "parameters": 4884480,
                "bytes": 19539968,
            }
        ],
    }


def folder(
    root: Path, kind: str = "ship", *, items: list[Example] | None = None, seeds: int = 1, steps: int = 80
) -> RunFolder:
    """A whole run folder of this kind of verdict."""
    made = RunFolder.create(root, STACK)
    items = examples(24) if items is None else items
    made.write_text(
        "recipe.yaml",
        "model: smollm2-135m-instruct\ngoal: {metric: chrf, min_gain: 2.0}\ndata: {split: {confirm: 0.3}}\n",
    )
    made.write("verdict.json", verdict(kind))
    made.write("ladder.json", ladder(kind))
    made.write("plan.json", plan())
    made.write("provenance.json", provenance())
    made.write("certificate.json", certificate())
    made.write_rows("examples.jsonl", items)
    for name in ("base", STACK):
        made.write_trial(name, *trial(items, name, seeds))
    made.write(f"trials/{STACK}/stack.json", stack())
    made.write_rows(f"trials/{STACK}/training.jsonl", training(steps))
    return made


def numbers(content: Any) -> set[float]:
    """Every number anywhere in records or their JSON."""
    content = plain(content)
    if isinstance(content, dict):
        return set().union(*(numbers(value) for value in content.values()))
    if isinstance(content, list):
        return set().union(*(numbers(value) for value in content))
    return {float(content)} if isinstance(content, int | float) and not isinstance(content, bool) else set()
