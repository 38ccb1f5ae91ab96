"""Where a review of a run stands, and what it comes to: into review.json, the verdict, and rows to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from trimtab.decide import people
from trimtab.document import model_card, write_report
from trimtab.errors import ReviewError
from trimtab.recipe import load as load_recipe
from trimtab.records import Verdict
from trimtab.review import learning, reading, sampling
from trimtab.review.analysis import Analysis
from trimtab.review.outcome import outcome
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
    said: Sequence[Said]
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
    return _standing(folder, store, review)


def conclude(path: Path | str, store: Store, purpose: Purpose | Literal[""] = "") -> Standing:
    """End the newest review of a run and take what people judged into the run: figures, verdict, report.

    What was judged for learning is written as rows as well; of live answers, which are rows of nobody, figures alone. A
    card that was made before is removed. Given again, it writes the same.

    Raises:
        RunError: there is no such run, or another process works on it.
        ReviewError: it has no such review, or nobody has judged.
    """
    folder = RunFolder.open(path)
    review = _newest(store, folder, purpose)
    with folder.locked():
        found = _standing(folder, store, review)
        said = found.said
        if not said:
            raise ReviewError(
                f"{folder.path}: nobody has judged in review {review.id}",
                f"invite people: trimtab review {path}",
            )
        if review.purpose == "learning":
            candidate = review.stacks[1]
            folder.write_rows("review/corrections.jsonl", learning.corrections(said, candidate))
            folder.write_rows("review/preferences.jsonl", learning.preferences(said))
            folder.write_rows("review/flags.jsonl", learning.flags(said))
        if review.purpose != "live":
            _note_seen(folder, review, reading.seen(store, review.id))
        known = folder.read("review.json") if folder.has("review.json") else {}
        folder.write("review.json", known | {review.purpose: found.content})
        if review.purpose == "verdict":
            folder.write("verdict.json", found.verdict)
        write_report(folder)
        model_card.outdated(folder)
        sampling.close(store, review.id)
    return found


def _newest(store: Store, folder: RunFolder, purpose: Purpose | Literal[""]) -> Review:
    wanted = (purpose,) if purpose else ("verdict", "learning")
    known = [one for one in sampling.found(store, identity(folder)) if one.purpose in wanted]
    if not known:
        what = f"no review for {purpose}" if purpose else "no review"
        raise ReviewError(f"{folder.path}: {what} was begun", f"begin one: trimtab review {folder.path}")
    return known[-1]


def _standing(folder: RunFolder, store: Store, review: Review) -> Standing:
    asked = load_recipe(folder.path / "recipe.yaml").review
    found, verdict = outcome(store, review), folder.measured()
    if review.purpose == "verdict" and asked.required:
        verdict = people.concluded(verdict, found.analysis.win_rate, asked.role, asked.margin)
    return Standing(review, found.said, found.analysis, found.content, verdict)


def _note_seen(folder: RunFolder, review: Review, items: Sequence[str]) -> None:
    """Add to the items that people saw; they are no longer fresh, whatever was said of them."""
    part = "confirm" if review.purpose == "verdict" else "select"
    known = folder.read("review/seen.json") if folder.has("review/seen.json") else {}
    seen = {name: known.get(name, []) for name in ("select", "confirm")}
    folder.write("review/seen.json", seen | {part: sorted({*seen[part], *items})})
