"""The verb runs with --serve: the author's link, pages until Ctrl-C, mistakes named."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import httpx

from tests.cli.conftest import Call
from tests.cli.serving import started
from tests.cli.test_look import recorded_run
from tests.serve.made import field


def test_pages_are_served_until_ctrl_c_with_a_ladder_that_is_live(tmp_path: Path) -> None:
    run = recorded_run(tmp_path / "runs", "one", 0.5, finished=False)
    process, said = started("runs", "--serve", "--runs", str(tmp_path / "runs"))
    try:
        assert said["link"].startswith(f"{said['address']}/join/")
        with httpx.Client(follow_redirects=True, timeout=30) as client, run.locked():
            seal = field(client.get(said["link"]).text, "seal")
            page = client.post(said["link"], data={"seal": seal})
            assert page.url.path == "/runs"
            assert run.path.name in page.text
            with client.stream("GET", f"{said['address']}/runs/{run.path.name}/events") as answer:
                lines = answer.iter_lines()
                assert next(lines) == "event: progress"
                # A page that is told live does not keep the server.
                asked = time.monotonic()
                process.send_signal(signal.SIGINT)
                list(lines)
                assert time.monotonic() - asked < 8
        _, trouble = process.communicate(timeout=20)
    finally:
        process.kill()
    assert (process.returncode, trouble) == (0, "")


def test_mistakes_are_named(call: Call, tmp_path: Path) -> None:
    for arguments, said in (
        (("--serve",), "no such folder"),
        (("--use", "port=80"), "without --serve"),
        (("--serve", "--use", "prot=80"), "did you mean port?"),
    ):
        done = call("runs", *arguments)
        assert (done.code, said in done.err.replace("\n  ", " ")) == (2, True), done.err
