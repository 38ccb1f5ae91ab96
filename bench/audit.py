"""Speed and memory of an audit on synthetic rows, and beside a plain script of datasketch and Presidio.

    python bench/audit.py [--rows N ...] [--peer N] [--workers N] [--json FILE] [--chart FILE.svg]

Rows are drawn by a seed: prompts and answers of common words, 1 in 100 an exact copy, 1 in 100 a copy with a word left
out, 1 in 20 with an e-mail address, a telephone or a card number. Memory is the resident memory of all processes
together, looked at every fifth of a second. The peer is what one would write in an hour: one process, MinHash with
character 5-grams and LSH at 0.8, each candidate verified, Presidio's recognisers of e-mail, telephone, card, IBAN and
IP without a language model; it finds copies, near copies and personal data, and nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import chart
import record

TYPES = ["EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "IBAN_CODE", "IP_ADDRESS"]
COMMON = """time year people way day man thing woman life child world school state family student group country problem
hand part place case week company system program question work government number night point home water room mother area
money story fact month lot right study book eye job word business issue side kind head house service friend father power
hour game line end member law car city community name president team minute idea kid body information back parent face
others level office door health person art war history party result change morning reason research girl guy moment air
teacher force education"""
WORDS = COMMON.split()


def draw(count: int, seed: int = 0) -> list[dict[str, str]]:
    rng = random.Random(seed)
    rows: list[dict[str, str]] = []
    for _ in range(count):
        kind = rng.random()
        if rows and kind < 0.01:
            rows.append(dict(rng.choice(rows)))
            continue
        if rows and kind < 0.02:
            near = dict(rng.choice(rows))
            words = near["completion"].split()
            del words[rng.randrange(len(words))]
            rows.append({**near, "completion": " ".join(words)})
            continue
        prompt = " ".join(rng.choices(WORDS, k=rng.randint(6, 14)))
        answer = rng.choices(WORDS, k=rng.randint(15, 40))
        if kind < 0.07:
            digits = "".join(rng.choices("23456789", k=10))
            said = (
                f"{rng.choice(WORDS)}{digits[:3]}@example.org",
                f"+1 {digits[:3]}-{digits[3:6]}-{digits[6:]}",
                "4111 1111 1111 1111",
            )
            answer.insert(rng.randrange(len(answer)), rng.choice(said))
        rows.append({"prompt": f"What of the {prompt}?", "completion": " ".join(answer).capitalize() + "."})
    return rows


def write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)


class Memory:
    """Resident memory of a process and all below it, its largest sum in bytes."""

    def __init__(self, process: int) -> None:
        self.process, self.most, self.ended = process, 0, threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self) -> None:
        while not self.ended.wait(0.2):
            self.most = max(self.most, sum(map(resident, below(self.process))))


def below(process: int) -> list[int]:
    found = [process]
    for one in found:
        try:
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        except OSError:
            continue
    return found


def resident(process: int) -> int:
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def measured(arguments: list[str]) -> dict[str, Any]:
    """Run this script on one file in a process of its own; seconds and memory from outside, what it found from it."""
    began, used = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen([sys.executable, __file__, *arguments], stdout=subprocess.PIPE, text=True)
    memory = Memory(process.pid)
    said, _ = process.communicate()
    memory.ended.set()
    memory.thread.join()
    if process.returncode:
        raise SystemExit(f"{arguments}: exit code {process.returncode}")
    found: dict[str, Any] = json.loads(said)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    found |= {
        "process_seconds": time.perf_counter() - began,
        "peak_bytes": memory.most,
        "cpu_seconds": processor,
    }
    return found


def ours(path: str, workers: int) -> dict[str, Any]:
    from trimtab.audit import audit

    found = audit(path, workers=workers)
    sets = {
        kind: one.rows if (one := found.of(kind)) else () for kind in ("exact_duplicate", "personal_data")
    }
    near = found.of("near_duplicate")
    return {
        "rows": found.rows,
        "seconds": found.seconds,
        "counts": {one.kind: one.count for one in found.findings},
        "exact": list(sets["exact_duplicate"]),
        "personal": list(sets["personal_data"]),
        "near": list(near.rows) if near else [],
    }


def alike(path: str, workers: int) -> dict[str, Any]:
    """What the peer finds, by our code, and none of the other checks."""
    from trimtab.audit.between import in_common
    from trimtab.audit.features import beginning
    from trimtab.audit.known import gathered
    from trimtab.audit.privacy import detect
    from trimtab.audit.rows import opened
    from trimtab.audit.scan import Work, scan

    began = time.perf_counter()
    read = opened(path)
    work = Work(read.maker, (detect.check,), gathered(), begin=beginning(read.sample))
    scanned = scan(read, work, workers=workers)
    found = {one.kind: one.rows for one in in_common(path, {}, scanned, work.begin)}
    personal = scanned.hits.finding(detect.KIND).rows
    names = {"exact": "exact_duplicate", "near": "near_duplicate"}
    sets = {name: list(found.get(kind, ())) for name, kind in names.items()}
    return {"rows": scanned.rows, "seconds": time.perf_counter() - began, "personal": list(personal), **sets}


def peer(path: str) -> dict[str, Any]:
    from datasketch import MinHash, MinHashLSH
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

    class Nothing(NlpEngine):
        def load(self) -> None:
            pass

        def is_loaded(self) -> bool:
            return True

        def process_text(self, text: str, language: str) -> NlpArtifacts:
            return NlpArtifacts([], [], [], [], self, language)

        def process_batch(self, texts: Any, language: str, **_: Any) -> Any:
            return ((text, self.process_text(text, language)) for text in texts)

        def is_stopword(self, word: str, language: str) -> bool:
            return False

        def is_punct(self, word: str, language: str) -> bool:
            return False

        def get_supported_entities(self) -> list[str]:
            return []

        def get_supported_languages(self) -> list[str]:
            return ["en"]

    began = time.perf_counter()
    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    analyzer = AnalyzerEngine(registry=registry, nlp_engine=Nothing(), supported_languages=["en"])
    with open(path, encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    seen: dict[str, int] = {}
    exact, personal, near = [], [], set()
    lsh = MinHashLSH(threshold=0.8, num_perm=64)
    kept: dict[int, set[bytes]] = {}
    for number, row in enumerate(rows):
        if any(analyzer.analyze(text, "en", entities=TYPES) for text in row.values()):
            personal.append(number)
        text = "\n".join(row.values())
        if text in seen:
            exact.append(number)
            continue
        seen[text] = number
        plain = " ".join(text.lower().split())
        grams = {plain[at : at + 5].encode() for at in range(len(plain) - 4)}
        signature = MinHash(num_perm=64)
        signature.update_batch(grams)
        for other in lsh.query(signature):
            if len(grams & kept[other]) / len(grams | kept[other]) >= 0.8:
                near |= {number, other}
        lsh.insert(number, signature)
        kept[number] = grams
    seconds = time.perf_counter() - began
    return {"rows": len(rows), "seconds": seconds, "exact": exact, "personal": personal, "near": sorted(near)}


def shared(one: list[int], other: list[int]) -> dict[str, int]:
    return {"ours": len(one), "peer": len(other), "both": len(set(one) & set(other))}


def drawn(sizes: list[dict[str, Any]]) -> str:
    """Seconds and memory against rows."""
    rows = [one["rows"] for one in sizes]
    seconds = chart.Series("seconds", rows, [one["seconds"] for one in sizes], "#1f5f8b")
    memory = chart.Series("MiB, all processes", rows, [one["peak_bytes"] / 2**20 for one in sizes], "#a8443a")
    panels = (
        chart.Panel("Time of an audit", "rows", "seconds", (seconds,)),
        chart.Panel("Memory of an audit", "rows", "MiB", (memory,)),
    )
    return chart.draw(panels)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, nargs="*", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--peer", type=int, default=50_000)
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--json", type=Path, default=record.OUT / "audit.json")
    parser.add_argument("--chart", type=Path, help="draw time and memory against rows, as SVG")
    parser.add_argument("--one", nargs=2, metavar=("WHO", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        who, path = options.one
        arms = {"ours": ours, "alike": alike}
        print(json.dumps(arms[who](path, options.workers) if who in arms else peer(path)))
        return
    results: dict[str, Any] = {"sizes": [], "cores": len(os.sched_getaffinity(0))}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.jsonl")
        for count in options.rows:
            write(path, draw(count))
            found = measured(["--one", "ours", str(path), "--workers", str(options.workers)])
            one = {
                key: found[key]
                for key in ("rows", "seconds", "process_seconds", "cpu_seconds", "peak_bytes", "counts")
            }
            results["sizes"].append(one)
            speed, memory = count / one["seconds"], one["peak_bytes"] / 2**20
            print(f"{count:>9,} rows  {one['seconds']:7.1f} s  {speed:7,.0f} rows/s", end="  ")
            print(f"{one['cpu_seconds']:7.1f} s of cores  {memory:6,.0f} MiB", flush=True)
        if options.peer:
            write(path, draw(options.peer))
            found = measured(["--one", "ours", str(path), "--workers", str(options.workers)])
            same = measured(["--one", "alike", str(path), "--workers", str(options.workers)])
            plain = measured(["--one", "peer", str(path)])
            both = {kind: shared(same[kind], plain[kind]) for kind in ("exact", "near", "personal")}
            seconds, cpu = (
                {"whole audit": found[key], "same findings": same[key], "peer": plain[key]}
                for key in ("process_seconds", "cpu_seconds")
            )
            results["peer"] = {"rows": options.peer, "seconds": seconds, "cpu_seconds": cpu, "found": both}
            for name in ("whole audit", "same findings"):
                times = seconds["peer"] / seconds[name], cpu["peer"] / cpu[name]
                print(
                    f"{name}: {seconds[name]:.1f} s, {times[0]:.2f} times by the clock, {times[1]:.2f} of processor"
                )
            print(f"peer: {seconds['peer']:.1f} s; found {json.dumps(both)}", flush=True)
    record.write(results, options.json)
    if options.chart:
        options.chart.write_text(drawn(results["sizes"]), encoding="utf-8")


if __name__ == "__main__":
    main()
