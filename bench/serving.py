"""Many clients of different stacks at once, beside the same requests one after another through transformers' generate.

    python bench/serving.py [--clients 32] [--requests 160] [--peer 24] [--minutes 0] [--llama BINARY]

Four stacks of the embedded model: itself, and three LoRA adapters of rank 16 on all linear layers, fitted on a few
rows each. The clients send E2E prompts over HTTP on the loopback interface, each to the next stack in turn, greedy, at
most 64 new tokens; a client sends its next request when its last is answered. The peer answers some of the same
requests, each alone, with its adapter's weights merged. With --llama, llama.cpp's server answers all of them, for as
many clients at once, in its own four bits and without any adapter. Warm-up and loading are off the clock; clients share
the cores.

    ours, peer    tokens a second
    ratio         ours over the peer's
    llama         tokens a second of llama.cpp's server
    failed        requests without an answer
    same          share of the peer's answers that ours equal, character by character (bfloat16: sums differ in order)
    memory        with --minutes: resident memory at the end of the first and of the last minute, GiB
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import resource
import sys
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import torch

import llama_server
import rows as data
from machine import choices, describe
from record import OUT, write
from remote import gguf
from trimtab.adjust import adapter
from trimtab.adjust.loop import Settings
from trimtab.adjust.stack import Stack
from trimtab.model.load import Base, load, prompt_ids
from trimtab.records import Example, Sampling
from trimtab.serve import running
from trimtab.serve.models import stacks
from trimtab.serve.models.app import application
from trimtab.serve.models.engine import Engine, Limits, apart
from trimtab.serve.models.serving import Serving
from trimtab.serve.models.stacks import Served

HOW = Sampling(max_new_tokens=64)
LLAMA_CONTEXT = 640
NAMES = ("base", "one", "two", "three")
PATIENCE = 300.0


def fitted(base: Base) -> list[Served]:
    """The base model and three adapters, each fitted on other rows."""
    found = [Served("base", Stack(), HOW)]
    for seed, name in enumerate(NAMES[1:]):
        rows = data.e2e_rows(base.tokenizer, seed, seed + 1)[:8]
        how = Settings(epochs=1, batch_size=4, learning_rate=1e-3, seed=seed)
        made, _ = adapter.fit(base, rows, adapter.Shape(rank=16), how)
        found.append(Served(name, Stack((made,)), HOW))
    return found


def opened(clients: int) -> tuple[Base, list[Served], Serving]:
    """The base model, its stacks, and both as they are served."""
    base = load("smollm2-135m-instruct")
    served = fitted(base)
    engine = Engine(base, Limits(rows=clients, prompt=512, answer=128))
    return base, served, Serving(engine, stacks.admitted(engine, served), seconds=PATIENCE)


def asked(client: httpx2.Client, model: str, example: Example) -> tuple[int, str]:
    """Tokens and text of one answer."""
    messages = [{"role": m.role, "content": m.content} for m in example.messages]
    said = {"model": model, "messages": messages, "max_tokens": HOW.max_new_tokens}
    answer = client.post("/v1/chat/completions", json=said)
    answer.raise_for_status()
    content = answer.json()
    return content["usage"]["completion_tokens"], content["choices"][0]["message"]["content"]


def ours(address: str, jobs: list[tuple[str, Example]], clients: int) -> dict[str, Any]:
    """All jobs by so many clients at once."""
    failed: list[str] = []

    def one(job: tuple[str, Example]) -> tuple[int, str]:
        try:
            return asked(client, *job)
        except httpx2.HTTPError as error:
            failed.append(str(error))
            return 0, ""

    limits = httpx2.Limits(max_connections=clients)
    with (
        httpx2.Client(base_url=address, timeout=PATIENCE, limits=limits) as client,
        ThreadPoolExecutor(clients) as pool,
    ):
        started = time.monotonic()
        answers = list(pool.map(one, jobs))
        seconds = time.monotonic() - started
    tokens = sum(count for count, _ in answers)
    return {
        "texts": [text for _, text in answers],
        "tokens": tokens,
        "seconds": seconds,
        "failed": len(failed),
    }


def peer(base: Base, served: list[Served], jobs: list[tuple[str, Example]]) -> dict[str, Any]:
    """The same jobs one after another."""
    known = {one.name: one.stack for one in served}
    texts, tokens, seconds = [], 0, 0.0
    for name, example in jobs:
        ids = torch.tensor([prompt_ids(base.tokenizer, list(example.messages))])
        with known[name].attach(base), torch.inference_mode():
            started = time.monotonic()
            found = base.network.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                do_sample=False,
                max_new_tokens=HOW.max_new_tokens,
                eos_token_id=list(base.stop_ids()),
                pad_token_id=base.tokenizer.pad_token_id,
            )[0, ids.shape[1] :]
            seconds += time.monotonic() - started
        tokens += len(found)
        texts.append(base.tokenizer.decode(found, skip_special_tokens=True))
    return {"texts": texts, "tokens": tokens, "seconds": seconds}


def llama(binary: str, jobs: list[tuple[str, Example]], clients: int, threads: int) -> dict[str, Any]:
    """All jobs by llama.cpp's server: the base model for every client, one slot for each."""
    with llama_server.serving(binary, gguf(), clients, LLAMA_CONTEXT, threads) as address:
        mine = [("base", example) for _, example in jobs]
        ours(address, mine[:clients], clients)
        return ours(address, mine, clients)


def resident() -> float:
    """Resident memory, GiB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * resource.getpagesize() / 2**30


def minute(them: ProcessPoolExecutor, address: str, jobs: list[tuple[str, Example]], clients: int) -> bool:
    """A minute of the same work."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends:
        them.submit(ours, address, jobs[: 2 * clients], clients).result()
    return True


def main() -> int:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--requests", type=int, default=160)
    parser.add_argument("--peer", type=int, default=24)
    parser.add_argument("--minutes", type=int, default=0)
    parser.add_argument("--llama", default="", help="llama.cpp's llama-server")
    options = parser.parse_args()
    base, served, serving = apart(partial(opened, options.clients))
    jobs = list(zip(itertools.cycle(NAMES), data.prompts(options.requests), strict=False))
    listening = running.listen()
    server = running.server(application(serving))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    address = running.address(listening)
    # Clients in a process of their own, as they are in life.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as clients:
        clients.submit(ours, address, jobs[: options.clients], options.clients).result()
        own = clients.submit(ours, address, jobs, options.clients).result()
        memory = [
            resident() for _ in range(options.minutes) if minute(clients, address, jobs, options.clients)
        ]
    server.should_exit = True
    thread.join()
    serving.engine.stop()
    theirs = llama(options.llama, jobs, options.clients, int(base.threads.value)) if options.llama else {}
    other = apart(partial(peer, base, served, jobs[: options.peer]))
    same = sum(one == two for one, two in zip(own["texts"], other["texts"], strict=False)) / options.peer
    speeds = [one["tokens"] / one["seconds"] for one in (own, other)]
    result = {
        "ours": speeds[0], "peer": speeds[1], "ratio": speeds[0] / speeds[1], "failed": own["failed"],
        "requests": options.requests, "tokens": own["tokens"], "same": same, "memory": memory,
        "llama": theirs["tokens"] / theirs["seconds"] if theirs else None,
        "machine": describe(choices(int(base.threads.value))),
    }  # fmt: skip
    write(result, OUT / "serving.json")
    for name in ("ours", "peer", "ratio", "llama", "failed", "same", "memory"):
        sys.stdout.write(f"{name:8} {result[name]}\n")
    return int(bool(own["failed"]))


if __name__ == "__main__":
    sys.exit(main())
