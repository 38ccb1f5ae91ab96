"""The outputs that moved most, from select only: confirm stays sealed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from statistics import fmean
from typing import Any

from trimtab.document.figures import known
from trimtab.document.masking import mask, printable
from trimtab.document.record import Record

HOW_MANY = 10


@dataclass(frozen=True, slots=True)
class Text:
    """A text in two pieces: what is shown at once, what is folded away; `cut` characters are left out."""

    head: str
    tail: str = ""
    cut: int = 0


@dataclass(frozen=True, slots=True)
class Sample:
    """One item of select before and after. `change` is oriented so that plus is better.

    `begin` is where the prompt begins to differ from the others.
    """

    example: str
    before: float
    after: float
    change: float
    prompt: Text
    reference: Text
    base: Text
    tuned: Text
    more_references: int
    begin: str


@dataclass(frozen=True, slots=True)
class Samples:
    """The best and worst items of the `scored` ones; `seeds` answers each. `missing`: why there are none."""

    best: tuple[Sample, ...] = ()
    worst: tuple[Sample, ...] = ()
    scored: int = 0
    seeds: int = 1
    missing: str = ""


def samples(record: Record, *, limit: int = 2000) -> Samples:
    """The ten items that gained most and the ten that gained least (or lost most) on the target metric.

    Seeds are averaged within an item; the answer shown is that of the first seed. No item is in both lists.
    limit: characters kept of each text.
    """
    metric = str(record.goal.get("metric") or "")
    before, after = (_item_scores(record, stack, metric) for stack in ("base", record.stack))
    changes = {
        name: record.sign * (after[name] - before[name]) for name in before if name in after and name != ""
    }
    if not changes:
        return Samples(missing="No outputs and scores on select were recorded for this run.")
    examples = {row["id"]: row for row in record.folder.rows("examples.jsonl")}
    base, tuned = (_answers(record, stack) for stack in ("base", record.stack))
    shared = _shared(list(examples.values()))
    order = sorted(changes, key=lambda name: (-changes[name], name))
    share = min(HOW_MANY, (len(order) + 1) // 2)

    def sample(name: str) -> Sample:
        row = examples.get(name, {})
        references = [str(text) for text in row.get("references") or ()]
        return Sample(
            example=name,
            before=before[name],
            after=after[name],
            change=changes[name],
            prompt=folded(_prompt(row), limit=limit),
            reference=folded(references[0] if references else "", limit=limit),
            base=folded(base.get(name, [""])[0], limit=limit),
            tuned=folded(tuned.get(name, [""])[0], limit=limit),
            more_references=max(0, len(references) - 1),
            begin=mask(printable(_prompt(row)))[shared : shared + 120].strip(),
        )

    worst = order[share:][::-1][:HOW_MANY]
    return Samples(
        best=tuple(sample(name) for name in order[:share]),
        worst=tuple(sample(name) for name in worst),
        scored=len(changes),
        seeds=max((len(texts) for texts in tuned.values()), default=1),
    )


def folded(text: str, *, head: int = 420, limit: int = 2000) -> Text:
    """Mask a text and divide it: about `head` characters up to a space, the rest, what is over `limit`."""
    text = mask(printable(text)).strip()
    whole, cut = text[:limit], max(0, len(text) - limit)
    if len(whole) <= head * 1.3 and not cut:
        return Text(whole)
    at = whole.rfind(" ", head // 2, head)
    at = head if at < 0 else at
    return Text(whole[:at], whole[at:], cut)


def common_instruction(record: Record) -> str:
    """The system text, where all examples of select have the same one; else ""."""
    found = {
        tuple(m["content"] for m in row.get("messages") or () if m["role"] == "system")
        for row in record.folder.rows("examples.jsonl")
    }
    return mask(printable("\n".join(found.pop()))) if len(found) == 1 else ""


def _prompt(row: Mapping[str, Any]) -> str:
    turns = [turn for turn in row.get("messages") or () if turn["role"] != "system"]
    if len(turns) == 1:
        return str(turns[0]["content"])
    return "\n\n".join(f"{turn['role'].capitalize()}: {turn['content']}" for turn in turns)


def _shared(rows: Sequence[Mapping[str, Any]]) -> int:
    """How many characters all prompts begin with, up to a space."""
    prompts = [mask(printable(_prompt(row))) for row in rows]
    if len(prompts) < 2:
        return 0
    first, last = min(prompts), max(prompts)
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))
    return first.rfind(" ", 0, same) + 1


def _item_scores(record: Record, stack: str, metric: str) -> dict[str, float]:
    rows = record.folder.rows(f"trials/{stack}/scores.jsonl") if stack else []
    names = {row["metric"] for row in rows}
    wanted = metric if metric in names or len(names) != 1 else names.pop()
    values: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        if row["metric"] == wanted and known(row["value"]):
            values[row["example"]].append(row["value"])
    return {name: fmean(numbers) for name, numbers in values.items()}


def _answers(record: Record, stack: str) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = defaultdict(list)
    for row in record.folder.rows(f"trials/{stack}/outputs.jsonl") if stack else []:
        texts[row["example"]].append(str(row["text"]))
    return texts
