"""What is counted of groups of people over all rows: who is named where, in which sentences, and beside what."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from trimtab.audit.features import digest
from trimtab.audit.findings import Finding, Row
from trimtab.audit.groups import findings, saying
from trimtab.audit.groups.measured import Measured, measured
from trimtab.document.sections import Section
from trimtab.groups.axes import attributed, lexicon, words_of
from trimtab.language.text import sentences

# So many sentences of a group are rated: more would make intervals of sentiment narrower than they are worth.
RATED = 300
# Above so many sentences that name a group, those with the greater half of hashes are forgotten.
KEPT = 1 << 21
LONGEST = 500


@dataclass
class Named:
    """Rows that name a group, ascending: their numbers, and the bits of the groups in their prompts and answers."""

    rows: array[int] = field(default_factory=lambda: array("I"))
    prompts: array[int] = field(default_factory=lambda: array("Q"))
    answers: array[int] = field(default_factory=lambda: array("Q"))

    def join(self, later: Named) -> None:
        """Add those that follow."""
        self.rows += later.rows
        self.prompts += later.prompts
        self.answers += later.answers


@dataclass
class Spoken:
    """Sentences of answers that name a group: row, hash, bits of their groups and of their attributes.

    Attributes:
        below: only sentences with a hash below this are kept; halved when there are too many, so that which ones are
            kept depends on all of them, not on their order or on processes.
    """

    rows: array[int] = field(default_factory=lambda: array("I"))
    hashes: array[int] = field(default_factory=lambda: array("Q"))
    groups: array[int] = field(default_factory=lambda: array("Q"))
    attributes: array[int] = field(default_factory=lambda: array("Q"))
    below: int = 1 << 64

    def add(self, row: int, key: int, groups: int, attributes: int) -> None:
        """Count a sentence."""
        if key < self.below:
            self.rows.append(row)
            self.hashes.append(key)
            self.groups.append(groups)
            self.attributes.append(attributes)

    def join(self, later: Spoken) -> None:
        """Add those that follow."""
        for name in ("rows", "hashes", "groups", "attributes"):
            getattr(self, name).extend(getattr(later, name))
        self.below = min(self.below, later.below)
        self.thin()

    def thin(self) -> None:
        """Forget the greater half of all hashes until few enough are left."""
        while len(self.rows) > KEPT:
            self.below //= 2
            keep = np.frombuffer(self.hashes, np.uint64) < np.uint64(self.below)
            for name, kind in (("rows", "I"), ("hashes", "Q"), ("groups", "Q"), ("attributes", "Q")):
                left = np.frombuffer(getattr(self, name), np.dtype(kind))[keep]
                setattr(self, name, array(kind, left.tobytes()))


@dataclass
class Sample:
    """The sentences of a group with the least hashes, each with its row: the same sample for any order of rows."""

    kept: dict[int, tuple[int, str]] = field(default_factory=dict)
    below: int = 1 << 64

    def add(self, key: int, row: int, text: str) -> None:
        """Draw a sentence, or not."""
        if key < self.below and key not in self.kept:
            self.kept[key] = row, text[:LONGEST]
            if len(self.kept) >= 2 * RATED:
                self.cut()

    def cut(self) -> None:
        """Keep as many as are rated."""
        if len(self.kept) > RATED:
            keys = sorted(self.kept)[:RATED]
            self.kept = {key: self.kept[key] for key in keys}
            self.below = keys[-1]

    def join(self, later: Sample) -> None:
        """Add those of the rows that follow."""
        for key, (row, text) in later.kept.items():
            self.add(key, row, text)


@dataclass
class Groups:
    """Counts of the groups of people that prompts and answers name.

    Attributes:
        rows: how many rows have a prompt, and how many an answer.
        terms: rows by the place of a term in the lexicon, of prompts and of answers.
        samples: sentences to be rated, by the bit (1, 2, 4, ...) of their group.
    """

    rows: list[int] = field(default_factory=lambda: [0, 0])
    terms: tuple[list[int], list[int]] = field(
        default_factory=lambda: ([0] * len(lexicon().terms), [0] * len(lexicon().terms))
    )
    named: Named = field(default_factory=Named)
    spoken: Spoken = field(default_factory=Spoken)
    samples: dict[int, Sample] = field(default_factory=dict)

    def add(self, row: Row) -> None:
        """Count a row."""
        known = lexicon()
        met: tuple[set[int], set[int]] = (set(), set())
        has = [0, 0]
        for text in row.texts:
            if text.side == "other":
                continue
            side = int(text.side == "answer")
            has[side] = 1
            words = words_of(text.text)
            terms = known.named(words)
            for sentence, said, own in _naming(text.text, words, terms) if terms else ():
                met[side].update(own)
                if side:
                    self._sentence(row.number, sentence, said, own)
        self.rows[0] += has[0]
        self.rows[1] += has[1]
        if met[0] or met[1]:
            self.named.rows.append(row.number)
            for counts, terms, masks in zip(
                self.terms, met, (self.named.prompts, self.named.answers), strict=True
            ):
                bits = 0
                for term in terms:
                    counts[term] += 1
                    bits |= known.bits[term]
                masks.append(bits)

    def _sentence(self, row: int, sentence: str, words: Sequence[str], terms: set[int]) -> None:
        """Count a sentence of an answer that names a group."""
        key, bits, of = digest(sentence), 0, lexicon().bits
        for bit in {of[term] for term in terms}:
            bits |= bit
            sample = self.samples.get(bit)
            if sample is None:
                sample = self.samples[bit] = Sample()
            if key < sample.below:
                sample.add(key, row, sentence)
        self.spoken.add(row, key, bits, attributed(words))

    def join(self, later: Groups) -> None:
        """Add the counts of the rows that follow."""
        self.rows = [one + more for one, more in zip(self.rows, later.rows, strict=True)]
        for own, other in zip(self.terms, later.terms, strict=True):
            own[:] = (one + more for one, more in zip(own, other, strict=True))
        self.named.join(later.named)
        self.spoken.join(later.spoken)
        for bit, sample in later.samples.items():
            self.samples.setdefault(bit, Sample()).join(sample)

    @cached_property
    def _measured(self) -> Measured:
        for sample in self.samples.values():
            sample.cut()
        self.spoken.thin()
        return measured(self)

    def sections(self) -> Sequence[Section]:
        """Shares, sentiment and associations; nothing where no group is named."""
        return (saying.section(self._measured),) if self.named.rows else ()

    def findings(self) -> Sequence[Finding]:
        """`one_sided` and `group_share`."""
        return findings.found(self._measured) if self.named.rows else ()


def _naming(
    text: str, words: Sequence[str], terms: set[int]
) -> Iterator[tuple[str, Sequence[str], set[int]]]:
    """The sentences of a text that name a group, with their words and terms; given: those of the whole text."""
    text = text.strip()
    # Where no sentence can end before the text does, it is one: finding that out is quicker than parting it.
    before = text[:-1]
    if before.isascii() and not ("." in before or "!" in before or "?" in before or "\n" in before):
        yield text, words, terms
        return
    for sentence in sentences(text):
        own = words_of(sentence)
        if named := lexicon().named(own):
            yield sentence, own, named
