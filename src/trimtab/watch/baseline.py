"""What traffic is held against: figures of answers that were given when the stack was confirmed, and their weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from trimtab.errors import MissingPart, StatisticsError
from trimtab.measure.contract import optional
from trimtab.model.sentences import Encoder
from trimtab.records import content_hash
from trimtab.run import RunFolder
from trimtab.stats.intervals import Array
from trimtab.stats.sequential.ranks import NONE, Codes
from trimtab.watch.features import COSINE, FIGURES, YES_NO, Features, Grid, features
from trimtab.watch.meaning import LEAST, LEAST_FOR_TOPICS, Landmarks, landmarks
from trimtab.watch.rows import Traffic, rows_of

FEWEST = 20
# The share of the rows that teach what texts are about: more would teach it better and leave fewer to compare with.
LEARNED = 0.25
# What is read from meaning, and from how many texts it has to be learned.
MEANING: Mapping[str, int] = {"prompts": LEAST, "answers": LEAST, "topics": LEAST_FOR_TOPICS}
# What is watched, and its part of the chance of a false alarm.
WEIGHTS: Mapping[str, float] = dict.fromkeys((*FIGURES, *MEANING), 1.0)


@dataclass(frozen=True, slots=True)
class Column:
    """One figure of a quantity: its name, the grid that it is counted on, and the baseline's values (n,) on it."""

    name: str
    grid: Grid
    codes: Codes


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something that is watched as one. `alpha`: its part of the chance of a false alarm, shared by its columns."""

    name: str
    columns: tuple[Column, ...]
    alpha: float

    @property
    def needed(self) -> float:
        """The evidence, in nats, at which a column gives the alarm."""
        return math.log(len(self.columns) / self.alpha)


@dataclass(frozen=True, slots=True)
class Baseline:
    """What is known before the first row of traffic.

    Attributes:
        stack: hash of the stack whose traffic is watched.
        quantities: what is watched; missing: what is not, and why.
        alpha: the chance that a stream which stays as the baseline ever gives a false alarm.
        prompts, answers: landmarks of their meaning, None without an encoder.
        fingerprint: of all of it; a state of one baseline is not gone on with under another.
    """

    stack: str
    quantities: tuple[Quantity, ...]
    missing: Mapping[str, str]
    alpha: float
    encoder: Encoder | None
    prompts: Landmarks | None
    answers: Landmarks | None
    fingerprint: str

    @property
    def topics(self) -> Mapping[str, str]:
        """What each figure of topics is about, in words of the prompts."""
        names = self.prompts.names if self.prompts is not None else ()
        return {f"topic {number}": name for number, name in enumerate(names, 1)}

    def figures(self, rows: Sequence[Traffic]) -> dict[str, dict[str, Array]]:
        """The figures of some rows: by quantity, by column, (n,) each, nan where undefined."""
        named = [quantity.name for quantity in self.quantities if quantity.name in FIGURES]
        return _figures(features(rows, named, self.encoder), self.prompts, self.answers)


def baseline(
    rows: Sequence[Traffic],
    *,
    alpha: float = 0.05,
    weights: Mapping[str, float] = WEIGHTS,
    encoder: Encoder | None = None,
    seed: int = 0,
) -> Baseline:
    """A baseline of answers that were given: of a run, or the first ones of the traffic.

    A quarter of the rows, drawn by the seed, teaches what texts are about; the others, and for figures without meaning
    all rows, are what traffic is compared with. weights: of `WEIGHTS`, what shall be watched and its part of alpha;
    what cannot be watched leaves its part to the others.

    Raises:
        StatisticsError: fewer than 20 rows, rows of several stacks, an unknown name, a weight or alpha out of range,
            or nothing that can be watched.
    """
    _check(rows, alpha, weights)
    encoder = encoder if set(MEANING) & set(weights) else None
    missing = _missing(rows, weights, encoder)
    measured = features(rows, [name for name in FIGURES if name in weights and name not in missing], encoder)
    order = np.random.default_rng(seed).permutation(len(rows))
    taught = int(LEARNED * len(rows))
    learned, kept = np.sort(order[:taught]), np.sort(order[taught:])
    prompts = answers = None
    if measured.prompts is not None and measured.answers is not None and taught >= LEAST:
        prompts = landmarks(measured.prompts[learned], [rows[place].prompt for place in learned])
        answers = landmarks(measured.answers[learned])
    columns = {
        name: tuple(_column(name, column, values, kept) for column, values in of.items())
        for name, of in _figures(measured, prompts, answers).items()
        if name in weights and name not in missing
    }
    quantities = _quantities(columns, weights, alpha)
    told = [(q.name, q.alpha, [(c.name, c.grid, c.codes) for c in q.columns]) for q in quantities]
    identity = content_hash([rows[0].stack, told, seed, encoder.fingerprint if encoder else ""])
    return Baseline(rows[0].stack, quantities, missing, alpha, encoder, prompts, answers, identity)


def of_run(
    folder: RunFolder,
    stack: str = "",
    *,
    alpha: float = 0.05,
    weights: Mapping[str, float] = WEIGHTS,
    encoder: Encoder | None = None,
    seed: int = 0,
) -> Baseline:
    """The baseline of a run: what its stack (none given: that of the verdict) answered on select.

    What it answered on confirm is never kept, so that select stands for it; both are drawn from the same rows.

    Raises:
        RunError: the run has no verdict, or no answers of the stack.
        StatisticsError: as in `baseline`.
    """
    rows = rows_of(folder, stack or folder.verdict().stack)
    return baseline(rows, alpha=alpha, weights=weights, encoder=encoder, seed=seed)


def _check(rows: Sequence[Traffic], alpha: float, weights: Mapping[str, float]) -> None:
    stacks = {row.stack for row in rows}
    if len(rows) < FEWEST or len(stacks) > 1:
        raise StatisticsError(
            f"a baseline of {len(rows)} rows of {len(stacks)} stacks",
            f"give at least {FEWEST} rows that one stack answered; hundreds see smaller changes",
        )
    wrong = [name for name, weight in weights.items() if name not in WEIGHTS or not 0 < weight < math.inf]
    if wrong or not weights or not 0 < alpha < 1:
        raise StatisticsError(
            f"alpha {alpha:g}, and these weights are unknown or not above 0: {', '.join(wrong) or 'none given'}",
            f"alpha is between 0 and 1; weights are for {', '.join(WEIGHTS)}",
        )


def _missing(
    rows: Sequence[Traffic], weights: Mapping[str, float], encoder: Encoder | None
) -> dict[str, str]:
    """What of the weights cannot be watched, and why."""
    missing = {}
    if "sentiment" in weights:
        try:
            optional("vaderSentiment.vaderSentiment")
        except MissingPart as error:
            missing["sentiment"] = f"{error.message}; {error.hint}"
    if "confidence" in weights and sum(row.confidence is not None for row in rows) < FEWEST:
        missing["confidence"] = "the stack gives no confidence"
    for name, least in MEANING.items():
        needed = math.ceil(least / LEARNED)
        if name in weights and (encoder is None or len(rows) < needed):
            missing[name] = f"fewer than {needed} rows" if encoder else "no sentence encoder was given"
    if set(weights) <= set(missing):
        reasons = "; ".join(f"{name}: {reason}" for name, reason in missing.items())
        raise StatisticsError(
            f"nothing can be watched: {reasons}", f"give weights for some of {', '.join(WEIGHTS)}"
        )
    return missing


def _figures(
    measured: Features, prompts: Landmarks | None, answers: Landmarks | None
) -> dict[str, dict[str, Array]]:
    found = {name: {name: values} for name, values in measured.figures.items()}
    if prompts is not None and measured.prompts is not None:
        found["prompts"] = prompts.figures(measured.prompts)
        if prompts.centres is not None:
            found["topics"] = prompts.topic(measured.prompts)
    if answers is not None and measured.answers is not None:
        found["answers"] = answers.figures(measured.answers)
    return found


def _column(quantity: str, name: str, values: Array, kept: Codes) -> Column:
    if quantity in FIGURES:
        codes = FIGURES[quantity].place(values)
        return Column(name, FIGURES[quantity], codes[codes != NONE])
    grid = YES_NO if quantity == "topics" else COSINE
    return Column(name, grid, grid.place(values[kept]))


def _quantities(
    columns: Mapping[str, tuple[Column, ...]], weights: Mapping[str, float], alpha: float
) -> tuple[Quantity, ...]:
    total = sum(weights[name] for name in columns)
    return tuple(Quantity(name, of, alpha * weights[name] / total) for name, of in columns.items())
