"""The ladder on real public data: every rung's effect with its interval, guards, cost, verdict, and ten samples.

    python bench/ladders.py --task paradetox|hotel|onestop|medquad|medquad-both|all [--rows 400]

Rude to neutral, FAQ to an agent's voice, advanced to elementary English, and medical questions by retrieval, by an
adapter, and by both. What each is made of stands in bench/tasks.py. Writes bench/out/ladders/TASK.json and
TASK-samples.md; the run itself, with its report, lies in bench/out/ladders/TASK/runs.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import trimtab
from record import OUT
from tasks import TASKS, write
from trimtab.cli.progress import live

SAMPLES = 10


def climb(name: str, rows: int) -> dict[str, Any]:
    """Run a task's ladder and collect what the record says."""
    folder = OUT / "ladders" / name
    started = time.monotonic()
    with live(as_json=False, wanted=True) as report:
        run = trimtab.tune(write(name, folder, rows), root=folder / "runs", report=report)
    samples(run, folder.parent / f"{name}-samples.md")
    verdict = run.folder.read("verdict.json")
    rungs = run.folder.read("ladder.json")["rungs"]
    return {
        "task": name,
        "minutes": round((time.monotonic() - started) / 60, 1),
        "verdict": {
            key: verdict[key] for key in ("outcome", "rung", "stack", "reasons", "need_n", "difference")
        },
        "guards": verdict["guards"],
        "rungs": [
            {
                key: rung[key]
                for key in ("rung", "outcome", "difference", "guards", "looked", "alpha", "minutes")
            }
            for rung in rungs
        ],
        "costs": run.folder.read("provenance.json")["costs"],
    }


def samples(run: Any, path: Path) -> None:
    """Ten prompts of select with the base's answer and that of the stack that was judged."""
    asked = {row["id"]: row["messages"][-1]["content"] for row in run.folder.rows("examples.jsonl")}
    answers = {
        stack: {row["example"]: row["text"] for row in run.folder.rows(f"trials/{stack}/outputs.jsonl")}
        for stack in ("base", run.verdict.stack)
    }
    parts = []
    for item in [item for item in asked if item in answers[run.verdict.stack]][:SAMPLES]:
        parts += [f"**{asked[item]}**", "", f"- base: {answers['base'].get(item, '')}"]
        parts += [f"- {run.verdict.stack}: {answers[run.verdict.stack][item]}", ""]
    path.write_text("\n".join(parts), encoding="utf-8")


def said(value: dict[str, Any] | None) -> str:
    """An estimate as the table shows it."""
    if not value or value.get("value") is None:
        return "-"
    return f"{value['value']:+.3g} [{value['low']:+.3g}, {value['high']:+.3g}] n {value['n']}"


def table(result: dict[str, Any]) -> list[str]:
    """The climb as docs/results.md has it."""
    verdict = result["verdict"]
    lines = [f"{result['task']}: {verdict['outcome']} at {verdict['rung']}, {result['minutes']} minutes", ""]
    lines += ["| rung | came out | gain over the base model | guards | minutes |", "|---|---|---|---|---|"]
    for rung in result["rungs"]:
        guards = [guard["comparison"]["outcome"] for guard in rung["guards"]]
        held = f"{guards.count('held')} of {len(guards)} held"
        where = "confirm" if rung["looked"] else "select"
        gain = f"{said(rung['difference'])} of {where}"
        lines.append(f"| {rung['rung']} | {rung['outcome']} | {gain} | {held} | {rung['minutes']:.1f} |")
    lines += ["", "| guard | difference | margin | came out |", "|---|---|---|---|"]
    for guard in result["guards"]:
        name, found = f"{guard['suite']}, {guard['metric']}", guard["comparison"]
        lines.append(f"| {name} | {said(found['difference'])} | {guard['margin']} | {found['outcome']} |")
    return [*lines, "", *(f"- {reason}" for reason in verdict["reasons"])]


def main() -> None:
    """Run the tasks asked for, one after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--task", choices=[*TASKS, "all"], default="all")
    parser.add_argument("--rows", type=int, default=0, help="rows taken, the task's own number for 0")
    options = parser.parse_args()
    for name in TASKS if options.task == "all" else [options.task]:
        result = climb(name, options.rows)
        (OUT / "ladders" / f"{name}.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
        print("\n".join(table(result)))


if __name__ == "__main__":
    main()
