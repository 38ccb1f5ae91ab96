"""Lines of a text file that hold a prompt and its answer, with a sign between them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from trimtab.audit.batches import batches, characters
from trimtab.data.table import Record

SIGNS: Mapping[str, str] = {"||": "||", "\t": "a tab"}
# Of fewer lines, or where fewer of them are like that, a sign may stand there for another reason.
FEWEST, SHARE = 10, 0.95


def separated(records: Iterator[Record], sample: int) -> tuple[Iterator[Record], str]:
    """Records with a text each as prompts and completions, where nearly all of the first ones are both.

    A line without the sign, or with more than one, stays a text: an audit shows it as broken.

    Args:
        records: lines of a file, each {"text": line}.
        sample: how many of the first lines decide.

    Returns:
        All records, and what was guessed, in words; empty where they stay as they are.
    """
    head = next(batches(records, sample, lambda record: characters(record.row)), [])
    texts = [record.row["text"] for record in head if record.row]
    every = itertools.chain(head, records)
    for sign, name in SIGNS.items():
        count = sum(_parted(text, sign) is not None for text in texts)
        if len(texts) >= FEWEST and count >= SHARE * len(texts):
            said = (
                f"lines as single texts: {count:,} of the first {len(texts):,} have {name} once, and were read as "
                "prompt and completion (--use text=text leaves them whole)"
            )
            return (_record(record, sign) for record in every), said
    return every, ""


def _record(record: Record, sign: str) -> Record:
    row = _parted(record.row["text"], sign) if record.row else None
    return record._replace(row=row) if row else record


def _parted(text: str, sign: str) -> dict[str, str] | None:
    prompt, _, completion = (part.strip() for part in text.partition(sign))
    if not prompt or not completion or sign in completion:
        return None
    return {"prompt": prompt, "completion": completion}
