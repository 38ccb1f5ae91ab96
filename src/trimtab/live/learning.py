"""A stack of a profile's own: what its user liked or corrected becomes rows, and the ordinary pipeline judges them.

    profiles/ann/rows.jsonl     the rows, with the profile's words before each, as they are said when it is served
    profiles/ann/recipe.yaml    as `trimtab init` writes it for these rows, or like another
    profiles/ann/runs/          the run, with a verdict of its own

Only a run whose verdict is ship enters the profile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from trimtab.errors import ProfileError
from trimtab.live import feedback, profiles
from trimtab.live.answers import Kept
from trimtab.live.choosing import reward
from trimtab.live.feedback import Given
from trimtab.live.profiles import BASE, OWN, Profile
from trimtab.pipeline import Run, tune
from trimtab.recipe import load
from trimtab.records import Report
from trimtab.review.store import Store
from trimtab.run import write_atomic, write_rows
from trimtab.starter import Beside, from_file

# Fewer prove nothing: 0.3 of them are left to read a verdict from.
LEAST = 60
# Reward from which on an answer is one to learn from.
LIKED = 0.75


@dataclass(frozen=True, slots=True)
class Learned:
    """What came of learning: the run, and the profile as it is now.

    Attributes:
        rows: learned from. corrected: those of them that the user wrote.
        entered: whether the run's stack is now one of the profile's.
    """

    run: Run
    profile: Profile
    rows: int
    corrected: int
    entered: bool


def rows_of(name: str, profile: Profile, said: Sequence[tuple[Kept, Given]]) -> list[dict[str, Any]]:
    """Rows to learn from: what the user wrote instead of an answer, else an answer that they liked.

    Of the answers to one prompt the last word counts. An answer whose text was not kept teaches nothing.
    """
    system = [{"role": "system", "content": profile.words}] if profile.words else []
    found: dict[str, dict[str, Any]] = {}
    for kept, given in said:
        liked = (reward(given) or 0.0) >= LIKED
        text = given.correction or (kept.answer if liked else "")
        if not (kept.prompt.strip() and text.strip()):
            continue
        turns = [{"role": "user", "content": kept.prompt}, {"role": "assistant", "content": text}]
        found.pop(kept.prompt, None)
        found[kept.prompt] = {
            "id": kept.id,
            "messages": [*system, *turns],
            "source": "corrected" if given.correction else "liked",
            "subject": name,
            "collected_at": given.time,
        }
    return list(found.values())


def learn(
    folder: Path,
    name: str,
    store: Store,
    *,
    model: str = "",
    like: Path | None = None,
    report: Report | None = None,
) -> Learned:
    """Fit and judge a stack of a profile's own; given again with the same history, the verdict is replayed.

    Args:
        model: that the profile is served with; empty for the embedded one.
        like: a recipe whose settings are taken, all but its data; empty to have them chosen from the rows.

    Raises:
        ProfileError: there is no such profile, or too little to learn from.
        UserError: as for `pipeline.tune`: a recipe that cannot end in ship among others.
    """
    profile = profiles.read(folder, name)
    rows = rows_of(name, profile, feedback.of(store, model=name))
    if len(rows) < LEAST:
        raise ProfileError(
            f"profile {name}: {len(rows)} answers that were liked or corrected, at least {LEAST} are needed",
            "serve it with --use record=yes, and send /v1/feedback; until then facts, style and arms do what they can",
        )
    home = profiles.home(folder, name)
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_rows(home / "rows.jsonl", rows)
    run = tune(_written(home, model, like), root=home / "runs", report=report)
    corrected = sum(row["source"] == "corrected" for row in rows)
    if run.verdict.outcome != "ship":
        return Learned(run, profile, len(rows), corrected, entered=False)
    changed = entered(profile, run.folder.path.name)
    profiles.write(folder, name, changed)
    return Learned(run, changed, len(rows), corrected, entered=True)


def entered(profile: Profile, run: str) -> Profile:
    """The profile with a run of its own that shipped.

    Its verdict is over the base model: where the profile was answered by that, it is answered by the run now, and
    where another stack answered, feedback is to choose between the two.
    """
    content = profile.model_dump() | {"own": run}
    if profile.stack == BASE:
        content["stack"] = OWN
    elif profile.stack != OWN and OWN not in profile.arms:
        content["arms"] = (*profile.arms, OWN)
    return profiles.parse(content, name="profile")


def _written(home: Path, model: str, like: Path | None) -> Path:
    """The recipe that is learned by. Rows lie in one place for ever, as the ledger of looks at them does."""
    path, rows = home / "recipe.yaml", home / "rows.jsonl"
    if like is None:
        path.unlink(missing_ok=True)
        return from_file(rows, home, columns={}, beside=Beside(model)).recipe
    content = load(like).model_dump(mode="json")
    own = {"examples": str(rows.resolve()), "columns": {}, "instruction": ""}
    content |= {"data": content["data"] | own, "round": {}}
    write_atomic(path, yaml.safe_dump(content | ({"model": model} if model else {}), sort_keys=False))
    return path
