"""The table of speeds in docs/results.md, written anew from the JSON files of the benchmarks.

python bench/results.py
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from record import OUT, gib, spread

PAGE = Path(__file__).resolve().parents[1] / "docs" / "results.md"
START, END = "<!-- speed: written by bench/results.py -->", "<!-- speed: end -->"
TITLES = {
    "lora-shared": "LoRA, inputs with all their references",
    "lora-last6": "LoRA on the last 6 blocks, 3 epochs",
    "lora-plain": "LoRA, long rows that share nothing",
}
HEAD = "| work | beside | Trimtab | peer | unit | times as fast: median (range) | repeats |"
SAMPLED = "64 prompts in 16 ways"


def main() -> int:
    """Rewrite what stands between the marks; 1 where the page has no marks."""
    page = PAGE.read_text(encoding="utf-8")
    before, start, rest = page.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        print(f"{PAGE}: the marks {START} and {END} are not both in it", file=sys.stderr)
        return 1
    PAGE.write_text("".join((before, start, "\n", text(), end, after)), encoding="utf-8")
    return 0


def text() -> str:
    """The table, then what it was measured on."""
    found = {name: _read(name) for name in (*TITLES, "sample", "growth")}
    rows, notes = [], []
    for name, title in TITLES.items():
        if result := found[name]:
            rows.append(_row(title, result["peer_name"], result, result["unit"]))
            notes.append(_training_note(title, result))
    if result := found["sample"]:
        rows += _sampling_rows(result)
        notes.append(_sampling_note(result))
    if result := found["growth"]:
        notes.append(_growth_note(result))
    if not notes:
        return "\nNothing was measured yet with these scripts: `make bench`.\n\n"
    table = [HEAD, "|---|---|---|---|---|---|---|", *rows] if rows else []
    machines = sorted({_machine(result) for result in found.values() if result})
    return "\n".join(["", *table, "", *(f"- {note}" for note in (*notes, *machines)), "", ""])


def _read(name: str) -> dict[str, Any] | None:
    path = OUT / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def _row(work: str, peer: str, found: dict[str, Any], unit: str) -> str:
    cells = (
        work,
        peer,
        f"{found['ours']:,.0f}",
        f"{found['peer']:,.0f}",
        unit,
        spread(found),
        str(found["repeats"]),
    )
    return f"| {' | '.join(cells)} |"


def _training_note(title: str, result: dict[str, Any]) -> str:
    loss, peak, probe = result["dev_loss"], result["peak_bytes"], result["probe_tokens_per_second"]
    ways = ", ".join(f"{way} {speed:,.0f}" for way, speed in probe.items())
    return (
        f"{title}: {result['samples']:,} samples, {result['tokens']:,} row tokens; loss on other rows "
        f"{loss['ours']:.4f}, the peer's {loss['peer']:.4f}; peak memory {gib(peak['ours'])}, the peer's "
        f"{gib(peak['peer'])}; with set-up "
        f"{spread(result['with_setup'])}; probe of the peer: {ways} tokens/s, "
        f"{result['probe_with_kept_memory']:,.0f} with our setting of the C library's memory."
    )


def _sampling_rows(result: dict[str, Any]) -> list[str]:
    unit = result["unit"]
    rows = [
        _row(SAMPLED, result["peer_name"], result, unit),
        _row(SAMPLED, "generate, greedy, 64 prompts", result["over_greedy"], unit),
        _row("64 prompts, greedy", "generate, greedy", result["greedy"], unit),
    ]
    if result["over_llama"]:
        rows.append(_row(SAMPLED, "llama.cpp in four bits, one by one", result["over_llama"], unit))
        rows.append(
            _row(
                "64 prompts, greedy", "llama.cpp in four bits, one by one", result["over_llama_greedy"], unit
            )
        )
    return rows


def _sampling_note(result: dict[str, Any]) -> str:
    same, peak = result["greedy_answers"], result["peak_bytes"]
    count = sum(same[kind] for kind in ("equal", "ties", "different"))
    missing = result["llama"].get("missing")
    return (
        f"{SAMPLED}: generate's best batch is {result['peer_batch_size']['top-p']} rows (greedy "
        f"{result['peer_batch_size']['greedy']}), counted over {min(result['peer_variants'])} of "
        f"{result['settings']['variants']} ways; peak memory {gib(peak['ours'])}, generate's {gib(peak['peer'])}; "
        f"of {count} greedy answers in float32 {same['equal']} are equal, {same['ties']} part at a tie, "
        f"{same['different']} differ." + (f" llama.cpp: {missing}." if missing else "")
    )


def _growth_note(result: dict[str, Any]) -> str:
    times = [point["times_the_floor"] for point in (*result["by_rows"], *result["by_length"])]
    return (
        f"Growth (`python bench/growth.py`, [growth.svg](growth.svg)): seconds grow as rows to the power "
        f"{result['exponent_of_rows']:.2f} and as the length of rows to the power {result['exponent_of_length']:.2f}, "
        f"at {min(times):.1f} to {max(times):.1f} times the floor of the machine's arithmetic."
    )


def _machine(result: dict[str, Any]) -> str:
    machine = result["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    return (
        f"Machine: {machine['name']}, {machine['cores']} cores, {machine['threads']} threads, "
        f"{machine['memory_bytes'] / 2**30:.0f} GiB, {machine['dtype']}; {versions}."
    )


if __name__ == "__main__":
    sys.exit(main())
