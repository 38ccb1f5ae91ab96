"""Hits of millions of rows in little memory: figures in arrays, words once in a table."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from trimtab.audit.findings import Finding, Hit, Span
from trimtab.audit.kinds import KINDS

_NONE = -1


class Pack(NamedTuple):
    """Hits of one kind: (n, 6) int32 of row, field, start, end, type and note, words by their place in `words`.

    -1 stands for no span and for no note. A pack of plain hits, without either, is (n, 1).
    """

    table: np.ndarray
    words: list[str]


def pack(hits: Iterable[Hit]) -> dict[str, Pack]:
    """Hits by kind."""
    lines: dict[str, list[tuple[int, ...]]] = defaultdict(list)
    words: dict[str, dict[str, int]] = defaultdict(dict)
    for hit in hits:
        known = words[hit.kind]
        note = known.setdefault(hit.note, len(known)) if hit.note else _NONE
        if hit.span is None:
            lines[hit.kind].append((hit.row, _NONE, _NONE, _NONE, _NONE, note))
            continue
        span = hit.span
        field, what = (known.setdefault(word, len(known)) for word in (span.field, span.type))
        lines[hit.kind].append((hit.row, field, span.start, span.end, what, note))
    found = {}
    for kind, ones in lines.items():
        table = np.array(ones, dtype=np.int32)
        plain = bool((table[:, 1:] == _NONE).all())
        found[kind] = Pack(table[:, :1].copy() if plain else table, list(words[kind]))
    return found


class Collected:
    """All hits of an audit, added pack by pack."""

    def __init__(self) -> None:
        self._tables: dict[str, list[np.ndarray]] = defaultdict(list)
        self._words: dict[str, dict[str, int]] = defaultdict(dict)

    def add(self, packs: Mapping[str, Pack]) -> None:
        """Take the packs of one part of the rows."""
        for kind, (table, said) in packs.items():
            if table.shape[1] > 1:
                known = self._words[kind]
                codes = np.array(
                    [*(known.setdefault(word, len(known)) for word in said), _NONE], dtype=np.int32
                )
                table[:, (1, 4, 5)] = codes[table[:, (1, 4, 5)]]
            self._tables[kind].append(table)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of which there are hits."""
        return tuple(self._tables)

    def hits(self, kinds: Sequence[str]) -> Iterator[Hit]:
        """The hits of some kinds again."""
        for kind in kinds:
            words = list(self._words[kind])
            for table in self._tables.get(kind, ()):
                for line in table.tolist():
                    yield _hit(kind, line, words)

    def replace(self, kinds: Sequence[str], hits: Iterable[Hit]) -> None:
        """Forget the hits of some kinds, and take these instead."""
        for kind in kinds:
            self._tables.pop(kind, None)
            self._words.pop(kind, None)
        self.add(pack(hits))

    def finding(self, kind: str) -> Finding:
        """The finding of a kind: its rows in order, its spans, and the first note of each row."""
        tables, words = self._tables[kind], list(self._words[kind])
        rows = np.unique(np.concatenate([table[:, 0] for table in tables]))
        hits = [_hit(kind, line, words) for table in tables if table.shape[1] > 1 for line in table.tolist()]
        spans = sorted(
            {hit.span for hit in hits if hit.span},
            key=lambda one: (one.row, one.field, one.start, one.end, one.type),
        )
        notes: dict[int, str] = {}
        for hit in hits:
            if hit.note:
                notes.setdefault(hit.row, hit.note)
        return Finding(kind, KINDS[kind].severity, tuple(rows.tolist()), tuple(spans), notes=notes)


def _hit(kind: str, line: Sequence[int], words: Sequence[str]) -> Hit:
    if len(line) == 1:
        return Hit(kind, line[0])
    row, field, start, end, what, note = line
    span = Span(row, words[field], start, end, words[what]) if field != _NONE else None
    return Hit(kind, row, span, words[note] if note != _NONE else "")
