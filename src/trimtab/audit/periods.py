"""Rows by month or year, from their dates, and whether the later half is like the earlier one."""

from __future__ import annotations

import datetime
import functools
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from trimtab import stats
from trimtab.audit import drift
from trimtab.audit.checks import tone
from trimtab.audit.checks.dates import of_row
from trimtab.audit.checks.languages import spoken
from trimtab.audit.checks.lengths import words_of
from trimtab.audit.drawing import MOST, Sample
from trimtab.audit.findings import Finding, Row
from trimtab.audit.kinds import KINDS
from trimtab.document.sections import Section, Table
from trimtab.errors import MissingPart
from trimtab.measure.tone import sentiment

# More months than this are counted by year.
MONTHS = 24
# To tell a language takes two milliseconds.
SPOKEN = 400
_SHOWN = 24


@dataclass(frozen=True, slots=True)
class Dated:
    """What is kept of a row that was drawn."""

    day: datetime.date
    prompt: int
    answer: int
    text: str


@dataclass
class Periods:
    """Rows, and the words of their answers, by month; of at most 2,000 rows all that is tested.

    Attributes:
        months: by YYYY-MM, how many rows and how many words of answers.
        undated: rows without a date.
        moved: whether rows of the later half mean other things, where meaning is looked at.
    """

    months: dict[str, tuple[int, int]] = field(default_factory=dict)
    undated: int = 0
    sample: Sample[Dated | None] = field(default_factory=Sample)
    moved: drift.Difference | None = None

    def add(self, row: Row) -> None:
        """Count a row."""
        day = of_row(row)
        if day is None:
            self.undated += 1
            return
        prompt, answer = words_of(row)
        self._count(f"{day.year:04}-{day.month:02}", 1, answer)
        if self.sample.wants(row.number):
            self.sample.take(row.number, Dated(day, prompt, answer, tone.answer(row)))

    def join(self, later: Periods) -> None:
        """Add the rows that follow."""
        self.undated += later.undated
        self.sample.join(later.sample)
        for month, (rows, words) in later.months.items():
            self._count(month, rows, words)
        for name in ("drawn", "sentiments", "told", "_tests"):
            self.__dict__.pop(name, None)

    def _count(self, month: str, rows: int, words: int) -> None:
        before = self.months.get(month, (0, 0))
        self.months[month] = before[0] + rows, before[1] + words

    @functools.cached_property
    def drawn(self) -> list[tuple[int, Dated]]:
        """The rows with a date that were drawn, with their numbers."""
        return [(number, one) for number, one in self.sample.drawn() if one is not None]

    @functools.cached_property
    def sentiments(self) -> np.ndarray:
        """Sentiment (n,) of those rows; nan where an answer is short, or vaderSentiment is not installed."""
        found = np.full(len(self.drawn), np.nan)
        try:
            metric = sentiment()
        except MissingPart:
            return found
        long = [place for place, (_, one) in enumerate(self.drawn) if one.text]
        found[long] = tone.scores(metric, [self.drawn[place][1].text for place in long])
        return found

    @functools.cached_property
    def told(self) -> list[tuple[Dated, str]]:
        """Of at most 400 of those rows, spread over all, the ones whose language is sure, with its code."""
        looked = [one for _, one in self.drawn[:: -(-len(self.drawn) // SPOKEN) or 1]]
        try:
            return [(one, code) for one in looked if (code := spoken(one.text))]
        except MissingPart:
            return []

    @property
    def usual(self) -> str:
        """The language of most of them; empty where none is told."""
        return next((code for code, _ in Counter(code for _, code in self.told).most_common(1)), "")

    @property
    def first(self) -> drift.Day:
        """The first day of the later half of the rows that were drawn; None where all are of one day."""
        return drift.cut([one.day for _, one in self.drawn])

    def tests(self) -> list[drift.Difference]:
        """What the halves are compared in, as far as there are enough rows."""
        return [one for one in (*self._tests, self.moved) if one]

    @functools.cached_property
    def _tests(self) -> list[drift.Difference | None]:
        """The tests that need no meaning."""
        first = self.first
        if first is None:
            return []
        later = np.array([one.day >= first for _, one in self.drawn])
        found: list[drift.Difference | None] = [
            drift.level("words of the answer", np.array([float(one.answer) for _, one in self.drawn]), later),
            drift.level("words of the prompt", np.array([float(one.prompt) for _, one in self.drawn]), later),
            drift.level("sentiment", self.sentiments, later),
        ]
        if self.told:
            mine = np.array([code == self.usual for _, code in self.told])
            since = np.array([one.day >= first for one, _ in self.told])
            found.append(drift.share(f"answers in {self.usual}", mine, since))
        return found

    def findings(self) -> Sequence[Finding]:
        """`drift`: the later rows among those drawn, where anything differs beyond chance after Holm's correction."""
        tests = self.tests()
        first = self.first
        sure = stats.holm([one.chance for one in tests])
        differ = [
            replace(one, chance=chance)
            for one, chance in zip(tests, sure, strict=True)
            if chance < drift.ALPHA
        ]
        if not differ or first is None:
            return ()
        rows = tuple(number for number, one in self.drawn if one.day >= first)
        said = "; ".join(f"{one.said} (p {one.chance:.2g})" for one in differ)
        detail = {
            "since": first.isoformat(),
            "looked_at": f"{len(self.drawn):,} rows with a date, at most {MOST:,} drawn by a seed",
            "differ": {one.name: one.chance for one in differ},
            "tested": [one.name for one in tests],
        }
        note = f"since {first.isoformat()}: {said}"
        return (Finding("drift", KINDS["drift"].severity, rows, notes={rows[0]: note}, detail=detail),)

    def sections(self) -> Sequence[Section]:
        """Rows by period; nothing where all are of one month and alike."""
        if len(self.months) < 2 and not self.findings():
            return ()
        period = _month if len(self.months) <= MONTHS else _year
        counts: dict[str, tuple[int, int]] = {}
        for month, (rows, words) in sorted(self.months.items()):
            before = counts.get(period(month), (0, 0))
            counts[period(month)] = before[0] + rows, before[1] + words
        feeling, language = self._means(period)
        cells = tuple(
            (name, f"{rows:,}", f"{words / rows:.1f}", feeling.get(name, "-"), language.get(name, "-"))
            for name, (rows, words) in counts.items()
        )
        header = (
            "period",
            "rows",
            "answer words",
            "sentiment",
            f"in {self.usual}" if self.usual else "language",
        )
        title = "rows by period" if len(cells) <= _SHOWN else f"rows by period, the last {_SHOWN}"
        data = {
            "undated": self.undated,
            "since": self.first.isoformat() if self.first else None,
            "periods": {
                name: {"rows": rows, "answer_words": words / rows} for name, (rows, words) in counts.items()
            },
            "tests": {one.name: {"p": one.chance, "said": one.said} for one in self.tests()},
        }
        return (
            Section("periods", "Periods", (self._said(),), (Table(title, header, cells[-_SHOWN:]),), data),
        )

    def _said(self) -> str:
        dated = sum(rows for rows, _ in self.months.values())
        said = (
            f"{dated:,} of {dated + self.undated:,} rows have a date. Sentiment and language are of at most {MOST:,} "
            f"and {SPOKEN} rows drawn by a seed, and so are the tests between the earlier and the later half"
        )
        tests = ", ".join(one.name for one in self.tests())
        # Rows that come in bundles, such as the pages of one site, are fewer rows than they seem.
        return f"{said} ({tests or 'none, too few rows'}), which take rows as independent of each other."

    def _means(self, period: Callable[[str], str]) -> tuple[dict[str, str], dict[str, str]]:
        """Mean sentiment and share of the usual language by period, as they are shown."""
        felt: dict[str, list[float]] = defaultdict(list)
        for (_, one), value in zip(self.drawn, self.sentiments.tolist(), strict=True):
            if np.isfinite(value):
                felt[period(one.day.isoformat()[:7])].append(value)
        mine: dict[str, list[float]] = defaultdict(list)
        for one, code in self.told:
            mine[period(one.day.isoformat()[:7])].append(float(code == self.usual))
        return (
            {name: f"{np.mean(values):+.2f}" for name, values in felt.items()},
            {name: f"{np.mean(values):.0%}" for name, values in mine.items()},
        )


def _month(month: str) -> str:
    return month


def _year(month: str) -> str:
    return month[:4]
