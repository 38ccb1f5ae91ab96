"""A climb told as it goes on: what changes is sent, and it ends with the run, the reader, or the server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import projects
from tests.serve.runs.made import Place
from trimtab.document.listing import TUNING, listed
from trimtab.records import Progress
from trimtab.run import RunFolder
from trimtab.serve import running
from trimtab.serve.runs import live
from trimtab.serve.runs import project as projects_served
from trimtab.tracking import FILE


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "EVERY", 0.05)


@contextmanager
def served(place: Place) -> Iterator[tuple[str, running.Server]]:
    """The address of a project's server, in a thread of this process."""
    listening = running.listen()
    server = running.server(place.app)
    server.leaving = place.project.leave
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield running.address(listening), server
    finally:
        server.handle_exit(15, None)
        thread.join(8)
        assert not thread.is_alive(), "a page that is told live holds the server"
        listening.close()


def unfinished(run: RunFolder) -> RunFolder:
    """The run as it was while its rung was tried."""
    (run.path / "verdict.json").unlink()
    ladder = run.read("ladder.json")
    ladder["rungs"][0] |= {"outcome": "begun", "candidates": [], "difference": None, "guards": []}
    run.write("ladder.json", ladder)
    return run


def told(lines: Iterator[str], event: str) -> str:
    """The next piece of that name."""
    for line in lines:
        if line == f"event: {event}":
            found = []
            for rest in lines:
                if not rest:
                    return "\n".join(found)
                found.append(rest.removeprefix("data: "))
    raise AssertionError(f"no event {event}")


def test_a_climb_is_told_until_its_verdict(place: Place, run: RunFolder) -> None:
    verdict, ladder = run.read("verdict.json"), run.read("ladder.json")
    unfinished(run)
    cookies = dict(place.joined().cookies)
    with served(place) as (address, _), httpx.Client(base_url=address, cookies=cookies, timeout=60) as client:
        with run.locked():
            run.write(FILE, Progress("fitting layers-0", 3, 10, {"loss": 1.5}))
            page = client.get(f"/runs/{run.path.name}").text
            assert "Tuning now" in page
            assert "fitting layers-0" in page
            assert 'http-equiv="refresh"' in page
            with client.stream("GET", f"/runs/{run.path.name}/events") as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                assert answer.headers["cache-control"] == "no-store"
                lines = answer.iter_lines()
                assert "loss 1.5" in told(lines, "progress")
                assert "being tried" in told(lines, "climb")
                run.write(FILE, Progress("measuring layers-0", 9, 10))
                assert "measuring layers-0" in told(lines, "progress")
                run.write("ladder.json", ladder)
                assert "passed" in told(lines, "climb")
                run.write("verdict.json", verdict)
                told(lines, "end")
                assert list(lines)[-1:] in ([], [""])
        assert place.project.streaming == 0


def test_readers_who_leave_make_room_and_there_are_only_so_many(
    place: Place, run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(projects_served, "STREAMS", 3)
    unfinished(run)
    cookies = dict(place.joined().cookies)
    path = f"/runs/{run.path.name}/events"

    async def visit(address: str) -> None:
        async with httpx.AsyncClient(base_url=address, cookies=cookies, timeout=60) as client:

            async def listen(count: int) -> list[Any]:
                answers = [client.stream("GET", path) for _ in range(count)]
                # A stream ends with what reads it.
                found = [(answer, (await answer.__aenter__()).aiter_lines()) for answer in answers]
                for _, lines in found:
                    await anext(lines)
                return found

            listening = await listen(3)
            assert place.project.streaming == 3
            refused = await client.get(path)
            assert refused.text.startswith("event: full")
            for answer, _ in listening:
                await answer.__aexit__(None, None, None)
            for _ in range(200):
                if not place.project.streaming:
                    break
                await asyncio.sleep(0.05)
            assert place.project.streaming == 0

    with served(place) as (address, _), run.locked():
        asyncio.run(visit(address))


def test_a_run_that_another_thread_tunes_is_live(
    tmp_path: Path, network: Path, cache: Path, place: Place
) -> None:
    path = projects.written(tmp_path / "other", network, seed=3)
    thread = threading.Thread(target=lambda: tuned_at(path, place.root))
    cookies = dict(place.joined().cookies)
    with served(place) as (address, _), httpx.Client(base_url=address, cookies=cookies, timeout=60) as client:
        thread.start()
        name = ""
        while not name:
            assert thread.is_alive()
            found = [listed(folder) for folder in place.project.runs()]
            name = next((one.run for one in found if one.outcome == TUNING), "")
        stages = set()
        with client.stream("GET", f"/runs/{name}/events") as answer:
            for line in answer.iter_lines():
                if "<strong>" in line:
                    stages.add(line.partition("<strong>")[2].partition("</strong>")[0])
        thread.join()
        assert stages
        assert '<div class="verdict' in client.get(f"/runs/{name}").text


def tuned_at(recipe: Path, root: Path) -> None:
    """Tune a recipe among the runs of a folder."""
    import trimtab

    trimtab.tune(recipe, root=root)
