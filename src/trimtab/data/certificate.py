"""The mask certificate: what will be trained on, token by token, and a check that refuses a useless mask."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trimtab.data.render import special_ids
from trimtab.errors import MaskError, several
from trimtab.records import Example, TokenRow, content_hash


@dataclass(frozen=True, slots=True)
class CertifiedRow:
    """One row: counts in tokens, the texts of the first and last supervised token."""

    example: str
    tokens: int
    supervised: int
    first: str
    last: str
    stop: bool
    lost: int


@dataclass(frozen=True, slots=True)
class Certificate:
    """All rows of a training set, and hashes of what they were made from; counts in tokens.

    `stop_tokens` counts the texts of the tokens that end supervised answers.
    """

    rows: tuple[CertifiedRow, ...]
    data: str
    tokenizer: str
    template: str
    tokens: int
    supervised: int
    lost: int
    truncated: int
    stop_tokens: Mapping[str, int]


def certificate(rows: Sequence[TokenRow], examples: Sequence[Example], tokenizer: Any) -> Certificate:
    """Certify rendered rows: what each supervises, and hashes of data, tokenizer and template.

    Raises:
        MaskError: a row belongs to none of the examples.
    """
    known = {example.id for example in examples}
    strange = [row.example for row in rows if row.example not in known]
    if strange:
        raise MaskError(
            f"rows of unknown examples: {', '.join(strange[:20])}",
            "certify rows with the examples they were made from",
        )
    special = special_ids(tokenizer)
    names: dict[int, str] = {}

    def name(number: int) -> str:
        if number not in names:
            names[number] = str(tokenizer.decode([number], skip_special_tokens=False))
        return names[number]

    certified, stops = [], Counter[str]()
    for row in rows:
        spoken = row.ids[row.supervised]
        stop = bool(len(spoken)) and int(spoken[-1]) in special
        first, last = (name(int(spoken[0])), name(int(spoken[-1]))) if len(spoken) else ("", "")
        certified.append(CertifiedRow(row.example, len(row.ids), len(spoken), first, last, stop, row.lost))
        if stop:
            stops[last] += 1
    return Certificate(
        rows=tuple(certified),
        data=data_hash(examples),
        tokenizer=tokenizer_hash(tokenizer),
        template=template_hash(tokenizer),
        tokens=sum(row.tokens for row in certified),
        supervised=sum(row.supervised for row in certified),
        lost=sum(row.lost for row in certified),
        truncated=sum(row.lost > 0 for row in certified),
        stop_tokens=dict(stops),
    )


def check(certificate: Certificate) -> None:
    """Refuse a training set that would teach nothing, or teach never to stop.

    Refused: no rows at all; any row with nothing supervised; any whole row without a stop token; fewer than
    half of the rows with a stop token because truncation cut it off. A few truncated rows pass.

    Raises:
        MaskError: naming up to 20 rows for each reason, with the next step.
    """
    rows = certificate.rows
    if not rows:
        raise MaskError("there is nothing to train on: no rows", "check the data and its split")
    silent = [row for row in rows if row.supervised == 0]
    endless = [row for row in rows if row.supervised and not row.stop and not row.lost]
    cut = [row for row in rows if row.supervised and not row.stop and row.lost]
    problems, hints = [], []
    if silent:
        problems.append(f"nothing supervised in {_named(silent)}")
        hints.append(
            "raise data.max_tokens, or shorten the prompts: these rows were cut before the answer"
            if any(row.lost for row in silent)
            else "give these rows an answer"
        )
    if endless:
        problems.append(f"no stop token after the answer in {_named(endless)}")
        hints.append("choose a model whose chat template ends each turn with a special token")
    if cut and len(cut) + len(silent) > len(rows) / 2:
        problems.append(f"the stop token was cut off in {_named(cut)}")
        hints.append(
            f"raise data.max_tokens; the longest row has {max(r.tokens + r.lost for r in cut)} tokens"
        )
    if problems:
        raise MaskError(several(problems), "; ".join(dict.fromkeys(hints)))


def _named(rows: Sequence[CertifiedRow], limit: int = 20) -> str:
    names = ", ".join(row.example for row in rows[:limit])
    more = f" and {len(rows) - limit} more" if len(rows) > limit else ""
    return f"{len(rows)} {'row' if len(rows) == 1 else 'rows'}: {names}{more}"


def data_hash(examples: Sequence[Example]) -> str:
    """Identify examples by what rendering sees of them: ids, turns and references, in their order."""
    return content_hash([[example.id, example.messages, example.references] for example in examples])


def template_hash(tokenizer: Any) -> str:
    """Identify the chat template."""
    return content_hash(tokenizer.chat_template)


def tokenizer_hash(tokenizer: Any) -> str:
    """Identify everything that decides how text becomes tokens: vocabulary, normaliser, added tokens."""
    if tokenizer.is_fast:
        state = json.loads(tokenizer.backend_tokenizer.to_str())
        # Calls change these two without changing what the tokenizer is.
        state.pop("truncation", None)
        state.pop("padding", None)
        text = json.dumps(state, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]
    return content_hash(
        [tokenizer.get_vocab(), type(tokenizer).__name__, sorted(tokenizer.all_special_tokens)]
    )
