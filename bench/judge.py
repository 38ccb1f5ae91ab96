"""A model as a judge of two answers, held against people who judged the same ones.

    python bench/judge.py                                    the embedded model
    python bench/judge.py --model openai:NAME@URL            a service, each question paid for once

pandalm   answers of small models to instructions, judged by three people each (raters/pandalm_three_raters)
llmbar    answers of which one is right beyond doubt (judge_llmbar/natural); one label an item

The judge sees all items that are drawn, and people's votes are given for half of them: the corrected win rate of the
second answer stands beside that of people alone, and beside what people say of all. First one of PandaLM's three people
takes the place of the judge, to see what one as good as a person is worth.
"""

from __future__ import annotations

import argparse
import dataclasses
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
from trimtab.records import Estimate, Message, Model, Side, Vote, plain
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
    """Judge `count` items drawn by a seed."""
    pairs, votes = found
    order = np.random.default_rng(0).permutation(len(pairs))[:count]
    drawn = [pairs[place] for place in order]
    started = time.monotonic()
    said = judge(judging, drawn, asking)
    seconds = time.monotonic() - started
    ours = [v for v in votes if v.item in {p.item for p in drawn}]
    more = {"unread": len(said.unread), "long": len(said.long), "first": said.first, "second": said.second}
    return {
        "set": name,
        "seconds": seconds,
        "how": said.how,
        **more,
        **held(ours, said.votes, said.consistent, said.silent, part=0.5),
    }


def person(found: Set) -> dict[str, Any]:
    """The first of the three people in the place of a judge of all items, the other two for a quarter of them."""
    _, votes = found
    told = [dataclasses.replace(v, machine=True) for v in votes if v.rater == "person 1"]
    others = [v for v in votes if v.rater != "person 1"]
    return {"set": "pandalm", "how": "person 1", **held(others, told, stats.wilson(0, 0), (), part=0.25)}


def held(
    people: Sequence[Vote], told: Sequence[Vote], consistent: Estimate, silent: Sequence[str], *, part: float
) -> dict[str, Any]:
    """A judge against people's votes on all items, and on a part of them drawn by a seed."""
    items = list(dict.fromkeys(v.item for v in people))
    order = np.random.default_rng(1).permutation(len(items))[: round(part * len(items))]
    known = [items[place] for place in order]

    def against(given: Sequence[Vote]) -> Judged:
        return judged(given, told, stacks=STACKS, consistent=consistent, silent=silent)

    return {
        "items": len(items),
        "all": plain(against(people)),
        "part": plain(against([v for v in people if v.item in known])),
        "people": {
            "part": plain(stats.bounded_mean(win_rate(people, known), (0.0, 1.0))),
            "all": plain(stats.bounded_mean(win_rate(people, items), (0.0, 1.0))),
        },
    }


def show(row: dict[str, Any]) -> str:
    """A result as lines."""

    def told(value: dict[str, Any]) -> str:
        if value["undefined"]:
            return f"undefined ({value['undefined']})"
        return f"{value['value']:.3f} [{value['low']:.3f}, {value['high']:.3f}] n={value['n']}"

    both, part, people = row["all"], row["part"], row["people"]
    lines = [
        f"{row['set']}: {row['items']} items, by {row['how']}",
        f"  agreement with people   {told(both['agreement'])}; alpha {told(both['alpha'])}",
        f"  one person with others  {told(both['people'])}; alpha {told(both['people_alpha'])}",
        f"  win rate, judge alone   {told(both['alone'])}",
        f"  people, part of items   {told(people['part'])}",
        f"  corrected, part         {told(part['corrected'])} {part['corrected']['method']}",
        f"  people, all items       {told(people['all'])}",
    ]
    if "seconds" in row:
        lines += [
            f"  same in both orders     {told(both['consistent'])}",
            f"  the first place twice   {row['first']}, the second {row['second']}; {row['unread']} unread, "
            f"{row['long']} too long, {row['seconds']:.0f} s",
        ]
    return "\n".join(lines)


def main() -> int:
    """Run the benchmark and write its JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="folder of public data")
    parser.add_argument("--model", default=NAME, help="the judge, as a recipe names a model")
    parser.add_argument("--sets", nargs="*", default=list(SETS), choices=list(SETS), help="what to judge")
    parser.add_argument("--items", type=int, default=50, help="items of each set")
    parser.add_argument("--reasons", action="store_true", help="let the judge reason before it decides")
    parser.add_argument("--json", type=Path, help="where the result goes; bench/out/judge.json otherwise")
    options = parser.parse_args()
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    judging = model(options.model)
    results = [person(pandalm(options.data))]
    print(show(results[0]), flush=True)
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
