"""A model as a judge of two answers, held against people who judged the same ones.

    python bench/judge.py                                    the embedded model
    python bench/judge.py --model openai:NAME@URL            a service, each question paid for once

pandalm   answers of small models to instructions, judged by three people each (raters/pandalm_three_raters)
llmbar    answers of which one is right beyond doubt (judge_llmbar/natural); one label an item

Of PandaLM's items the judge sees all that are drawn, and people's votes are given for some of them only: the corrected
win rate of the second answer stands beside that of people alone, and beside what people say of all drawn items.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from record import OUT, write
from trimtab import stats
from trimtab.measure.judge import AnswerPair, Asking, judge
from trimtab.model.embedded import NAME
from trimtab.model.find import find
from trimtab.model.load import Base
from trimtab.model.local import Local
from trimtab.records import Message, Model, Side, Vote, plain
from trimtab.review.judged import Judged, judged

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
STACKS = ("first", "second")
SIDES: dict[int, Side] = {0: "tie", 1: "left", 2: "right"}
Set = tuple[list[AnswerPair], list[Vote]]


def pair(item: str, prompt: str, one: str, other: str) -> AnswerPair:
    """Two answers to a prompt of one turn."""
    return AnswerPair(item, (Message("user", prompt),), (one, other), STACKS)


def vote(item: str, rater: str, label: int) -> Vote:
    """A person's vote: 0 neither, 1 the first answer, 2 the second."""
    return Vote(item, rater, *STACKS, SIDES[label])


def pandalm(data: Path) -> Set:
    """417 pairs with three votes each."""
    with gzip.open(data / "raters" / "pandalm_three_raters.jsonl.gz", "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    pairs, votes = [], []
    for number, row in enumerate(rows):
        prompt = "\n\n".join(part for part in (row["instruction"], row["input"]) if part)
        pairs.append(pair(str(number), prompt, row["response1"], row["response2"]))
        votes += [vote(str(number), f"person {n}", row[f"annotator{n}"]) for n in (1, 2, 3)]
    return pairs, votes


def llmbar(data: Path) -> Set:
    """100 pairs with one label each."""
    with gzip.open(data / "judge_llmbar" / "natural.json.gz", "rt", encoding="utf-8") as file:
        rows = json.load(file)
    found = [pair(str(n), row["input"], row["output_1"], row["output_2"]) for n, row in enumerate(rows)]
    return found, [vote(str(n), "label", row["label"]) for n, row in enumerate(rows)]


SETS: dict[str, Callable[[Path], Set]] = {"pandalm": pandalm, "llmbar": llmbar}


def model(name: str) -> Model:
    """The judge by its name."""
    found = find(name)
    return Local(found) if isinstance(found, Base) else found


def win_rate(votes: Sequence[Vote], items: Sequence[str]) -> list[float]:
    """Mean preference of people for the second answer of each item."""
    own = {item: [v.preference(STACKS[1]) for v in votes if v.item == item] for item in items}
    return [float(np.mean(values)) for values in own.values()]


def measure(judging: Model, name: str, found: Set, count: int, asking: Asking) -> dict[str, Any]:
    """Judge `count` items drawn by a seed; of half of them people's votes are given."""
    pairs, votes = found
    order = np.random.default_rng(0).permutation(len(pairs))[:count]
    drawn = [pairs[place] for place in order]
    started = time.monotonic()
    said = judge(judging, drawn, asking)
    seconds = time.monotonic() - started
    items = [p.item for p in drawn]
    known = set(items[: len(items) // 2])

    def held(given: Sequence[Vote]) -> Judged:
        return judged(given, said.votes, stacks=STACKS, consistent=said.consistent, silent=said.silent)

    ours = [v for v in votes if v.item in items]
    part = held([v for v in ours if v.item in known])
    return {
        "set": name,
        "items": len(drawn),
        "seconds": seconds,
        "how": said.how,
        "unread": len(said.unread),
        "long": len(said.long),
        "first": said.first,
        "second": said.second,
        "all": plain(held(ours)),
        "half": plain(part),
        "people": {
            "half": plain(stats.bounded_mean(win_rate(ours, sorted(known)), (0.0, 1.0))),
            "all": plain(stats.bounded_mean(win_rate(ours, items), (0.0, 1.0))),
        },
    }


def show(row: dict[str, Any]) -> str:
    """A result as lines."""

    def told(value: dict[str, Any]) -> str:
        if value["undefined"]:
            return f"undefined ({value['undefined']})"
        return f"{value['value']:.3f} [{value['low']:.3f}, {value['high']:.3f}] n={value['n']}"

    both, half = row["all"], row["half"]
    return "\n".join(
        [
            f"{row['set']}: {row['items']} items in {row['seconds']:.0f} s, by {row['how']}, "
            f"{row['unread']} unread, {row['long']} too long",
            f"  agreement with people   {told(both['agreement'])}; alpha {told(both['alpha'])}",
            f"  one person with others  {told(both['people'])}; alpha {told(both['people_alpha'])}",
            f"  same in both orders     {told(both['consistent'])}",
            f"  the first place twice   {row['first']}, the second {row['second']}",
            f"  win rate, judge alone   {told(both['alone'])}",
            f"  people, half of items   {told(row['people']['half'])}",
            f"  corrected, half         {told(half['corrected'])} {half['corrected']['method']}",
            f"  people, all items       {told(row['people']['all'])}",
        ]
    )


def main() -> int:
    """Run the benchmark and write its JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of public data")
    parser.add_argument("--model", default=NAME, help="the judge, as a recipe names a model")
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS), help="what to judge")
    parser.add_argument("--items", type=int, default=100, help="items of each set")
    parser.add_argument("--reasons", action="store_true", help="let the judge reason before it decides")
    parser.add_argument("--json", type=Path, help="where the result goes; bench/out/judge.json otherwise")
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    judging = model(options.model)
    results = []
    for name in options.sets:
        results.append(
            measure(judging, name, SETS[name](options.data), options.items, Asking(reasons=options.reasons))
        )
        print(show(results[-1]), flush=True)
    result = {"case": "judge", "model": judging.name, "sets": results}
    write(result, options.json or OUT / "judge.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
