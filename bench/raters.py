"""Twenty raters posting at once to the real server, which is killed meanwhile: nothing acknowledged is lost or doubled.

    python bench/raters.py [--url postgresql://...] [--seconds 120] [--raters 20] [--kills 10] [--pause 1]

Starts the server in a process of its own on the loopback interface, without limits of rate, and begins a review of
2,000 pairs. Each rater, over HTTP alone, asks for a page, reads task and key from it, thinks for `--pause` seconds on
average, posts a judgement, and begins again.
Meanwhile the server is killed with SIGKILL and started again, so many times. A rater whose
request was not answered sends the same judgement with the same key until it is, as a page does. At the end the store
is compared with what was acknowledged.

    judge, page     milliseconds from sending to the answer, of requests that did not meet a kill: p50, p95, longest
    lost            acknowledged judgements that are not in the store
    doubled         pairs of an item and a rater that were judged more than once
    stray           judgements in the store that nobody was told of

Exits with 1 unless nothing is lost, doubled or stray, no item has more judgements than planned, and the 95th
percentile of `judge` stays below 300 ms.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import select

from grown import BASE, TUNED, made, summary
from record import OUT, write
from trimtab.review import people
from trimtab.review.sampling import Plan, Review, begin
from trimtab.review.store import Store
from trimtab.review.tables import judgements, tasks
from trimtab.serve.app import application
from trimtab.serve.limits import Limits, Rate
from trimtab.serve.running import listen, serve

ITEMS, PER_ITEM, SHORT, MOST = 2_000, 3, "An answer of one sentence. ", 300.0
# Seconds that a server is given to start, and that a rater waits before it sends again.
STARTING, PATIENCE = 60.0, 0.1
HIDDEN = re.compile(r'<input type="hidden" name="(seal|task|key)" value="([^"]*)">')
FREE = Rate(1e9, 1e9)


@dataclass
class Told:
    """What one rater was told, and how long each answer took."""

    taken: list[str] = field(default_factory=list)
    judge: list[float] = field(default_factory=list)
    page: list[float] = field(default_factory=list)
    again: int = 0
    refused: list[str] = field(default_factory=list)


class Rater:
    """A browser that judges: everything it does goes over HTTP.

    Args:
        client: with the cookie of a session.
        pause: seconds from a page to its judgement, on average.
        ended: set when it has to end.
    """

    def __init__(self, client: httpx2.Client, review: int, pause: float, ended: threading.Event) -> None:
        self._client, self._review, self._pause, self._ended = client, review, pause, ended
        self.told = Told()

    def work(self) -> None:
        """Judge until there is nothing left, or no time."""
        while not self._ended.is_set():
            page = self._asked("page", "GET", f"/reviews/{self._review}")
            fields = dict(HIDDEN.findall(page.text))
            if page.status_code != 200:
                self.told.refused.append(f"{page.status_code}: {page.text[:200]}")
                break
            if "task" not in fields:
                break
            self._ended.wait(random.uniform(0.0, 2 * self._pause))
            choice = random.choice(("left", "right", "tie", "bad"))
            sent = fields | {"choice": choice, "seconds": "3.5"}
            answer = self._asked("judge", "POST", f"/reviews/{self._review}/judgements", sent)
            if answer.status_code == 303:
                self.told.taken.append(fields["key"])
            else:
                self.told.refused.append(f"{answer.status_code}: {answer.text[:200]}")
        self._client.close()

    def _asked(
        self, what: str, method: str, path: str, sent: dict[str, str] | None = None
    ) -> httpx2.Response:
        """Ask until there is an answer; only what was answered at the first try is timed."""
        tries = 0
        while True:
            begun = time.perf_counter()
            try:
                answer = self._client.request(method, path, data=sent)
            except httpx2.TransportError:
                tries += 1
                time.sleep(PATIENCE)
                continue
            if not tries:
                getattr(self.told, what).append((time.perf_counter() - begun) * 1000)
            self.told.again += tries
            return answer


def joined(base: str, token: str) -> httpx2.Client:
    """A browser that has come in by an invitation."""
    client = httpx2.Client(base_url=base, timeout=30.0)
    page = client.get(f"/join/{token}")
    entered = client.post(f"/join/{token}", data=dict(HIDDEN.findall(page.text)))
    if entered.status_code != 303:
        raise SystemExit(f"an invitation did not let in: {entered.status_code}")
    return client


def served(url: str, port: int) -> None:
    """The server, in this process, until it is killed."""
    limits = Limits(session=FREE, address=FREE, joining=FREE)
    serve(application(Store.open(url), limits=limits), listen(port=port))


class Server:
    """The same in a process of its own, that is killed and started again."""

    def __init__(self, url: str) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self._command = [sys.executable, __file__, "--url", url, "--serve", str(self.port)]
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(self._command)
        until = time.monotonic() + STARTING
        while time.monotonic() < until:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1.0):
                return
            time.sleep(0.05)
        raise SystemExit("the server did not start")

    def kill(self) -> None:
        """As a power cut of the process: nothing is put away."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()


