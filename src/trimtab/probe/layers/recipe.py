"""The survey of blocks with a recipe's own pairs: references of tune against what the base model answers."""

from __future__ import annotations

from trimtab.adjust.contrast import LEAST_PAIRS
from trimtab.candidates import SteeringCandidate
from trimtab.errors import DataError
from trimtab.probe.layers.surveying import Blocks, Settings, survey
from trimtab.records import Report
from trimtab.rungs import contrasts
from trimtab.rungs.workshop import Workshop

MOST = 4096


def of_shop(shop: Workshop, most: int, report: Report | None = None) -> Blocks:
    """Look at every block of the base model, with pairs like those that the rung *steering* takes by itself.

    Pairs whose rows belong together, by their group or their prompt, stay in one fold.

    Args:
        most: pairs to draw answers for and to read, 4 to 4096, drawn from tune by the recipe's seed.

    Raises:
        DataError: another number, or too few pairs or groups.
        ModelError: the model is a service, or its blocks are not found.
    """
    if not LEAST_PAIRS <= most <= MOST:
        raise DataError(f"layers: {most} pairs, expected {LEAST_PAIRS} to {MOST}", "some dozen are usual")
    found = contrasts.pairs(shop, SteeringCandidate(most=most))
    settings = Settings(most=most, seed=shop.prepared.recipe.seed)
    return survey(shop.base, found.rows, found.groups, settings, report=report)
