"""A whole round on the demo's data: tune, people judge, the next round learns from them, people judge again.

    python bench/rounds.py --out rounds.json     about half an hour on one core

The first run has 180 of the demo's 270 rows and one rung, an adapter; the other rows come in before the next round. The
people are simulated: three raters prefer the answer that is more like the reference by chrF, say tie within two points,
and choose at random one time in ten; on select they write the reference where both answers lie below 60 points, without
its last sentence one time in five, and flag answers with an exclamation mark. Everything else is real: the store of
judgements, both reviews, the start of the round, the ledger of looks, both verdicts. Corrections that are the data's own
references can teach little; what is shown is that a round holds together, and what it charges.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import yaml

import record
import trimtab
from trimtab import concluding, reviewing, rounds
from trimtab.document import summary
from trimtab.language.text import sentences
from trimtab.measure.overlap import chrf
from trimtab.pipeline import Run
from trimtab.records import NAN, Example, Message
from trimtab.review import assigning, judging, people
from trimtab.review.sampling import Purpose
from trimtab.review.store import Store
from trimtab.reviewing import Wanted
from trimtab.starter import demo_recipe

FIRST, SHOWN = 180, 30
RATERS = ("first", "second", "third")
TIE, LOW, RANDOM, SHORTER = 2.0, 60.0, 0.1, 0.2


class Rater:
    """Somebody who knows the reference of each prompt, more or less."""

    def __init__(self, name: str, references: dict[str, str]) -> None:
        self.name, self.references = name, references
        self.rng = random.Random(name)

    def score(self, prompt: str, text: str) -> float:
        """Likeness of an answer to the reference, 0 to 100."""
        metric = chrf()
        example = Example((Message("user", prompt),), (self.references[prompt],), id="one")
        return metric.score(example, text) if metric.score else NAN

    def judgement(self, shown: assigning.Shown, key: str, *, writes: bool) -> judging.Answer:
        """What they say of a pair."""
        prompt = shown.messages[-1].content
        left, right = (self.score(prompt, text) for text in (shown.left, shown.right))
        side: Literal["left", "right", "tie"] = "tie"
        if abs(left - right) > TIE:
            side = "left" if left > right else "right"
        if shown.kind == "task" and self.rng.random() < RANDOM:
            side = self.rng.choice(("left", "right", "tie"))
        written = ""
        flags: dict[str, list[judging.Flag]] = {}
        if writes and shown.kind == "task":
            written = self.correction(prompt) if max(left, right) < LOW else ""
            sides = {"left": shown.left, "right": shown.right}
            flags = {name: ["harmful"] for name, text in sides.items() if "!" in text}
        return judging.Answer(shown.task, key, side, correction=written, flags=flags, seconds=5.0)

    def correction(self, prompt: str) -> str:
        """The reference, at times without its last sentence."""
        whole = sentences(self.references[prompt])
        short = self.rng.random() < SHORTER and len(whole) > 1
        return " ".join(whole[:-1] if short else whole)


def judged(run: Run, purpose: Purpose, references: dict[str, str]) -> concluding.Standing:
    """Have everybody judge a review of a run, and end it."""
    store = Store.open(reviewing.address(run.folder.path))
    try:
        begun = reviewing.begin(run.folder.path, store, Wanted(purpose))
        for name in RATERS:
            entered = people.enter(store, people.invite(store, name, "rater"))
            if entered is None:
                raise SystemExit("an invitation did not work")
            rater = Rater(f"{run.folder.path.name} {purpose} {name}", references)
            for number, shown in enumerate(_shown(store, begun.id, entered[1].id)):
                key = f"{name}-{purpose}-{number:05}"
                answer = rater.judgement(shown, key, writes=purpose == "learning")
                judging.judge(store, entered[1].id, answer)
        return concluding.conclude(run.folder.path, store, purpose)
    finally:
        store.close()


def _shown(store: Store, review: int, person: int) -> Iterator[assigning.Shown]:
    while (shown := assigning.next_task(store, review, person)) is not None:
        yield shown


def project(folder: Path, rows: int) -> Path:
    """The demo with its first rows, one rung, and people who are asked before anything ships."""
    recipe = demo_recipe(folder)
    content = yaml.safe_load(recipe.read_text(encoding="utf-8"))
    data = folder / content["data"]["examples"]
    lines = data.read_text(encoding="utf-8").splitlines(keepends=True)
    random.Random(0).shuffle(lines)
    data.write_text("".join(lines[:rows]), encoding="utf-8")
    content["ladder"] = {"adapter": 1}
    content["guards"] = [
        guard for guard in content["guards"] if guard["suite"] in ("general-english", "facts-kept")
    ]
    content["review"] = {"required": True, "role": "guard", "margin": 0.15, "items": SHOWN, "per_item": 3}
    content["budget"] = {"minutes": 120}
    recipe.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return recipe


def references(recipe: Path) -> dict[str, str]:
    """The reference of every prompt as it is asked."""
    content = yaml.safe_load(recipe.read_text(encoding="utf-8"))["data"]
    rows = (recipe.parent / content["examples"]).read_text(encoding="utf-8").splitlines()
    return {
        f"{content['instruction']}\n\n{row['prompt']}": row["completion"] for row in map(json.loads, rows)
    }


def told(run: Run, found: concluding.Standing) -> dict[str, Any]:
    """What a run came to, after people."""
    verdict = run.verdict
    return {
        "outcome": verdict.outcome,
        "look": verdict.look,
        "level": verdict.level,
        "gain": str(verdict.difference),
        "people": str(found.analysis.win_rate.difference),
        "judgements": found.content["judgements"],
    }


def whole(folder: Path) -> dict[str, Any]:
    """Two rounds, one after the other."""
    started = time.monotonic()
    first = trimtab.tune(project(folder, FIRST), root=folder / "runs")
    known = references(project(folder, 10_000))
    project(folder, FIRST)
    verdict = judged(first, "verdict", known)
    learning = judged(first, "learning", known)
    result = {"first": told(first, verdict), "first_minutes": (time.monotonic() - started) / 60}
    project(folder, 10_000)
    second = trimtab.tune(rounds.begin(first.folder.path), root=folder / "runs")
    again = judged(second, "verdict", known)
    content = rounds.compare(second.folder)
    print(summary(first.folder), summary(second.folder), sep="\n")
    return {
        **result,
        "corrections": learning.content["judgements"],
        "second": told(second, again),
        "round": {name: value for name, value in content.items() if name != "verdict"},
        "minutes": (time.monotonic() - started) / 60,
    }


def main() -> None:
    """Run it, print it, keep it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=record.OUT / "rounds.json")
    parser.add_argument("--folder", type=Path, help="where the project is kept; else it is thrown away")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        result = whole(given.folder or Path(place))
    record.write(result, given.out)
    print(json.dumps(result, indent=1, default=str))


if __name__ == "__main__":
    main()
