"""Judgements that arrive at once at a real server, which is killed meanwhile: none is lost, none is taken twice."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

from tests.review.stored import begun, rater, rows, say, some_items
from trimtab.review.reading import votes
from trimtab.review.sampling import Plan
from trimtab.review.store import Store
from trimtab.review.tables import judgements

# More to an item than the raters who are not killed: what these leave is enough for the others, however late they are.
ITEMS, PER_ITEM, RATERS, BEFORE = 40, 6, 8, 20


def started(store: Store, review: int, people: list[int]) -> subprocess.Popen[str]:
    url = store.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-m", "tests.review.load", url, str(review), *map(str, people)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def told(lines: list[str], word: str) -> list[tuple[int, str, str]]:
    """Person, task and key of the whole lines that begin with a word."""
    parts = [line.split() for line in lines if line.endswith("left\n")]
    return [(int(one[1]), one[2], one[3]) for one in parts if one[0] == word]


def test_a_killed_process_loses_nothing_acknowledged_and_doubles_nothing(store: Store) -> None:
    plan = Plan(per_item=PER_ITEM, again=0.0, attention=0.0)
    review = begun(store, some_items(ITEMS), plan=plan)
    people = [rater(store, f"Rater {number}") for number in range(RATERS)]
    killed = started(store, review, people[: RATERS // 2])
    other = started(store, review, people[RATERS // 2 :])
    assert killed.stdout is not None
    lines: list[str] = []
    while len(told(lines, "taken")) < BEFORE:
        lines.append(killed.stdout.readline())
        assert lines[-1], "it ended before it was killed"
    killed.kill()
    lines += killed.communicate()[0].splitlines(keepends=True)
    taken = told(lines, "taken")
    kept = Counter(row["key"] for row in rows(store, judgements))
    assert all(kept[key] == 1 for _, _, key in taken)
    # What was under way is sent again with its key, as a page does that had no answer.
    unsure = [one for one in told(lines, "sent") if one not in taken]
    for person, task, key in unsure:
        say(store, person, task, "left", key)
    again = started(store, review, people[: RATERS // 2])
    taken += unsure
    for process in (again, other):
        taken += told(process.communicate(timeout=120)[0].splitlines(keepends=True), "taken")
        assert process.returncode == 0
    assert sorted(key for _, _, key in taken) == sorted(row["key"] for row in rows(store, judgements))
    found = votes(store, review)
    assert Counter(vote.item for vote in found) == {f"item-{n}": PER_ITEM for n in range(ITEMS)}
    assert len({(vote.item, vote.rater) for vote in found}) == len(found)
