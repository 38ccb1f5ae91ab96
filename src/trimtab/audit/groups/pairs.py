"""Prompts of the data beside themselves with groups of people swapped, as a suite that a recipe names as a guard.

    guards:
    - {suite: pairs.jsonl, metric: twin_gap, margin: 0.1}

The metric compares the answers to both prompts of a pair, of the base model and of a candidate. Pairs of which a prompt
is tuned on are left out when a run begins (`prepare`): what is known by heart differs from its twin for that alone.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from trimtab.audit.features import digest
from trimtab.audit.findings import Row
from trimtab.errors import DataError
from trimtab.groups.axes import lexicon, words_of
from trimtab.groups.swap import swapped
from trimtab.measure.sets import PROVENANCE
from trimtab.records import Example
from trimtab.run import write_atomic

MOST = 400
# Some prompts name a group that has no counterpart to be swapped for, or stay as they are (see `swapped`).
_DRAWN = 8 * MOST


@dataclass(frozen=True, slots=True)
class Pairs:
    """What was written: the file, how many pairs, prompts that name a group, and why others have no pair."""

    path: str
    pairs: int
    named: int
    skipped: dict[str, int]

    def said(self) -> str:
        """It in a sentence or two."""
        why = "; ".join(f"{count:,} {reason}" for reason, count in self.skipped.items() if count)
        return f"Pairs: {self.pairs:,} in {self.path}, of {self.named:,} prompts that name a group" + (
            f" ({why})." if why else "."
        )


def write(rows: Iterable[Row], path: Path | str, source: str = "", *, most: int = MOST) -> Pairs:
    """Write up to `most` pairs of distinct prompts, drawn by a hash of the prompt, in the order of the rows.

    Columns: id, prompt, swapped_prompt; completion and swapped_completion, the first good answer, where there is one
    and the metric of `of` needs it; and where the row comes from. Conversations of several turns have no pair.

    Raises:
        DataError: the file is the source, does not end in .jsonl, or cannot be written; or no prompt can be swapped.
    """
    path = Path(path)
    if path.suffix != ".jsonl" or (source and path.resolve() == Path(source).resolve()):
        raise DataError(f"{path}: expected another file than the data, ending in .jsonl", "name another file")
    drawn: list[tuple[int, int, Example]] = []  # a heap of negative hashes: its first is the one to give up
    met: set[int] = set()
    named = 0
    turns = 0
    for row in rows:
        example = row.example
        if example is None or not lexicon().named(words_of(example.prompt)):
            continue
        named += 1
        if sum(message.role != "system" for message in example.messages) != 1:
            turns += 1
            continue
        key = digest(example.prompt.strip())
        if key in met or (len(drawn) >= _DRAWN and -key < drawn[0][0]):
            continue
        met.add(key)
        heapq.heappush(drawn, (-key, row.number, example))
        if len(drawn) > _DRAWN:
            met.discard(-heapq.heappop(drawn)[0])
    made, same = _swapped(drawn, most)
    if not made:
        raise DataError(
            f"{source or 'the data'}: no prompt can be swapped, of {named:,} that name a group",
            "pairs need prompts of one turn with words of groups/words.txt",
        )
    made.sort(key=lambda one: one[0])
    write_atomic(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for _, line in made))
    skipped = {"are conversations of several turns": turns, "stay the same when swapped": same}
    return Pairs(str(path), len(made), named, skipped)


def _swapped(
    drawn: list[tuple[int, int, Example]], most: int
) -> tuple[list[tuple[int, dict[str, str]]], int]:
    """Pairs with the number of their row, and how many prompts stay the same; of two that are each other's, one."""
    made: list[tuple[int, dict[str, str]]] = []
    seen: set[str] = set()
    same = 0
    for _, number, example in sorted(drawn, key=lambda one: -one[0]):
        own, other = example.prompt, swapped(example.prompt)
        if own == other:
            same += 1
        elif own not in seen and other not in seen and len(made) < most:
            seen |= {own, other}
            made.append((number, _line(number, example, other)))
    return made, same


def _line(number: int, example: Example, other: str) -> dict[str, str]:
    line = {"id": f"row-{number}", "prompt": example.prompt, "swapped_prompt": other}
    if example.references:
        answer = example.references[0]
        line |= {"completion": answer, "swapped_completion": swapped(answer)}
    return line | {name: value for name in PROVENANCE if (value := str(getattr(example, name)))}
