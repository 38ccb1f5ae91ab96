"""Gain and harm against strength: the smallest effective dose, the first harmful one, and what to do about either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from trimtab.records import Comparison, GuardResult

STRENGTHS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0)
ERROR = 0.05
# Below this share of the usual variety answers have become alike; above this share of copies they are remembered.
COLLAPSED = 0.5
REMEMBERED = 0.05

Kind = Literal["over", "under"]
Name = Literal[
    "guard lost", "target worse", "diversity collapse", "memorised answers", "gain too small", "still growing"
]


@dataclass(frozen=True, slots=True)
class Dose:
    """One strength, measured on select against the base model.

    Attributes:
        strength: 0 is the base model, 1 the stack as fitted.
        variety: distinct word pairs per word pair over all answers, 0 to 1; nan where there are too few.
        usual: the same of the references or the base model's answers, the smaller of the two, on as many pairs.
        copied: share of answers, 0 to 1, that hold 12 words in a row of the references of another example of tune.
    """

    strength: float
    stack: str
    target: Comparison
    guards: tuple[GuardResult, ...]
    variety: float
    usual: float
    copied: float

    @property
    def effective(self) -> bool:
        """Whether its gain is shown to be above the smallest worth having."""
        return self.target.outcome == "better"

    @property
    def lost(self) -> list[str]:
        """Suites of the guards that are shown to be breached."""
        return [g.suite for g in self.guards if g.comparison.outcome == "breached"]

    @property
    def harmful(self) -> bool:
        """Whether it is shown to harm: a guard breached, or the target worse than the base model's."""
        return bool(self.lost) or self.target.outcome == "worse"


@dataclass(frozen=True, slots=True)
class Finding:
    """Too much or too little: what was seen, from which strength on, and what to do about it."""

    kind: Kind
    name: Name
    strength: float
    said: str
    remedy: str


def level(strengths: Sequence[float]) -> float:
    """Level of every interval: 95% shared out, so that all strengths together err at most 5% of the time.

    By Bonferroni's inequality over the strengths other than 0, for one curve: the target's, or one guard's.
    """
    return 1 - ERROR / max(1, sum(strength != 0 for strength in strengths))


def smallest_effective(doses: Sequence[Dose]) -> float | None:
    """The smallest strength whose interval lies above the smallest gain worth having; None if none does."""
    return min((dose.strength for dose in doses if dose.effective), default=None)


def first_harmful(doses: Sequence[Dose]) -> float | None:
    """The smallest strength that breaches a guard or makes the target worse; None if none is shown to."""
    return min((dose.strength for dose in doses if dose.harmful), default=None)


def findings(doses: Sequence[Dose], growing: Comparison | None) -> tuple[Finding, ...]:
    """Signs of too much, then of too little, each with its remedy.

    Args:
        doses: by strength, ascending; 0 among them.
        growing: the largest strength against the one before it, paired on the same items; None if there is no pair.
    """
    return (*_too_much(doses), *_too_little(doses, growing))


def _too_much(doses: Sequence[Dose]) -> list[Finding]:
    found = []
    safe = _safe(doses)
    less = f"use strength {safe:g}, which gains enough without such harm" if safe is not None else ""
    lost = _first(doses, [bool(dose.lost) for dose in doses])
    if lost:
        said = f"{', '.join(lost.lost)} got worse by more than the margin"
        remedy = (
            less
            or "train with a smaller rate, fewer epochs or fewer blocks, or mix general text into the data"
        )
        found.append(Finding("over", "guard lost", lost.strength, said, remedy))
    worse = _first(doses, [dose.target.outcome == "worse" for dose in doses])
    if worse:
        remedy = (
            less or "look at the worst outputs and mend the examples: what is learned points the wrong way"
        )
        said = "the target itself is worse than the base model's"
        found.append(Finding("over", "target worse", worse.strength, said, remedy))
    alike = _first(doses, [dose.variety < COLLAPSED * dose.usual for dose in doses])
    if alike:
        said = f"answers repeat one another: {alike.variety:.2f} distinct word pairs a pair, usual is {alike.usual:.2f}"
        remedy = "use less strength or fewer epochs, and look for one answer that many examples share"
        found.append(Finding("over", "diversity collapse", alike.strength, said, remedy))
    base = next((dose.copied for dose in doses if dose.strength == 0), 0.0)
    learned = _first(doses, [dose.copied > base + REMEMBERED for dose in doses])
    if learned:
        said = f"{learned.copied:.0%} of the answers hold 12 words in a row of another example's good answer"
        remedy = "train for fewer epochs or with a lower rank, and remove repeated examples"
        found.append(Finding("over", "memorised answers", learned.strength, said, remedy))
    return found


def _too_little(doses: Sequence[Dose], growing: Comparison | None) -> list[Finding]:
    found = []
    last = doses[-1]
    unharmed = not any(dose.harmful for dose in doses)
    if not any(dose.effective for dose in doses):
        best = max(doses, key=_gain)
        said = f"no strength is shown to gain enough; the most is {best.target.difference}"
        remedy = (
            "train longer, on more examples or with a higher rank; where the interval is wide, more items tell more"
            if unharmed
            else "a stronger dial only harms: change the data or the kind of adjustment"
        )
        found.append(Finding("under", "gain too small", best.strength, said, remedy))
    if growing is not None and growing.outcome == "better" and not last.harmful:
        said = f"the gain is still growing at strength {last.strength:g}: {growing.difference} over the strength before"
        remedy = "train longer or with a larger rate: as fitted, the change stops short of what it could be"
        found.append(Finding("under", "still growing", last.strength, said, remedy))
    return found


def _safe(doses: Sequence[Dose]) -> float | None:
    """The largest strength that is shown to gain enough, below every strength that is shown to harm."""
    harmful = first_harmful(doses)
    return max(
        (d.strength for d in doses if d.effective and (harmful is None or d.strength < harmful)), default=None
    )


def _first(doses: Sequence[Dose], signs: Sequence[bool]) -> Dose | None:
    return next((dose for dose, sign in zip(doses, signs, strict=True) if sign), None)


def _gain(dose: Dose) -> float:
    value = dose.target.difference.value
    return value if value == value else float("-inf")
