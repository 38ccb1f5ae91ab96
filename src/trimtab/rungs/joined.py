"""The rung *combined*: chosen stacks as one, in which nothing is kept that was calibrated for a part alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trimtab.adjust.confidence import Confidence
from trimtab.adjust.stack import Stack
from trimtab.adjust.watermark import Watermark
from trimtab.records import content_hash
from trimtab.run import RunFolder
from trimtab.rungs import confidence
from trimtab.rungs.workshop import Workshop


def join(shop: Workshop, parts: Sequence[Stack], folder: RunFolder) -> tuple[Stack, dict[str, Any]]:
    """Stacks as one, in this order, and what that cost; a confidence among them is calibrated for the whole.

    What was joined before lies in the run folder, and is read from there.
    """
    record = f"fits/combined-{content_hash([part.hash for part in parts], length=8)}.json"
    if folder.has(record):
        known = folder.read(record)
        return Stack.load(folder.trial(known["stack"])), known["cost"]
    found = [adjustment for part in parts for adjustment in part.adjustments]
    # The run's watermark stands under each part, and once under the whole.
    once = [a for number, a in enumerate(found) if not (isinstance(a, Watermark) and a in found[:number])]
    whole = Stack(tuple(once))
    cost: dict[str, Any] = {}
    if any(isinstance(adjustment, Confidence) for adjustment in whole.adjustments):
        whole, cost["confidence"] = confidence.again(shop, whole)
    whole.save(folder.trial(whole.hash))
    folder.write(record, {"stack": whole.hash, "cost": cost})
    return whole, cost
