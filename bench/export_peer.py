"""llama.cpp reads an exported GGUF file: tokens of texts, and greedy answers. Its input is JSON from export.py."""

from __future__ import annotations

import json
import sys
from typing import Any


def answer(given: dict[str, Any]) -> dict[str, Any]:
    """The share of texts that become the same tokens, and what is said to each."""
    import llama_cpp

    llama = llama_cpp.Llama(given["model"], n_ctx=2048, verbose=False)
    same, answers = 0, []
    for text, ids in zip(given["texts"], given["ids"], strict=True):
        same += llama.tokenize(text.encode(), add_bos=False, special=True) == list(ids)
        said = llama.create_completion(
            list(ids), max_tokens=given["new_tokens"], temperature=0.0, repeat_penalty=1.0
        )
        answers.append(said["choices"][0]["text"])
    return {"tokenised": same / len(answers), "answers": answers}


if __name__ == "__main__":
    print(json.dumps(answer(json.load(sys.stdin))))
