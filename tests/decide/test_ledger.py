"""The ledger of looks: numbers, identities, damage, and two processes at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from trimtab.decide.ledger import carry, ledger_path, look, looks_so_far
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
