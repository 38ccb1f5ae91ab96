"""Where a review of a run stands, and what it comes to: into review.json, the verdict, and rows to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from trimtab import stats
from trimtab.decide import people
from trimtab.document import write_report
from trimtab.errors import ReviewError
from trimtab.recipe import load as load_recipe
from trimtab.records import Verdict, plain
from trimtab.review import learning, machines, reading, sampling
from trimtab.review.analysis import Analysis
from trimtab.review.overview import analysed
from trimtab.review.reading import Said
from trimtab.review.sampling import Purpose, Review
from trimtab.review.store import Store
from trimtab.reviewing import identity
from trimtab.run import RunFolder


@dataclass(frozen=True, slots=True)
class Standing:
    """A review as it stands now.

    Attributes:
        content: what review.json holds of it, JSON values.
        verdict: of the run, as it is or would be with these judgements.
    """

    review: Review
    analysis: Analysis
    content: dict[str, Any]
    verdict: Verdict


def standing(path: Path | str, store: Store, purpose: Purpose | Literal[""] = "") -> Standing:
    """Where the newest review of a run stands, of a purpose if one is given. Looking costs nothing.

    Raises:
        RunError: there is no such run.
        ReviewError: it has no such review.
    """
    folder = RunFolder.open(path)
    review = _newest(store, folder, purpose)
    return _standing(folder, store, review, reading.said(store, review.id))


def conclude(path: Path | str, store: Store, purpose: Purpose | Literal[""] = "") -> Standing:
    """End the newest review of a run and take what people judged into the run: figures, verdict, report.

    What was judged for learning is written as rows as well. Given again, it writes the same.

    Raises:
        RunError: there is no such run, or another process works on it.
        ReviewError: it has no such review, or nobody has judged.
    """
    folder = RunFolder.open(path)
    review = _newest(store, folder, purpose)
    said = reading.said(store, review.id)
    if not said:
        raise ReviewError(
            f"{folder.path}: nobody has judged in review {review.id}", f"invite people: trimtab review {path}"
        )
    with folder.locked():
        found = _standing(folder, store, review, said)
        if review.purpose == "learning":
            candidate = review.stacks[1]
            folder.write_rows("review/corrections.jsonl", learning.corrections(said, candidate))
            folder.write_rows("review/preferences.jsonl", learning.preferences(said))
            folder.write_rows("review/flags.jsonl", learning.flags(said))
        _note_seen(folder, review, reading.seen(store, review.id))
        known = folder.read("review.json") if folder.has("review.json") else {}
        folder.write("review.json", known | {review.purpose: found.content})
        if review.purpose == "verdict":
            folder.write("verdict.json", found.verdict)
        write_report(folder)
        sampling.close(store, review.id)
    return found


def _newest(store: Store, folder: RunFolder, purpose: Purpose | Literal[""]) -> Review:
    known = [one for one in sampling.found(store, identity(folder)) if purpose in ("", one.purpose)]
    if not known:
        what = f"no review for {purpose}" if purpose else "no review"
        raise ReviewError(f"{folder.path}: {what} was begun", f"begin one: trimtab review {folder.path}")
    return known[-1]


def _standing(folder: RunFolder, store: Store, review: Review, said: Sequence[Said]) -> Standing:
    asked = load_recipe(folder.path / "recipe.yaml").review
    analysis, verdict = analysed(store, review), folder.measured()
    if review.purpose == "verdict" and asked.required:
        verdict = people.concluded(verdict, analysis.win_rate, asked.role, asked.margin)
    items = len(reading.order(store, review.id))
    content = _content(review, analysis, said, items) | {"machines": plain(machines.held(store, review))}
    return Standing(review, analysis, content, verdict)


def _content(review: Review, analysis: Analysis, said: Sequence[Said], items: int) -> dict[str, Any]:
    """What review.json keeps: figures, and no text that was shown or written."""
    real = [one.vote for one in said if one.vote.share in ("estimate", "chosen") and not one.vote.again]
    about = {
        "review": review.id,
        "purpose": review.purpose,
        "begun": review.made,
        "question": review.plan.question,
        "per_item": review.plan.per_item,
        "stacks": review.stacks,
        "guidelines": review.guidelines.get("version", ""),
        "role": "goal" if review.plan.margin is None else "guard",
        "items": items,
        "judgements": len(real),
    }
    ratings = {
        rule: {stack: stats.wilson(kept, count) for stack, (kept, count) in stacks.items()}
        for rule, stacks in learning.ratings(said).items()
    }
    found: dict[str, Any] = plain(about | {"analysis": analysis, "ratings": ratings})
    return found


def _note_seen(folder: RunFolder, review: Review, items: Sequence[str]) -> None:
    """Add to the items that people saw; they are no longer fresh, whatever was said of them."""
    part = "confirm" if review.purpose == "verdict" else "select"
    known = folder.read("review/seen.json") if folder.has("review/seen.json") else {}
    seen = {name: known.get(name, []) for name in ("select", "confirm")}
    folder.write("review/seen.json", seen | {part: sorted({*seen[part], *items})})
