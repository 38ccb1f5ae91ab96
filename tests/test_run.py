"""The run folder: whole files or none, one writer, and records that come back as they went in."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from trimtab.errors import RunError
from trimtab.records import Comparison, Estimate, GuardResult, Output, Score, Verdict
from trimtab.run import RunFolder, file_hash, provenance, read_json, runs, write_atomic, write_json

NAN = float("nan")


def estimate(value: float = 1.5) -> Estimate:
    return Estimate(value, value - 1, value + 1, 0.95, 30, "t")


def comparison(outcome: str = "better") -> Comparison:
    return Comparison(estimate(), 0.01, outcome, None, 0.7, 0.5, 10.0, 11.5, ("a note",))  # type: ignore[arg-type]


def verdict() -> Verdict:
    undefined = Estimate(NAN, NAN, NAN, 0.95, 1, "none", "one item")
    guards = (
        GuardResult("general-english", "nll", 0.05, comparison("held")),
        GuardResult("facts", "coverage", 0.1, Comparison(undefined, NAN, "undefined", None, NAN), True),
    )
    return Verdict("ship", "abc", estimate(), guards, ("why",), None, comparison(), 0.9825, 1)


def test_a_verdict_comes_back_as_it_went_in(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "0123456789abcdef")
    folder.write("verdict.json", verdict())
    again = folder.verdict()
    assert repr(again) == repr(verdict())  # NaN is not equal to itself, its text is
    bare = Verdict("inconclusive", "base", estimate(), (), ("nothing to judge",), 40)
    folder.write("verdict.json", bare)
    assert repr(folder.verdict()) == repr(bare)


def test_numbers_that_json_lacks_become_null(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"x": NAN, "y": math.inf, "z": 1.0})
    assert json.loads((tmp_path / "a.json").read_text()) == {"schema": 1, "x": None, "y": None, "z": 1.0}


def test_a_write_replaces_and_leaves_no_neighbour(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file.json"
    write_atomic(path, "old")
    write_atomic(path, b"new \xc3\xa9")
    assert path.read_text(encoding="utf-8") == "new é"
    assert [p.name for p in path.parent.iterdir()] == ["file.json"]


LIMITED = """
import resource, signal, sys
from pathlib import Path
from trimtab.errors import RunError
from trimtab.run import write_atomic
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    write_atomic(Path(sys.argv[1]), "x" * 1000)
except RunError as error:
    print(error.message, "|", error.hint)
"""


def test_a_full_disk_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "verdict.json"
    write_atomic(path, "old")
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(path)], capture_output=True, text=True, check=True
    )
    assert f"{path}: the disk is full" in done.stdout
    assert "goes on where it stopped" in done.stdout
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["verdict.json"]


def test_a_truly_full_device_is_a_full_disk() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    from trimtab.run import _disk_error

    with (
        pytest.raises(OSError, match="No space") as raised,
        Path("/dev/full").open("wb", buffering=0) as file,
    ):
        file.write(b"x")
    assert "the disk is full" in _disk_error(Path("a"), raised.value).message


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"cannot be written"):
        write_atomic(tmp_path / "file" / "inside.json", "x")


def test_missing_damaged_and_newer_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    with pytest.raises(RunError, match=r"plan\.json: no such file"):
        read_json(path)
    for content in (b'{"schema": 1, "x"', b"\xff\xfe{"):
        path.write_bytes(content)
        with pytest.raises(RunError, match=r"plan\.json: damaged"):
            read_json(path)
    path.write_text('{"schema": 2}')
    with pytest.raises(RunError, match=r"newer Trimtab \(schema 2, known 1\)"):
        read_json(path)


HOLD = """
import sys
from pathlib import Path
from trimtab.run import RunFolder
with RunFolder(Path(sys.argv[1])).locked():
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_process_is_refused(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "0123456789abcdef")
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        with pytest.raises(RunError, match="another process is working on this run"), folder.locked():
            pass
        other.communicate("")
    with folder.locked():
        pass


def test_the_lock_is_given_back_after_an_exception(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "0123456789abcdef")
    with pytest.raises(KeyboardInterrupt), folder.locked():
        raise KeyboardInterrupt
    with RunFolder(folder.path).locked():
        pass


def test_runs_are_found_by_identity(tmp_path: Path) -> None:
    first = RunFolder.create(tmp_path, "aaaaaaaa11111111")
    second = RunFolder.create(tmp_path, "bbbbbbbb22222222")
    assert RunFolder.find(tmp_path, "aaaaaaaa11111111") == first
    assert RunFolder.find(tmp_path, "bbbbbbbb22222222") == second
    assert RunFolder.find(tmp_path, "aaaaaaaa33333333") is None
    assert {run.path for run in runs(tmp_path)} == {first.path, second.path}
    assert RunFolder.open(first.path) == first
    with pytest.raises(RunError, match="not a run folder"):
        RunFolder.open(tmp_path)
    with pytest.raises(RunError, match="no verdict yet"):
        first.verdict()


def test_rows_come_back_whatever_characters_they_hold(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "0123456789abcdef")
    texts = ["plain", "two\nlines", "odd\u2028breaks\u2029and\x85more\x0b\x1c", "", "\U0001f600"]
    outputs = [Output(f"e{n}", 0, text, (-0.5,)) for n, text in enumerate(texts)]
    folder.write_trial("abc", outputs, [Score("e0", "chrf", 0, NAN)])
    assert [row["text"] for row in folder.rows("trials/abc/outputs.jsonl")] == texts
    assert folder.rows("trials/abc/scores.jsonl")[0]["value"] is None
    assert folder.rows("trials/none/scores.jsonl") == []
    folder.write_text("trials/abc/scores.jsonl", '{"a": 1}\n{"b"')
    with pytest.raises(RunError, match=r"scores\.jsonl: damaged"):
        folder.rows("trials/abc/scores.jsonl")


def test_provenance_names_what_it_ran_on() -> None:
    found = provenance()
    assert {"trimtab", "python", "platform", "processor", "cores", "packages", "started"} <= found.keys()
    assert found["packages"]["numpy"]


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert file_hash(tmp_path / "a") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
