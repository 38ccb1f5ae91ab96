"""The verb watch: exit codes, alarms told once, looks until Ctrl-C, the next round, and a stream played again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.watch.traffic import traffic
from tests.watching.conftest import STACK, file_of, folder, keep, store
from tests.watching.test_learned import given, kept
from tests.watching.test_stream import written
from tests.watching.test_telling import receiver
from trimtab import reviewing
from trimtab.live import answers, feedback
from trimtab.review.store import Store
from trimtab.run import RunFolder

__all__ = ["folder", "store"]
SHIFT = [*traffic(150, 5), *traffic(150, 6, first=150, refusals=0.6)]
QUIET = traffic(300, 2)


@pytest.fixture(autouse=True)
def without_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Meaning is looked at in tests of `trimtab.watch`; here it would only take its time."""
    monkeypatch.setattr("trimtab.cli.watch.encoder_installed", lambda: False)
    monkeypatch.delenv("TRIMTAB_WEBHOOK", raising=False)


def asked(run: RunFolder, path: Path, *more: str) -> list[object]:
    uses = (f"from={path}", f"stack={STACK}", *more)
    return ["watch", run.path, *(part for use in uses for part in ("--use", use))]


def test_quiet_traffic_is_0_a_shift_10_and_none_11(call: Call, folder: RunFolder, tmp_path: Path) -> None:
    done = call(*asked(folder, file_of(tmp_path / "a.jsonl", [])))
    assert (done.code, "no row of traffic yet" in done.out) == (11, True)
    done = call(*asked(folder, file_of(tmp_path / "a.jsonl", QUIET)))
    assert (done.code, done.err) == (0, "")
    assert "quiet. 300 rows of traffic, 300 of them new" in done.out.replace("\n", " ")
    file_of(tmp_path / "a.jsonl", SHIFT)
    (folder.path / "watch" / f"{STACK}.json").unlink()
    done = call(*asked(folder, tmp_path / "a.jsonl"))
    assert done.code == 10
    assert max(map(len, done.out.splitlines())) <= 80
    line = next(line for line in done.out.splitlines() if line.startswith("refusal"))
    assert line.split()[1] == "ALARM"
    assert "ALARM refusal: noticed at row" in done.out
    assert "Not watched: " in done.out


def test_an_alarm_is_told_once_by_line_and_webhook_and_stands(
    call: Call, folder: RunFolder, tmp_path: Path
) -> None:
    path = file_of(tmp_path / "a.jsonl", SHIFT)
    with receiver(404, 200) as (url, got):
        first = call(*asked(folder, path, f"webhook={url}"), "--json")
        assert (first.code, first.document["told"]) == (10, 0)
        assert "did not take it: status 404" in first.document["problem"]
        assert "told again at the next look" in first.err.replace("\n", " ")
        second = call(*asked(folder, path, f"webhook={url}"), "--json")
        third = call(*asked(folder, path, f"webhook={url}"), "--json")
    alarms = len(third.document["alarms"])
    assert [done.document["told"] for done in (second, third)] == [alarms, 0]
    assert len(got) == 1 + alarms
    assert (third.code, third.err) == (10, "")
    assert got[0] == got[1]
    alarm = got[1]
    assert alarm["alarm"] == "drift"
    assert (alarm["quantity"], alarm["stack"], alarm["run"]) == ("refusal", STACK, folder.path.name)
    assert 150 < alarm["row"] <= 200
    assert "trimtab watch alarm=drift" in second.err
    for said in (json.dumps(got), first.out, first.err, second.out, second.err):
        assert "parcel" not in said
        assert "secret" not in said
    again = call(*asked(folder, path, "again=yes"))
    assert again.code == 11


def test_delays_are_stated(call: Call, folder: RunFolder, tmp_path: Path) -> None:
    path = file_of(tmp_path / "a.jsonl", QUIET)
    done = call(*asked(folder, path, "delays=yes"))
    assert "noticed within" in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_what_the_server_kept_is_looked_at_unless_a_file_is_named(
    call: Call, folder: RunFolder, store: Store
) -> None:
    keep(store, SHIFT)
    done = call("watch", folder.path, "--use", f"stack={STACK}", "--json")
    assert (done.code, done.document["traffic"]["rows"]) == (10, 300)


def test_it_looks_until_ctrl_c(folder: RunFolder, tmp_path: Path) -> None:
    path = file_of(tmp_path / "a.jsonl", QUIET[:100])
    start = "from trimtab.cli import main, watch; watch.encoder_installed = lambda: False; main.run()"
    command = [sys.executable, "-c", start]
    command += [str(part) for part in asked(folder, path, "every=1")]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | {"TERM": "dumb"}
    )
    try:
        assert process.stdout is not None
        while "100 rows of traffic" not in (line := process.stdout.readline()):
            assert line or process.poll() is None
        path.write_text("no row\n")
        assert process.stderr is not None
        while "Error:" not in (line := process.stderr.readline()):
            assert line or process.poll() is None
        file_of(path, [*QUIET[:100], *traffic(200, 6, first=100, refusals=0.7)])
        while "ALARM." not in (line := process.stdout.readline()):
            assert line or process.poll() is None
        time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 10


def test_what_users_said_becomes_the_next_rounds_recipe(call: Call, run: RunFolder) -> None:
    opened = Store.open(reviewing.address(run.path))
    answers.keep(opened, [kept(1, "quite another question", stack=run.verdict().stack)])
    feedback.give(opened, given(1, correction="quite well"))
    opened.close()
    done = call("watch", run.path, "--use", "next=yes")
    assert done.code == 0
    assert "Corrected  1, learned as" in done.out
    recipe = done.out.strip().rpartition("trimtab tune ")[2]
    assert Path(recipe).name == "recipe.yaml"
    assert call("watch", run.path, "--use", "next=yes", "--json").document["recipe"] == recipe
    audit = call("audit", Path(recipe).parent / "live.jsonl", "--json")
    assert audit.code == 0


def test_a_stream_is_played_again(call: Call, tmp_path: Path) -> None:
    path = written(tmp_path / "stream.jsonl", 2000, 0.3)
    done = call("watch", "--use", f"replay={path}")
    assert done.code == 0
    assert "adapted model is shown to be better from row" in done.out
    assert max(map(len, done.out.splitlines())) <= 80
    document = call("watch", "--use", f"replay={path}", "--json").document
    assert document["replayed"]["mean"]["n"] == 2000


def test_mistakes_are_named(call: Call, folder: RunFolder, tmp_path: Path) -> None:
    path = file_of(tmp_path / "a.jsonl", QUIET)
    for arguments, said in (
        (["watch"], "no RUN was named"),
        (asked(folder, path, "rate=2"), "rate is the chance of a false alarm"),
        (asked(folder, path, "rate=low"), "expected a number"),
        (asked(folder, path, "rate=0"), "expected a number above 0"),
        (asked(folder, path, "baseline=traffic"), "baseline is run, or traffic:N"),
        (asked(folder, path, "webhook=http://example.org/"), "expected an https address"),
        (asked(folder, path, "cadence=7d"), "with sample=N"),
        (asked(folder, path, "sample=5", "cadence=week"), "such as 7d"),
        (asked(folder, tmp_path / "none.jsonl"), "No such file"),
        (asked(folder, path, "stack=../x"), "no stack can be called"),
        (["watch", "--use", f"replay={path}", "--use", "bounds=1"], "give bounds=0,1"),
    ):
        done = call(*arguments)
        assert (done.code, said in done.err.replace("\n  ", " ")) == (2, True), (arguments, done.err)
