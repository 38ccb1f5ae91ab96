"""The rung *postprocess*: rules of the guidelines, or rules learned from what base answers do and references do not."""

from __future__ import annotations

import difflib
import time
from collections.abc import Sequence

from trimtab.adjust.grounded import Source, claims
from trimtab.adjust.postprocess import Postprocess
from trimtab.candidates import PostprocessCandidate
from trimtab.errors import RecipeError
from trimtab.guidelines import Guidelines
from trimtab.records import Example
from trimtab.rungs import learned
from trimtab.rungs.workshop import Fitted, Speed, Workshop

# Where half of the references state facts, and this share of those none that their question does not hold, an answer
# that states others is likely to be wrong; else editing them out would take away what is wanted.
STATING, GROUNDED, LOOKED_AT = 0.5, 0.9, 200


def defaults(shop: Workshop, speed: Speed, seconds: float) -> Sequence[PostprocessCandidate]:
    """The rules alone; and with the check of facts where references state facts, all of them their question's."""
    plain = PostprocessCandidate()
    rows = shop.prepared.parts["tune"][:LOOKED_AT]
    stating = [row for row in rows if _states(row, Source(()))]
    ungrounded = sum(_states(row, Source(m.content for m in row.messages)) for row in stating)
    if len(stating) < STATING * len(rows) or ungrounded > (1 - GROUNDED) * len(stating):
        return [plain]
    return [plain, PostprocessCandidate(facts="replace")]


def seconds(shop: Workshop, candidate: PostprocessCandidate, speed: Speed) -> float:
    """Time that the base answers take which rules are learned from; none where rules are given.

    Raises:
        RecipeError: as `fit`, before anything is spent.
    """
    return 0.0 if _given(shop, candidate) else learned.seconds(shop, speed)


def fit(shop: Workshop, candidate: PostprocessCandidate) -> Fitted:
    """The rules that the candidate names, or those learned from tune.

    Raises:
        RecipeError: it names a rule that the guidelines do not hold.
    """
    started = time.monotonic()
    given = _given(shop, candidate)
    found = learned.Learned(given, (), 0) if given else learned.learn(shop)
    adjustment = Postprocess(found.guidelines, candidate.facts, candidate.draws)
    cost = {"seconds": time.monotonic() - started, "tokens": found.tokens, "learned": found.evidence}
    return Fitted(adjustment, cost)


def _given(shop: Workshop, candidate: PostprocessCandidate) -> Guidelines | None:
    """The rules of the guidelines that the candidate names; None where there are no guidelines."""
    given = shop.prepared.guidelines
    if given is not None:
        return _chosen(given, candidate.rules)
    if candidate.rules:
        raise RecipeError(
            f"candidates.postprocess: rules {', '.join(candidate.rules)}, but there are no guidelines",
            "name the file of rules in the recipe: guidelines: guidelines.yaml",
        )
    return None


def _chosen(given: Guidelines, wanted: tuple[str, ...]) -> Guidelines:
    known = [rule.id for rule in given.rules]
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            raise RecipeError(
                f"candidates.postprocess: no rule {name!r} in the guidelines{meant}",
                f"rules: {', '.join(known)}",
            )
    return given.only(wanted)


def _states(example: Example, source: Source) -> bool:
    """Whether a reference states something that a source does not hold."""
    return any(claims(reference, source) for reference in example.references)
