"""Which blocks carry an attribute: four measures of every block, on pairs that nothing was fitted on, and a ranking.

    probe       whether a linear classifier reads the attribute from what leaves the block
    steering    what a direction fitted at the block adds to the likelihood of the positive answers
    gradient    how far that likelihood moves with the block's weights
    ablation    what is lost of it when the block is skipped; beside it the loss of the positive answers

A probe shows what can be read, not what is used (Belinkov 2022, Computational Linguistics 48(1), section 4); the
others change the network or its gradient, and show what is used. They need not agree, and the ranking says where each
stands.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from trimtab import stats
from trimtab.adjust.contrast import LEAST_PAIRS, Contrast
from trimtab.adjust.stack import Attached
from trimtab.errors import DataError
from trimtab.model import activations, sites
from trimtab.model.load import Base
from trimtab.probe import linear
from trimtab.probe.layers import effects
from trimtab.probe.layers.effects import Scored, States, Steer
from trimtab.probe.opened import Opened
from trimtab.records import Estimate, Progress, Report

Array = NDArray[np.float64]
Measure = Literal["probe", "steering", "gradient", "ablation"]
MEASURES: tuple[Measure, ...] = get_args(Measure)
CHANCE = 0.5


@dataclass(frozen=True, slots=True)
class Settings:
    """How blocks are looked at.

    Attributes:
        folds: parts of the pairs; each is tried with what the others gave.
        penalty: of the probe, see `linear.ridge`.
        steer: how directions are fitted, and how far they are followed.
        most: pairs that are read; of more, as many are drawn.
        level: of the intervals, each for itself.
    """

    folds: int = 5
    penalty: float = linear.PENALTY
    steer: Steer = field(default_factory=Steer)
    most: int = 64
    level: float = 0.95
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Block:
    """One block; intervals over pairs, those of a group together.

    Attributes:
        probe: share of texts classified rightly, 0 to 1; chance is 0.5.
        steering: nats a token that the margin of a pair gains by steering, see `effects.steered`.
        gradient: length of the margin's gradient by the block's weights, nats a token for length 1.
        ablation: nats a token that the margin falls when the block is skipped.
        loss: nats a token that the loss of the positive answers rises when the block is skipped.
    """

    block: int
    probe: Estimate
    steering: Estimate
    gradient: Estimate
    ablation: Estimate
    loss: Estimate

    def of(self, measure: Measure) -> Estimate:
        """The estimate of a measure."""
        found: Estimate = getattr(self, measure)
        return found


@dataclass(frozen=True, slots=True)
class Blocks:
    """All blocks, first to last.

    Attributes:
        margin: nats a token by which the network as it is finds the positive answers likelier.
        pairs, groups: numbers of what was read; given: pairs that there were.
    """

    blocks: tuple[Block, ...]
    margin: Estimate
    pairs: int
    groups: int
    given: int
    settings: Settings


def survey(
    model: Base | Attached,
    pairs: Sequence[Contrast],
    groups: Sequence[str] = (),
    settings: Settings | None = None,
    *,
    report: Report | None = None,
) -> Blocks:
    """Look at every block of a network, with the adjustments that are attached.

    Args:
        groups: name of each pair's group, which stays in one fold; "" or none given: a group of its own.

    Raises:
        DataError: fewer than 4 pairs or 2 groups, as many groups as pairs are not given, or a pair is twice the same.
        ModelError: the model is a service, or its blocks are not found.
    """
    settings = settings or Settings()
    base = Opened.of(model).base
    names = list(groups) or [""] * len(pairs)
    chosen = _chosen(pairs, names, settings)
    some, clusters = [pairs[place] for place in chosen], [names[place] for place in chosen]
    fold = linear.folds(clusters, settings.folds, settings.seed)
    count = len(sites.block_names(base.network))
    states = _states(base, some, _telling(report, "reading pairs"))
    slopes = effects.gradients(base, some, _telling(report, "gradients"))
    whole = effects.scored(base, some)
    over = _Over(clusters, settings)
    tell, found = _telling(report, "blocks"), []
    for block in range(count):
        right = linear.correct(states.positive[:, block], states.negative[:, block], fold, settings.penalty)
        gained = effects.steered(base, some, states, block, fold, settings.steer)
        found.append(
            _block(block, over, (right, gained, slopes[:, block]), whole, effects.skipped(base, some, block))
        )
        if tell:
            tell(block + 1, count)
    together = len({name or place for place, name in enumerate(clusters)})
    return Blocks(tuple(found), over(whole.margin), len(some), together, len(pairs), settings)


@dataclass(frozen=True, slots=True)
class _Over:
    """Means over pairs with their intervals."""

    clusters: list[str]
    settings: Settings

    def __call__(self, values: Array, bounds: tuple[float, float] | None = None) -> Estimate:
        return stats.interval(
            values, clusters=self.clusters, level=self.settings.level, bounds=bounds, seed=self.settings.seed
        )

    def share(self, values: Array) -> Estimate:
        """Of values from 0 to 1, which differ from 0.5 by at most 0.5: what was not seen cannot lie farther off."""
        one = self(values - CHANCE, (0.0, 0.5))
        moved = {name: getattr(one, name) + CHANCE for name in ("value", "low", "high")}
        return dataclasses.replace(one, **moved)


def _block(block: int, over: _Over, own: tuple[Array, Array, Array], whole: Scored, without: Scored) -> Block:
    right, gained, slope = own
    return Block(
        block,
        over.share(right),
        over(gained),
        over(slope),
        over(whole.margin - without.margin),
        over(whole.positive - without.positive),
    )


def _states(base: Base, pairs: Sequence[Contrast], tell: effects.Tell | None) -> States:
    rows = [row for pair in pairs for row in (pair.positive, pair.negative)]
    read = activations.read(base, rows, report=tell)
    positive, negative = (read.means[side::2].astype(np.float64) for side in (0, 1))
    return States(positive, negative, read.norms.astype(np.float64))


def _chosen(pairs: Sequence[Contrast], names: Sequence[str], settings: Settings) -> list[int]:
    if len(pairs) < LEAST_PAIRS:
        raise DataError(
            f"layers: {len(pairs)} pairs, expected at least {LEAST_PAIRS}", "some dozen are usual"
        )
    if len(names) != len(pairs):
        raise DataError(
            f"layers: {len(names)} groups for {len(pairs)} pairs", "name one for each pair, or none"
        )
    same = [place for place, pair in enumerate(pairs) if _alike(pair)]
    if same:
        raise DataError(
            f"layers: pairs {same[:10]} are twice the same text or lack an answer", "leave them out"
        )
    if len(pairs) <= settings.most:
        return list(range(len(pairs)))
    drawn = np.random.default_rng(settings.seed).choice(len(pairs), settings.most, replace=False)
    return sorted(int(place) for place in drawn)


def _alike(pair: Contrast) -> bool:
    one, two = pair.positive, pair.negative
    # The first token of a row is predicted from nothing, so it is no answer.
    return np.array_equal(one.ids, two.ids) or not (one.supervised[1:].any() and two.supervised[1:].any())


def _telling(report: Report | None, stage: str) -> effects.Tell | None:
    if report is None:
        return None
    return lambda done, total: report(Progress(f"layers: {stage}", done, total))
