"""Looks at traffic: each row is counted once, in pieces as in one go, from a file as from the store."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.watch.traffic import traffic
from tests.watching.conftest import STACK, file_of, keep
from trimtab.errors import RunError, UserError
from trimtab.records import plain
from trimtab.review.store import Store
from trimtab.run import RunFolder
from trimtab.watching import File, Follower, Kept, Wanted
from trimtab.watching import following as module
from trimtab.watching.following import Followed

ROWS = [*traffic(150, 5), *traffic(150, 6, first=150, refusals=0.6)]
ASKED = Wanted(stack=STACK)


def follower(folder: RunFolder, source: File | Kept) -> Follower:
    return Follower(folder.path, source, stack=STACK)


def told(found: Followed) -> list[tuple[str, int]]:
    assert found.seen is not None
    return [(alarm.quantity, alarm.row) for alarm in found.seen.alarms]


def test_pieces_come_to_what_one_look_does(folder: RunFolder, tmp_path: Path) -> None:
    whole = follower(folder, File(file_of(tmp_path / "all.jsonl", ROWS))).follow(ASKED)
    state = folder.read(f"watch/{STACK}.json")
    (folder.path / "watch" / f"{STACK}.json").unlink()
    path = tmp_path / "some.jsonl"
    for end in range(60, 301, 60):
        found = follower(folder, File(file_of(path, ROWS[:end]))).follow(ASKED)
        assert found.new == 60
        # Looking again, at the same rows, counts none of them.
        assert follower(folder, File(path)).follow(ASKED).new == 0
    assert told(found) == told(whole)
    assert told(found)[0][0] == "refusal"
    assert folder.read(f"watch/{STACK}.json")["place"] == state["place"]
    assert found.seen is not None
    assert found.seen.rows == 300


def test_the_store_says_what_a_file_does(folder: RunFolder, store: Store, tmp_path: Path) -> None:
    first = follower(folder, File(file_of(tmp_path / "all.jsonl", ROWS))).follow(ASKED)
    (folder.path / "watch" / f"{STACK}.json").unlink()
    keep(store, ROWS[:100])
    assert follower(folder, Kept(store)).follow(ASKED).new == 100
    keep(store, ROWS[100:], first=100)
    keep(store, traffic(20, 7, stack="another"), first=1000)
    found = follower(folder, Kept(store)).follow(ASKED)
    assert (found.new, told(found)) == (200, told(first))


def test_answers_without_texts_are_not_looked_at(folder: RunFolder, store: Store) -> None:
    keep(store, [row.__class__(row.time, "", "", row.confidence, (), STACK) for row in ROWS[:50]])
    found = follower(folder, Kept(store)).follow(ASKED)
    assert (found.new, found.seen and found.seen.rows) == (0, 0)


def test_a_late_row_counts_and_one_of_the_future_waits(folder: RunFolder, tmp_path: Path) -> None:
    rows = traffic(60, 5)
    path = file_of(tmp_path / "all.jsonl", [*rows[:30], *rows[31:]])
    future = {"time": "2099-01-01T00:00:00Z", "prompt": "When?", "answer": "Later."}
    path.write_text(path.read_text() + json.dumps(future) + "\n")
    assert follower(folder, File(path)).follow(ASKED).new == 59
    path.write_text(path.read_text() + file_of(tmp_path / "late.jsonl", rows[30:31]).read_text())
    assert follower(folder, File(path)).follow(ASKED).new == 1
    assert follower(folder, File(path)).follow(ASKED).new == 0
    assert follower(folder, File(path)).follow(ASKED, now=4_102_444_800.0).new == 1


def test_the_first_rows_of_the_traffic_are_a_baseline(folder: RunFolder, tmp_path: Path) -> None:
    wanted = Wanted(stack="elsewhere", baseline="traffic:100")
    rows = [row.__class__(row.time, row.prompt, row.answer, stack="elsewhere") for row in ROWS]
    path = tmp_path / "own.jsonl"

    def look(wanted: Wanted = wanted) -> Followed:
        return Follower(folder.path, File(path), stack="elsewhere").follow(wanted)

    file_of(path, rows[:80])
    assert (look().seen, look().waiting) == (None, 20)
    file_of(path, rows)
    found = look()
    assert found.seen is not None
    assert (found.new, found.seen.rows) == (200, 200)
    assert told(found)[0][0] == "refusal"
    assert (look().new, told(look())) == (0, told(found))
    # What is usual now becomes the baseline, and nothing that was counted is counted again.
    again = look(Wanted(stack="elsewhere", again=True))
    assert (again.seen, again.waiting) == (None, 100)
    file_of(path, rows[50:])
    file_of(path, [*rows, *traffic(150, 9, first=300, refusals=0.6, stack="elsewhere")])
    after = look()
    assert after.seen is not None
    assert (after.seen.rows, told(after)) == (50, [])
    file_of(path, rows[:310])
    with pytest.raises(RunError, match="rows of the baseline are gone"):
        look()


def test_another_rate_or_baseline_is_refused_unless_begun_anew(folder: RunFolder, tmp_path: Path) -> None:
    source = File(file_of(tmp_path / "all.jsonl", ROWS))
    follower(folder, source).follow(Wanted(rate=0.01))
    with pytest.raises(UserError, match=r"began with rate=0\.01"):
        follower(folder, source).follow(Wanted(rate=0.1))
    found = follower(folder, source).follow(ASKED)
    assert (found.state.rate, told(found)[0][0]) == (0.01, "refusal")
    found = follower(folder, source).follow(Wanted(rate=0.1, again=True))
    assert (found.state.rate, found.new, told(found)) == (0.1, 0, [])
    with pytest.raises(UserError, match="with the baseline 'traffic:5'"):
        Wanted(baseline="traffic:5")


def test_an_erased_row_of_the_run_ends_the_watch_until_it_is_begun_anew(
    folder: RunFolder, tmp_path: Path
) -> None:
    source = File(file_of(tmp_path / "all.jsonl", ROWS))
    follower(folder, source).follow(ASKED)
    folder.write_rows("examples.jsonl", folder.rows("examples.jsonl")[1:])
    with pytest.raises(RunError, match="has changed since this watch began") as caught:
        follower(folder, source).follow(ASKED)
    assert "--use again=yes" in caught.value.hint
    assert follower(folder, source).follow(Wanted(again=True)).new == 0


def test_what_is_kept_holds_no_text(folder: RunFolder, tmp_path: Path) -> None:
    follower(folder, File(file_of(tmp_path / "all.jsonl", ROWS))).follow(ASKED)
    kept = json.dumps(folder.read(f"watch/{STACK}.json"))
    assert not any(word in kept for word in ("parcel", "Where is", "sorry"))


KILLED = """
import os, signal, sys
from trimtab.watching import File, Follower, Wanted, following
from pathlib import Path
following.STEP = 40
states, saved = following.states, []
save = states.save
def counted(folder, state):
    save(folder, state)
    saved.append(1)
    if len(saved) == 3:
        os.kill(os.getpid(), signal.SIGKILL)
states.save = counted
Follower(sys.argv[1], File(Path(sys.argv[2])), stack="tuned").follow(Wanted())
"""


def test_a_kill_between_looks_loses_and_doubles_nothing(
    folder: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(tmp_path / "all.jsonl", ROWS)
    command = [sys.executable, "-c", KILLED, str(folder.path), str(path)]
    done = subprocess.run(command, check=False, env=os.environ, capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    kept = folder.read(f"watch/{STACK}.json")
    assert kept["watch"]["rows"] == 120
    monkeypatch.setattr(module, "STEP", 40)
    found = follower(folder, File(path)).follow(ASKED)
    assert found.new == 180
    (folder.path / "watch" / f"{STACK}.json").unlink()
    whole = follower(folder, File(path)).follow(ASKED)
    assert plain(found.seen) == plain(whole.seen)
