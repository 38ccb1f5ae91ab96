"""The ledger of looks: numbers, identities, damage, and two processes at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from trimtab.decide.ledger import adopt, carry, keep_only, ledger_path, look, looked_at, looks_so_far
from trimtab.errors import RunError


def test_looks_are_numbered_for_each_confirm_set(tmp_path: Path) -> None:
    path = tmp_path / "x.looks.json"
    assert look(path, "confirm", "first") == 1
    assert look(path, "confirm", "second") == 2
    assert look(path, "other", "first") == 1
    assert look(path, "confirm", "third") == 3


def test_the_same_recipe_keeps_its_number(tmp_path: Path) -> None:
    path = tmp_path / "x.looks.json"
    for identity, number in [("a", 1), ("b", 2), ("a", 1), ("b", 2), ("c", 3)]:
        assert looks_so_far(path, "confirm", identity) == number
        assert look(path, "confirm", identity) == number
    assert len(json.loads(path.read_text())["confirm"]) == 3


def test_looks_count_for_what_an_erasure_left_of_a_set(tmp_path: Path) -> None:
    path = tmp_path / "x.looks.json"
    assert carry(path, "confirm", "left") == 0
    assert not path.exists()
    look(path, "confirm", "first")
    look(path, "confirm", "second")
    for _ in range(2):
        assert carry(path, "confirm", "left") == 2
    assert looks_so_far(path, "left", "third") == 3
    assert look(path, "left", "third") == 3
    assert looks_so_far(path, "confirm", "third") == 3
    assert carry(path, "left", "less") == 3
    assert look(path, "less", "fourth") == 4


def test_looks_follow_the_items_into_other_sets(tmp_path: Path) -> None:
    path = tmp_path / "x.looks.json"
    assert look(path, "one", "a", ["i1", "i2"]) == 1
    assert look(path, "grown", "b", ["i2", "i3"]) == 2
    # It shares an item with the second set alone, which shared one with the first.
    assert looks_so_far(path, "far", "c", ["i3", "i4"]) == 3
    assert look(path, "far", "c", ["i3", "i4"]) == 3
    assert looks_so_far(path, "fresh", "d", ["i5"]) == 1
    assert look(path, "fresh", "d", ["i5"]) == 1
    # A set that joins two that were apart pays for the looks at both.
    assert looks_so_far(path, "all", "e", ["i1", "i5"]) == 5
    for identity, number in (("a", 1), ("b", 2), ("c", 3)):
        name, items = {"a": ("one", ["i1"]), "b": ("grown", ["i2"]), "c": ("far", ["i4"])}[identity]
        assert look(path, name, identity, items) == number


def test_what_was_looked_at_is_counted_without_the_own_look(tmp_path: Path) -> None:
    path = tmp_path / "x.looks.json"
    look(path, "one", "a", ["i1", "i2"])
    assert looked_at(path, "a", ["i1", "i2", "i3"]) == 0
    assert looked_at(path, "b", ["i1", "i2", "i2", "i3"]) == 3
    look(path, "two", "b", ["i2", "i3"])
    assert looked_at(path, "b", ["i2", "i3"]) == 1


def test_a_ledger_of_before_items_were_kept_learns_them(tmp_path: Path) -> None:
    path = tmp_path / "x.looks.json"
    path.write_text(json.dumps({"one": [{"identity": "a", "time": ""}, {"identity": "b", "time": ""}]}))
    assert look(path, "one", "b", ["i1"]) == 2
    assert looks_so_far(path, "other", "c", ["i1"]) == 1
    assert look(path, "one", "c", ["i1"]) == 3
    assert looks_so_far(path, "other", "d", ["i1"]) == 4


def test_a_ledger_takes_over_another_one_and_forgets_erased_items(tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    look(old, "one", "a", ["i1", "i2"])
    look(new, "two", "b", ["i9"])
    for _ in range(2):
        adopt(new, old)
    assert looks_so_far(new, "three", "c", ["i2", "i9"]) == 3
    keep_only(new, ["i1", "i9"])
    assert "i2" not in new.read_text()
    assert looks_so_far(new, "three", "c", ["i2"]) == 1
    assert looks_so_far(new, "three", "c", ["i1"]) == 2


def test_what_an_erasure_left_keeps_its_looks_when_it_grows(tmp_path: Path) -> None:
    path = tmp_path / "x.looks.json"
    path.write_text(json.dumps({"one": [{"identity": "a", "time": ""}]}))
    assert carry(path, "one", "left", ["i1", "i2"]) == 1
    assert looks_so_far(path, "grown", "b", ["i2", "i3"]) == 2


def test_asking_enters_nothing(tmp_path: Path) -> None:
    path = tmp_path / "x.looks.json"
    assert looks_so_far(path, "confirm", "a") == 1
    assert not path.exists()


@pytest.mark.parametrize(
    "content", [b'{"confirm": [', b"\xff\xfe", b"[1, 2]", b'{"confirm": [{"time": 1}]}', b'{"c": 3}']
)
def test_a_damaged_ledger_is_never_taken_for_an_empty_one(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.looks.json"
    path.write_bytes(content)
    with pytest.raises(RunError, match=r"x\.looks\.json: damaged"):
        look(path, "confirm", "a")
    with pytest.raises(RunError, match="damaged"):
        looks_so_far(path, "confirm", "a")
    assert path.read_bytes() == content


def test_it_lies_beside_the_data_or_in_the_fallback(tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    data.write_text("{}")
    assert ledger_path(str(data), tmp_path / "cache") == tmp_path / "data.jsonl.looks.json"
    assert ledger_path("hub:someone/data", tmp_path / "cache") == tmp_path / "cache" / "looks.json"


def test_the_fallback_folder_need_not_exist(tmp_path: Path) -> None:
    assert look(ledger_path("hub:someone/data", tmp_path / "new" / "cache"), "confirm", "a") == 1


LOOK = """
import sys
from pathlib import Path
from trimtab.decide.ledger import look
for number in range(20):
    look(Path(sys.argv[1]), "confirm", f"{sys.argv[2]}-{number}")
"""


def test_two_processes_lose_no_look(tmp_path: Path) -> None:
    path = tmp_path / "x.looks.json"
    both = [subprocess.Popen([sys.executable, "-c", LOOK, str(path), name]) for name in "ab"]
    assert [process.wait() for process in both] == [0, 0]
    assert looks_so_far(path, "confirm", "new") == 41
