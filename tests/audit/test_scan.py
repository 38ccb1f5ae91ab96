"""One pass in this process and in several gives the same; what cannot be looked at is said."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.audit.made import raw, write
from trimtab.audit import audit
from trimtab.audit.findings import Hit, Row
from trimtab.audit.known import gathered
from trimtab.audit.provenance import Origins
from trimtab.audit.rows import opened
from trimtab.audit.scan import Work, called, scan
from trimtab.errors import MissingPart
from trimtab.records import Progress

WORDS = ("river", "stone", "lamp", "market", "winter", "bridge", "garden", "letter", "window", "music")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> str:
    rng = random.Random(3)
    pairs = [(f"ask {n}", " ".join(rng.choices(WORDS, k=20))) for n in range(4100)]
    pairs[3900] = ("ask 3900", "write to anna@example.org " + pairs[0][1])
    pairs[4050] = pairs[17]
    rows = [{**row, "source": ("even", "odd")[n % 2]} for n, row in enumerate(raw(*pairs))]
    return write(tmp_path_factory.mktemp("scan") / "rows.jsonl", rows)


def test_several_processes_find_what_one_finds(source: str) -> None:
    alone, together = audit(source, workers=1), audit(source, workers=2)
    assert dataclasses.replace(alone, seconds=0) == dataclasses.replace(together, seconds=0)
    assert alone.sections[0].data["source"] == {"even": 2050, "odd": 2050}
    copies, personal = alone.of("exact_duplicate"), alone.of("personal_data")
    assert copies
    assert personal
    assert copies.groups == ((17, 4050),)
    assert [span.type for span in personal.spans] == ["EMAIL_ADDRESS"]
    assert alone.rows == 4100


def lacking(row: Row) -> Iterator[Hit]:
    raise MissingPart("a part is not installed", "install it")
    yield


def counted(row: Row) -> Iterator[Hit]:
    yield Hit("stale", row.number)


class Lacking(Origins):
    def add(self, row: Row) -> None:
        raise MissingPart("a part is not installed", "install it")


def test_a_tally_that_lacks_a_part_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    read = opened(write(tmp_path / "r.jsonl", raw(("a", "b"), ("c", "d"))))
    found = scan(read, Work(read.maker, (), gathered(), tallies=(Lacking, Origins)), workers=1)
    assert found.missing == {"lacking": "a part is not installed: install it"}
    assert list(found.tallies) == ["origins"]


def test_a_check_that_lacks_a_part_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    read = opened(write(tmp_path / "r.jsonl", raw(("a", "b"), ("c", "d"))))
    found = scan(read, Work(read.maker, (lacking, counted), gathered()), workers=1)
    assert found.missing == {"lacking": "a part is not installed: install it"}
    assert found.hits.finding("stale").rows == (0, 1)
    assert called(lacking) == "lacking"


def test_an_address_in_a_secret_is_one_fault(tmp_path: Path) -> None:
    said = "postgres://admin:q1Ww2Ee3Rr4@db.internal:5432/shop"
    found = audit(write(tmp_path / "r.jsonl", raw(("a", f"connect to {said}"))))
    assert found.of("secret")
    assert found.of("personal_data") is None


def test_progress_tells_rows(source: str) -> None:
    said: list[Progress] = []
    audit(source, workers=1, report=said.append)
    read = [one for one in said if one.stage == "read and check"]
    assert [one.facts["rows"] for one in read] == [1000, 2000, 3000, 4000, 4100]
    assert 0 < read[0].done <= read[-1].done <= read[-1].total


def test_features_of_all_rows_come_back_in_order(source: str) -> None:
    read = opened(source)
    found = scan(read, Work(read.maker, (), gathered()), workers=2)
    assert found.rows == len(found.features.whole) == 4100
    assert np.flatnonzero(found.features.whole == found.features.whole[17]).tolist() == [17, 4050]


RUN = """
import signal
import sys
# A job in the background of a shell is started with Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
from trimtab.audit import audit
try:
    audit(sys.argv[1], workers=2, report=lambda progress: print(progress.stage, file=sys.stderr, flush=True))
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of a terminal")
def test_ctrl_c_ends_it_and_leaves_no_process(tmp_path: Path) -> None:
    rows = [(f"ask {n}", "word " * 200) for n in range(20_000)]
    path = write(tmp_path / "many.jsonl", raw(*rows))
    command = [sys.executable, "-c", RUN, path]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True, env=dict(os.environ)
    )
    assert process.stderr
    process.stderr.readline()  # the first line of progress: the workers are at work
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"Traceback" not in said, said.decode()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.killpg(process.pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.1)
    pytest.fail("a process of the pool is still there")


def test_a_chunk_is_bounded_by_its_text(tmp_path: Path) -> None:
    read = opened(write(tmp_path / "r.jsonl", raw(*[("a", "b" * 3 * 2**20)] * 5, *[("a", "b")] * 1500)))
    work = Work(read.maker, (), gathered())
    seen: list[int] = []
    found = scan(read, work, workers=1, report=lambda progress: seen.append(int(progress.facts["rows"])))
    assert seen == [3, 1003, 1505]
    assert found.rows == 1505
