"""A row as pieces of text with and without loss, for showing it in colour."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from trimtab.records import TokenRow


def segments(row: TokenRow, tokenizer: Any) -> list[tuple[str, bool]]:
    """The text of a row, cut where supervision begins or ends: (text, supervised) in order."""
    pieces = []
    for supervised, run in groupby(zip(row.ids, row.supervised, strict=True), key=lambda pair: bool(pair[1])):
        ids = [int(number) for number, _ in run]
        pieces.append((str(tokenizer.decode(ids, skip_special_tokens=False)), supervised))
    return pieces
