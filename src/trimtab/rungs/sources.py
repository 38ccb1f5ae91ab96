"""What a fitted candidate rests on: parts of the data, and files of rows beside them."""

from __future__ import annotations

from pathlib import Path

from trimtab.candidates import Candidate, Trained
from trimtab.lineage import AUGMENTED, Learned
from trimtab.prepare import Prepared
from trimtab.rungs import augmenting


def learned_from(prepared: Prepared, candidate: Candidate, stack: str, fit: str) -> Learned:
    """The record of a stack: tune, select where its loss says when to stop or a confidence was calibrated, and pairs.

    Rows that were made of tune are a part of their own.

    Kinds that only compare settings on tune rest on it as well: a row less might have decided otherwise.
    """
    patience = 0
    if isinstance(candidate, Trained):
        patience = prepared.recipe.training.patience if candidate.patience is None else candidate.patience
    pairs = str(getattr(candidate, "pairs", ""))
    files = (pairs,) if pairs and Path(pairs).is_file() else ()
    calibrated = getattr(candidate, "confidence", None) is not None
    parts = {"select": patience or calibrated, AUGMENTED: augmenting.learned_by(prepared.recipe, candidate)}
    return Learned(stack, fit, ("tune", *(part for part, learned in parts.items() if learned)), files)
