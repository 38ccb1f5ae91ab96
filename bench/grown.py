"""A store of judgements as it is after years of use, and what its two acts cost in it.

    python bench/grown.py [--url postgresql://...]

Fills a new store with 2,000 items, 50 raters and 20,000 judgements of one review, and times `next_task` and `judge` of
further raters, one at a time. Exits with 1 unless the 95th percentile of each stays below 100 ms.
"""

from __future__ import annotations

import argparse
import os
import secrets
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from record import OUT, write
from trimtab.records import Message
from trimtab.review import people
from trimtab.review.assigning import next_task, open_reviews
from trimtab.review.judging import Answer, judge
from trimtab.review.sampling import Item, Plan, Review, begin
from trimtab.review.store import Store
from trimtab.review.tables import items, judgements, tasks

ITEMS, RATERS, JUDGEMENTS, ROUNDS, MOST = 2_000, 50, 20_000, 100, 100.0
BASE, TUNED = "b" * 16, "c" * 16
TEXT = "A sentence of an answer, as long as such sentences are. " * 8


def made(number: int, text: str = TEXT) -> Item:
    """An item with a conversation and two answers of some length."""
    pair = {BASE: f"{text}{number}", TUNED: f"{number}{text}"}
    return Item(f"item-{number}", (Message("user", f"Question {number}? {text}"),), pair)


def filled(store: Store) -> int:
    """The review, with each item judged by ten raters of the fifty, the last 200 items by none yet."""
    rules: dict[str, Any] = {"version": "1", "audience": "", "tone": "", "rules": []}
    per_item = JUDGEMENTS // (ITEMS - ROUNDS * 2)
    about = Review("run", "Grown", "learning", (BASE, TUNED), rules, Plan(per_item=per_item))
    review = begin(store, about, [made(number) for number in range(ITEMS)]).id
    for number in range(RATERS):
        people.invite(store, f"Rater {number}", "rater")
    numbers = [one.id for one in people.everyone(store)]
    with store.writing() as connection:
        old = list(connection.scalars(select(items.c.id).order_by(items.c.position)))[: ITEMS - ROUNDS * 2]
        shown, said = [], []
        for at, item in enumerate(old):
            for turn in range(per_item):
                person = numbers[(at * per_item + turn) % RATERS]
                task = secrets.token_hex(16)
                shown.append({"id": task, "item": item, "person": person, "left": BASE, "right": TUNED})
                said.append({"task": task, "key": secrets.token_hex(16)})
        connection.execute(
            insert(tasks), [one | {"again": False, "shown": time.time() - 9e4} for one in shown]
        )
        rest = {"choice": "left", "ratings": {}, "reason": "", "correction": "", "flags": {}}
        rest |= {"seconds": 9.0, "version": "1", "made": time.time() - 9e4}
        connection.execute(insert(judgements), [one | rest for one in said])
    return review


def timed(store: Store, review: int) -> dict[str, list[float]]:
    """Milliseconds of each act, of raters in turn."""
    took: dict[str, list[float]] = {"next_task": [], "judge": [], "open_reviews": []}
    numbers = [one.id for one in people.everyone(store)]
    for turn in range(ROUNDS):
        person = numbers[turn % RATERS]
        begun = time.perf_counter()
        pair = next_task(store, review, person)
        middle = time.perf_counter()
        if pair is None:
            raise SystemExit("the store had nothing left to show")
        judge(store, person, Answer(pair.task, secrets.token_hex(16), "left"))
        ended = time.perf_counter()
        open_reviews(store, person)
        for name, seconds in zip(
            took, (middle - begun, ended - middle, time.perf_counter() - ended), strict=True
        ):
            took[name].append(seconds * 1000)
    return took


def summary(values: list[float]) -> dict[str, float]:
    """Median, 95th percentile and longest."""
    cuts = statistics.quantiles(values, n=20, method="inclusive")
    return {"p50": statistics.median(values), "p95": cuts[-1], "max": max(values)}


def main() -> int:
    """Fill, measure, print, keep."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default="", help="of an empty database; a new file without it")
    parser.add_argument("--json", type=Path, default=OUT / "grown.json")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(args.url or f"sqlite:///{folder}/people.db")
        review = filled(store)
        found = {name: summary(values) for name, values in timed(store, review).items()}
        backend = store.engine.dialect.name
        store.close()
    for name, ms in found.items():
        print(f"{backend} {name}: p50 {ms['p50']:.1f} ms, p95 {ms['p95']:.1f} ms, max {ms['max']:.1f} ms")
    write({"backend": backend, "ms": found, "load": os.getloadavg()[0], "cores": os.cpu_count()}, args.json)
    return 0 if all(ms["p95"] < MOST for ms in found.values()) else 1


if __name__ == "__main__":
    raise SystemExit(main())