@contextlib.contextmanager
def running(url: str) -> Iterator[Server]:
    """A server that is gone when the context ends."""
    server = Server(url)
    try:
        yield server
    finally:
        server.kill()


def prepared(store: Store, raters: int) -> tuple[int, list[str]]:
    """A review that is open, and an invitation for each rater."""
    rules: dict[str, Any] = {"version": "1", "audience": "", "tone": "", "rules": []}
    about = Review("run", "Load", "verdict", (BASE, TUNED), rules, Plan(per_item=PER_ITEM, attention=0.0))
    review = begin(store, about, [made(number, SHORT) for number in range(ITEMS)]).id
    return review, [people.invite(store, f"Rater {number}", "rater") for number in range(raters)]


def measured(server: Server, tokens: list[str], review: int, args: argparse.Namespace) -> list[Told]:
    """What the raters were told, while the server was killed so many times."""
    ended, share = threading.Event(), args.seconds / (args.kills + 1)
    clients = [joined(f"http://127.0.0.1:{server.port}", token) for token in tokens]
    raters = [Rater(client, review, args.pause, ended) for client in clients]
    threads = [threading.Thread(target=rater.work) for rater in raters]
    for thread in threads:
        thread.start()
    for _ in range(args.kills):
        time.sleep(share)
        server.kill()
        server.start()
    time.sleep(share)
    ended.set()
    for thread in threads:
        thread.join()
    return [rater.told for rater in raters]


def compared(store: Store, told: list[Told]) -> dict[str, int]:
    """The store beside what was acknowledged."""
    acknowledged = Counter(key for one in told for key in one.taken)
    with store.reading() as connection:
        kept = connection.execute(
            select(judgements.c.key, tasks.c.item, tasks.c.person, tasks.c.again).join(tasks)
        ).all()
    once = Counter((row.item, row.person, row.again) for row in kept)
    first = Counter(row.item for row in kept if not row.again)
    return {
        "acknowledged": sum(acknowledged.values()),
        "kept": len(kept),
        "lost": len(set(acknowledged) - {row.key for row in kept}),
        "doubled": sum(count - 1 for count in once.values()) + len(kept) - len({row.key for row in kept}),
        "stray": len({row.key for row in kept} - set(acknowledged)),
        "over_per_item": sum(count > PER_ITEM for count in first.values()),
        "refused": sum(len(one.refused) for one in told),
        "sent_again": sum(one.again for one in told),
    }


def main() -> int:
    """Run, compare, print, keep."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--url", default="", help="of an empty database; a new file without it")
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--raters", type=int, default=20)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--pause", type=float, default=1.0)
    parser.add_argument("--json", type=Path, default=OUT / "raters.json")
    parser.add_argument("--serve", type=int, default=0, help="be the server on this port")
    args = parser.parse_args()
    if args.serve:
        served(args.url, args.serve)
        return 0
    with tempfile.TemporaryDirectory() as folder:
        url = args.url or f"sqlite:///{folder}/people.db"
        store = Store.open(url)
        review, tokens = prepared(store, args.raters)
        with running(url) as server:
            told = measured(server, tokens, review, args)
        counts, backend = compared(store, told), store.engine.dialect.name
        store.close()
    ms = {what: summary([took for one in told for took in getattr(one, what)]) for what in ("judge", "page")}
    rate = 2 * counts["acknowledged"] / args.seconds
    for what, found in ms.items():
        print(
            f"{backend} {what}: p50 {found['p50']:.0f} ms, p95 {found['p95']:.0f} ms, max {found['max']:.0f} ms"
        )
    print(f"{backend}: {rate:.1f} requests/s, {args.kills} kills, {counts}")
    print(*[text for one in told for text in one.refused][:3], sep="\n")
    write(
        {
            "backend": backend,
            "ms": ms,
            "per_second": rate,
            "kills": args.kills,
            **counts,
            "pause": args.pause,
        },
        args.json,
    )
    wrong = sum(counts[name] for name in ("lost", "doubled", "stray", "over_per_item", "refused"))
    return 1 if wrong or ms["judge"]["p95"] >= MOST else 0


if __name__ == "__main__":
    raise SystemExit(main())
