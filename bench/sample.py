"""Speed of Trimtab's sampler beside transformers' generate and llama.cpp, on the same prompts.

    python bench/sample.py

The job: 64 different prompts (inputs of the E2E dev set and product texts of the demo, each with its instruction), each
in 16 ways to decode (4 temperatures by 4 values of top_p), at most 64 new tokens, in the dtype that `load` chooses.
Trimtab does it in one call at its own batch size. generate goes way by way, at the best of several batch sizes found by
a probe, until a minute and a half is over. Trimtab and generate take turns, each round in a process of its own after a
warm-up; reading the prompts is on the clock. Tokens are the sampled ones with those that end answers.

    ratio           Trimtab's tokens a second for the whole job over generate's with top-p
    over_greedy     the same over generate's, greedy, for 64 prompts
    greedy          greedy against greedy, 64 prompts
    over_llama      whole job over llama.cpp's, one by one, on the model's four-bit file, where it is installed

Exits with 1 unless the greedy answers of Trimtab and generate are equal in float32; only a tie may differ.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

import llama_peer
import rows as data
from arms import run
from machine import choices, describe
from record import OUT, gib, ratio, spread, write
from sampling import TEMPERATURES, TOP_PS, variants
from trimtab.model.load import load, prompt_ids

BATCH_SIZES = (16, 32, 64, 128)
PROMPTS, NEW_TOKENS, LIMIT = 64, 64, 90.0


def compare(job: dict[str, Any], repeats: int) -> dict[str, Any]:
    """Both arms in turn, generate at its best sizes."""
    speeds = run("probe-generate", **job, batch_sizes=BATCH_SIZES)
    sizes = {way: int(max(found, key=lambda size: found[size])) for way, found in speeds.items()}
    job = {**job, "sizes": sizes}
    rounds = []
    for number in range(1, repeats + 1):
        rounds.append({"ours": run("sample-trimtab", **job), "peer": run("sample-generate", **job)})
        told = [f"{rounds[-1][arm]['top-p']['tokens_per_second']:.0f}" for arm in ("ours", "peer")]
        print(f"round {number}: {told[0]} and {told[1]} tokens/s", file=sys.stderr)

    def speed(arm: str, way: str) -> list[float]:
        return [found[arm][way]["tokens_per_second"] for found in rounds]

    peaks = {arm: max(found[arm]["peak_bytes"] for found in rounds) for arm in ("ours", "peer")}
    return {
        **ratio(speed("ours", "top-p"), speed("peer", "top-p")),
        "unit": "sampled tokens/s",
        "peer_name": "generate, top-p",
        "over_greedy": ratio(speed("ours", "top-p"), speed("peer", "greedy")),
        "greedy": ratio(speed("ours", "greedy"), speed("peer", "greedy")),
        "peer_variants": [found["peer"]["top-p"]["variants"] for found in rounds],
        "peer_batch_size": sizes,
        "probe_tokens_per_second": speeds,
        "peak_bytes": {**peaks, "ours_is_below": peaks["ours"] < peaks["peer"]},
        "greedy_answers": run("greedy-check", **job),
        "rounds": rounds,
    }


def beside_llama(job: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """llama.cpp once, after the rounds, and the ratios to it."""
    tokenizer = load().tokenizer
    prompts = [prompt_ids(tokenizer, example.messages) for example in data.prompts(job["prompts"])]
    ways = [(way.temperature, way.top_p) for way in variants(job)]
    peer = llama_peer.measure(prompts, ways, job)
    if "missing" in peer:
        return {"llama": peer, "over_llama": None}
    return {
        "llama": peer,
        "over_llama": _over(found["rounds"], "top-p", peer["top-p"]["tokens_per_second"]),
        "over_llama_greedy": _over(found["rounds"], "greedy", peer["greedy"]["tokens_per_second"]),
    }


def _over(rounds: list[dict[str, Any]], way: str, peer: float) -> dict[str, float | int]:
    ours = [found["ours"][way]["tokens_per_second"] for found in rounds]
    return ratio(ours, [peer] * len(ours))


def show(result: dict[str, Any]) -> None:
    """Print the table."""
    first = result["rounds"][0]["ours"]["top-p"]
    print(f"{first['answers']} answers, {first['tokens']} tokens, {result['machine']['dtype']} on "
          f"{result['machine']['name']}; generate's variants: {result['peer_variants']} of "
          f"{result['settings']['variants']}, its batch sizes: {result['peer_batch_size']}")  # fmt: skip
    print(f"{'Trimtab':22}{'peer':22}{'tokens/s':>10}{'peer':>8}   ratio")
    rows = [
        ("all ways", result["peer_name"], result),
        ("all ways", "generate, greedy", result["over_greedy"]),
        ("greedy", "generate, greedy", result["greedy"]),
        ("all ways", "llama.cpp, one by one", result["over_llama"]),
        ("greedy", "llama.cpp, one by one", result.get("over_llama_greedy")),
    ]
    for ours, peer, found in rows:
        if found:
            print(f"{ours:22}{peer:22}{found['ours']:10.0f}{found['peer']:8.0f}   {spread(found)}")
    if result["over_llama"] is None:
        print(result["llama"]["missing"])
    peak, same = result["peak_bytes"], result["greedy_answers"]
    print(f"peak memory {gib(peak['ours'])}, generate {gib(peak['peer'])}; greedy answers in float32: {same['equal']} "
          f"equal, {same['ties']} part at a tie, {same['different']} differ")  # fmt: skip


def main() -> int:
    """Run the benchmark and write its JSON; 1 unless the greedy answers are equal."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="where the result goes; bench/out/sample.json otherwise")
    parser.add_argument("--repeats", type=int, default=3, help="times that each arm answers")
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0: one for each core")
    parser.add_argument("--prompts", type=int, default=PROMPTS, help=argparse.SUPPRESS)
    parser.add_argument("--new-tokens", type=int, default=NEW_TOKENS, help=argparse.SUPPRESS)
    parser.add_argument(
        "--variants", type=int, default=len(TEMPERATURES) * len(TOP_PS), help=argparse.SUPPRESS
    )
    parser.add_argument("--limit", type=float, default=LIMIT, help=argparse.SUPPRESS)
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    started = time.monotonic()
    settings = {name: getattr(options, name) for name in ("prompts", "new_tokens", "variants", "limit")}
    chosen = choices(options.threads)
    machine = describe(chosen)
    job = {**settings, **chosen}
    found = compare(job, options.repeats)
    result = {
        "case": "sample",
        **found,
        **beside_llama(job, found),
        "device": chosen["device"],
        "settings": settings,
        "machine": machine,
        "minutes": round((time.monotonic() - started) / 60, 2),
    }
    write(result, options.json or OUT / "sample.json")
    show(result)
    return 1 if result["greedy_answers"]["different"] else 0


if __name__ == "__main__":
    sys.exit(main())
