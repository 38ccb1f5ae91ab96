"""What users said of live answers, made the next round's recipe: corrections and liked answers, to tune on alone."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from trimtab import previous, rounds
from trimtab.data.split import prompt_key
from trimtab.errors import RunError
from trimtab.live import feedback
from trimtab.live.answers import Kept
from trimtab.live.feedback import Given
from trimtab.pipeline import stack_of
from trimtab.recipe import load as load_recipe
from trimtab.records import Example, Message
from trimtab.review.store import Store
from trimtab.run import RunFolder, read_json, read_rows

# A rating from which on an answer with a thumb up is taken for liked.
GOOD = 4
# The tag of a row that somebody wrote.
CORRECTED = "corrected"


@dataclass(frozen=True, slots=True)
class NextRound:
    """A round that learns from users.

    Attributes:
        recipe, rows: its files: the recipe, and the rows of users.
        corrected, liked: answers that are learned as people wrote them, and as they were given.
        sealed: rows left out, as select or confirm asks the same, or nearly so.
        owners: keys that they come from; most: how many of them one key gave.
    """

    recipe: Path
    rows: Path
    corrected: int
    liked: int
    sealed: int
    owners: int
    most: int


def next_round(
    run: Path | str, store: Store, *, stack: str = "", recipe: Path | str | None = None
) -> NextRound:
    """Write the next round of a run with what users corrected or liked of its stack's answers.

    What a review of the run said is taken along, where there was one. Users' rows are tuned on and prove nothing: the
    verdict of the round is about the rows that are sealed.

    Args:
        stack: whose answers; that of the verdict where none is named.
        recipe: for the round; that of the run where none is given.

    Raises:
        RunError: users said nothing to learn from, or as for `rounds.begin`.
    """
    folder = RunFolder.open(run)
    stack = stack or stack_of(folder)
    instruction = load_recipe(recipe or folder.path / "recipe.yaml").data.instruction
    examples = learnable(feedback.of(store, stack=stack), instruction)
    if not examples:
        raise RunError(
            f"{folder.path}: no answer of stack {stack} was corrected or liked",
            "users say so at /v1/feedback, where the server keeps answers: trimtab serve --use record=yes",
        )
    path = rounds.begin(folder.path, recipe, examples)
    rows = path.parent / previous.LIVE
    kept = {row["id"]: row["subject"] for row in (read_rows(rows) if rows.is_file() else [])}
    owners = Counter(kept.values())
    corrected = sum(example.id in kept and CORRECTED in example.tags for example in examples)
    liked = sum(example.id in kept and CORRECTED not in example.tags for example in examples)
    sealed = int(read_json(path.parent / previous.FACTS)["live"]["sealed"])
    return NextRound(path, rows, corrected, liked, sealed, len(owners), max(owners.values(), default=0))


def learnable(said: Sequence[tuple[Kept, Given]], instruction: str = "") -> list[Example]:
    """A row for each answer that was corrected or liked, in their order.

    A question that somebody wrote an answer to is learned with these answers alone: an answer that another user liked
    may be the one that was corrected. An answer that was liked by one and disliked by another is left out.
    """
    told = [(kept, given) for kept, given in said if kept.prompt.strip()]
    keys = {kept.id: prompt_key(_example(kept, "", instruction)) for kept, _ in told}
    written = {keys[kept.id] for kept, given in told if given.correction.strip()}
    disliked = {(keys[kept.id], kept.answer) for kept, given in told if _dislikes(given)}
    texts: dict[tuple[str, str], set[str]] = defaultdict(set)
    found = []
    for kept, given in told:
        name, text = keys[kept.id], given.correction.strip()
        liked = given.thumb == 1 and (given.rating is None or given.rating >= GOOD)
        if not text and (name in written or not liked or (name, kept.answer) in disliked):
            continue
        text = text or kept.answer
        if text.strip() and text not in texts[name, kept.owner]:
            texts[name, kept.owner].add(text)
            found.append(_example(kept, text, instruction, corrected=bool(given.correction.strip())))
    return found


def _dislikes(given: Given) -> bool:
    return given.thumb == -1 or (given.rating is not None and given.rating < GOOD - 1)


def _example(kept: Kept, text: str, instruction: str, *, corrected: bool = False) -> Example:
    """The subject is the key's id, by which `trimtab erase` finds the row and what learned from it."""
    begins = bool(instruction) and kept.prompt.startswith(f"{instruction}\n\n")
    return Example(
        (Message("user", kept.prompt),),
        (text,),
        id=f"live-{kept.id}",
        source=previous.OF_USERS,
        subject=kept.owner,
        tags=(CORRECTED,) if corrected else (),
        fields={"instruction": instruction} if begins else {},
        collected_at=kept.time,
    )
