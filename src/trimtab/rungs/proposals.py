"""Instructions that a model proposes, once it is shown solved examples and the instruction so far."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from trimtab.records import Example, Message, Model, Question, Sampling

# Solved examples in one request, characters of each text, and the longest instruction that is taken.
SHOWN, CHARACTERS, LONGEST = 4, 400, 600
ASKED = (
    "Below are requests and the answers that are wanted.\n\n{pairs}\n\nAn assistant gets this instruction: "
    "{instruction}\n\nWrite a better instruction, so that the assistant gives answers like these to any request "
    "of this kind. Do not mention these examples. Write the instruction only."
)
NONE = "(none so far)"


def propose(
    model: Model, examples: Sequence[Example], instruction: str, count: int, *, seed: int = 0
) -> list[str]:
    """Ask a model for instructions that would lead to the references of the examples.

    Each request shows other examples, at temperature 1. After Zhou et al. 2023, Large Language Models Are
    Human-Level Prompt Engineers, section 3.1 (proposals from demonstrations).

    Args:
        examples: of tune, with references.
        instruction: the one so far; may be empty.
        count: how many to ask for; fewer come back where proposals are empty, too long, or repeat one another.
        seed: of the examples shown and of the answers.
    """
    dice = np.random.default_rng(seed)
    usable = [example for example in examples if example.references]
    asked = []
    for number in range(count):
        shown = [usable[int(n)] for n in dice.permutation(len(usable))[:SHOWN]]
        pairs = "\n\n".join(
            f"Request: {example.prompt[:CHARACTERS]}\nAnswer: {example.references[0][:CHARACTERS]}"
            for example in shown
        )
        text = ASKED.replace("{instruction}", instruction or NONE, 1).replace("{pairs}", pairs, 1)
        sampling = Sampling(max_new_tokens=120, temperature=1.0, top_p=0.95)
        asked.append(Question(f"proposal {number}", (Message("user", text),), sampling, seed + number))
    found = (cleaned(output.text) for output in model.answer(asked))
    return list(dict.fromkeys(text for text in found if text and text != instruction))


def cleaned(text: str) -> str:
    """The instruction in an answer: without a label or quotes around it; empty where there is none of usable length."""
    text = re.sub(
        r"^\s*(?:\*\*)?(?:new |better )?instruction(?:\*\*)?\s*:(?:\*\*)?\s*", "", text, flags=re.IGNORECASE
    )
    text = " ".join(text.split()).strip("\"'“”` ")
    return text if len(text) <= LONGEST and any(c.isalpha() for c in text) else ""
