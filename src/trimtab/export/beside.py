"""What no weight can hold, written beside the weights: settings of decoding, messages, origin, card; nothing silent.

Only what the authors of a stack wrote goes along. Solved examples and passages are rows and documents of people: they
are counted, and stay in the run, where `trimtab erase` finds them.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from trimtab import __version__
from trimtab.adjust.contract import Adjustment
from trimtab.adjust.decoding import Decoding
from trimtab.adjust.prompt import Prompt
from trimtab.adjust.stack import Stack
from trimtab.document.exported import ORIGIN
from trimtab.export.wanted import OUTSIDE, Form, Kind, divided
from trimtab.model.load import Base
from trimtab.records import SETTINGS, Message, Sampling
from trimtab.run import write_atomic, write_json
from trimtab.shipped import Shipped

QUESTION = "{question}"
CARD, README = "card.md", "README.md"
# What the Hub calls what a form makes of the base model, and the library that loads it.
HUB = {
    "merged": {"base_model_relation": "finetune", "library_name": "transformers"},
    "peft": {"base_model_relation": "adapter", "library_name": "peft"},
    "gguf": {"base_model_relation": "finetune", "library_name": "gguf"},
}
SAMPLED = ("temperature", "top_k", "top_p", "min_p")


def generation_config(base: Base, sampling: Sampling) -> Any:
    """The base's generation settings with those that the stack was measured with; texts that end an answer are not one.

    transformers takes them in its own place only with a tokenizer, so that a plain `generate` would fail.
    """
    found = copy.deepcopy(base.network.generation_config)
    # Else transformers makes it again from config.json when it reads the folder.
    found._from_model_config = False
    found.max_new_tokens, found.max_length = sampling.max_new_tokens, None
    found.do_sample = sampling.temperature > 0
    found.repetition_penalty = sampling.repetition_penalty
    for name in SAMPLED:
        value = getattr(sampling, name) if found.do_sample else None
        setattr(found, name, None if name == "min_p" and not value else value)
    return found


def warnings(shipped: Shipped, outside: Sequence[Adjustment], sampling: Sampling, form: Form) -> list[str]:
    """What the export does not do, one sentence each."""
    said = [f"{one.kind}: {OUTSIDE[one.kind]}" for one in outside]
    for one in outside:
        if isinstance(one, Prompt) and one.wording.exemplars:
            said.append(
                f"prompt: its {one.wording.exemplars} solved examples are rows of the data, and are not exported"
            )
        if isinstance(one, Prompt) and one.wording.revise:
            said.append("prompt: the answer is a draft; ask again with the text of revise in trimtab.json")
        if isinstance(one, Decoding) and one.draws > 1:
            said.append(f"decoding: the best of {one.draws} answers was measured; nothing here draws several")
    if sampling.stop:
        said.append(
            f"answers were ended at {', '.join(map(repr, sampling.stop))}: set it where they are drawn"
        )
    if shipped.outcome != "ship":
        said.append(f"unproven: the verdict of its run is {shipped.outcome}")
    if form == "peft":
        said.append("it fits the very weights it was tuned on: compare base.fingerprint in trimtab.json")
    if not shipped.folder.has(CARD):
        said.append("no card goes along: trimtab card RUN writes it; then export again")
    return said


def origin(shipped: Shipped, base: Base, form: Form, kind: Kind) -> dict[str, Any]:
    """trimtab.json: which stack of which run this is, on which base, and what is not in its weights."""
    inside, outside = divided(shipped.stack)
    sampling = Stack(tuple(outside)).sampling(shipped.sampling)
    return {
        "trimtab": __version__,
        "run": shipped.name,
        "verdict": shipped.outcome,
        "stack": shipped.stack.hash,
        "form": form,
        "type": kind,
        "base": {"name": public(base.name), "fingerprint": base.fingerprint, "dtype": base.dtype.value},
        "in_the_weights": [{"kind": one.kind, "strength": one.strength, "hash": one.hash} for one in inside],
        "not_in_the_weights": [{"kind": one.kind, "why": OUTSIDE[one.kind]} for one in outside],
        "messages": _messages(outside),
        "revise": [one.wording.revise for one in outside if isinstance(one, Prompt) and one.wording.revise],
        "sampling": {name: getattr(sampling, name) for name in SETTINGS},
        "warnings": warnings(shipped, outside, sampling, form),
    }


def write(folder: Path, shipped: Shipped, form: Form, told: dict[str, Any]) -> None:
    """Write the origin, and the run's card as the README of the form."""
    write_json(folder / ORIGIN, told)
    if shipped.folder.has(CARD):
        text = (shipped.folder.path / CARD).read_text(encoding="utf-8")
        write_atomic(folder / README, as_readme(text, form))


def as_readme(card: str, form: Form) -> str:
    """A run's card with the metadata of the form: the Hub is told what a library finds in the folder."""
    mark, front, rest = card.split("---\n", 2) if card.startswith("---\n") else ("", "", card)
    del mark
    content = yaml.safe_load(front) or {}
    changed = {name: value for name, value in HUB[form].items() if name in content}
    head = yaml.safe_dump(content | changed, sort_keys=False, allow_unicode=True, width=110)
    return f"---\n{head}---\n{rest}"


def public(name: str) -> str:
    """A model's name without the folders of whoever has it."""
    return Path(name).name if Path(name).is_absolute() or Path(name).exists() else name


def _messages(outside: Sequence[Adjustment]) -> list[Message]:
    """The turns around a question, without solved examples and passages; none where a question is asked as it is."""
    bare: list[Adjustment] = [
        dataclasses.replace(one, wording=dataclasses.replace(one.wording, exemplars=0))
        for one in outside
        if isinstance(one, Prompt)
    ]
    return list(Stack(tuple(bare)).messages((Message("user", QUESTION),))) if bare else []
