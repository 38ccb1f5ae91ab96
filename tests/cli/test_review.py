"""The verb review: pages until Ctrl-C, where it stands, what it comes to, who is forgotten."""

from __future__ import annotations

import signal
import urllib.request
from pathlib import Path

import pytest

from tests.cli.conftest import Call
from tests.cli.serving import started
from tests.test_reviewing import entered, judged, ran, says_ok, store_of
from trimtab import reviewing
from trimtab.review import people
from trimtab.reviewing import Wanted

pytestmark = pytest.mark.usefixtures("cache")


def test_pages_are_served_until_ctrl_c(tmp_path: Path, network: Path) -> None:
    run = ran(tmp_path, network)
    process, said = started("review", str(run.folder.path), "--invite", "Ann")
    try:
        assert (said["purpose"], len(said["links"])) == ("verdict", 2)
        with urllib.request.urlopen(said["links"]["Ann"], timeout=10) as page:
            assert page.status == 200
            shown = page.read().decode()
        assert run.verdict.stack not in shown
    finally:
        process.send_signal(signal.SIGINT)
    _, trouble = process.communicate(timeout=20)
    assert (process.returncode, trouble) == (0, "")


def test_show_says_where_it_stands_and_close_ends_it(call: Call, tmp_path: Path, network: Path) -> None:
    run = ran(tmp_path, network, review={"required": True, "role": "goal", "min_gain": 0.05})
    place = str(run.folder.path)
    done = call("review", place, "--show")
    assert (done.code, "no review was begun" in done.err.replace("\n  ", " ")) == (2, True)
    store = store_of(run)
    review = reviewing.begin(place, store, Wanted())
    for name in ("Ann", "Bob"):
        judged(store, review.id, entered(store, name), says_ok)
    store.close()
    shown = call("review", place, "--show")
    assert shown.code == 0
    assert max(map(len, shown.out.splitlines())) <= 80
    assert "Verdict with these judgements: SHIP" in shown.out
    assert run.verdict.outcome == "inconclusive"
    closed = call("review", place, "--close", "--json")
    assert closed.code == 0
    assert closed.document["judgements"] == 2 * closed.document["items"]
    assert run.verdict.outcome == "ship"
    again = call("review", place, "--use", "for=verdict")
    assert (again.code, "judged confirm already" in again.err.replace("\n  ", " ")) == (2, True)


def test_a_rater_is_forgotten_by_number(call: Call, tmp_path: Path, network: Path) -> None:
    run = ran(tmp_path, network)
    store = store_of(run)
    number = entered(store, "Ann Example")
    assert call("review", str(run.folder.path), "--use", f"forget={number}").code == 0
    assert people.everyone(store) == []
    store.close()
    assert b"Ann Example" not in (run.folder.path.parent / "people.db").read_bytes()
    done = call("review", str(run.folder.path), "--use", "forget=7")
    assert (done.code, "no person has the number 7" in done.err.replace("\n  ", " ")) == (2, True)


def test_mistakes_are_named(call: Call, tmp_path: Path, network: Path) -> None:
    run = ran(tmp_path, network)
    for arguments, said in (
        (("--use", "for=fun"), "expected verdict or learning"),
        (("--use", "stack=all"), "did you mean stacks?"),
        (("--use", "items=none"), "whole number"),
        (("--use", "port=99999999"), "cannot be listened on"),
    ):
        done = call("review", str(run.folder.path), *arguments)
        assert (done.code, said in done.err.replace("\n  ", " ")) == (2, True), done.err
    done = call("review", str(tmp_path / "nowhere"))
    assert (done.code, "not a run folder" in done.err.replace("\n  ", " ")) == (2, True)
