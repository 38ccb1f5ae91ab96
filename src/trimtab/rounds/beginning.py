"""The start of a round: from a run that people reviewed to the folder with the recipe of the next one."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

import yaml

from trimtab import lineage, previous
from trimtab.data import read
from trimtab.decide.ledger import adopt, ledger_path
from trimtab.errors import RunError, several
from trimtab.guidelines import Guidelines
from trimtab.guidelines import load as load_guidelines
from trimtab.model.embedded import cache_folder
from trimtab.previous import Previous
from trimtab.recipe import Recipe
from trimtab.recipe import load as load_recipe
from trimtab.records import Example, Part, content_hash, plain
from trimtab.rounds import flagged, of_users, reviewed
from trimtab.rounds.reviewed import Reviewed
from trimtab.run import RunFolder

PARTS: tuple[str, ...] = get_args(Part)
SHOWN, CORRECTED = "shown", "corrected"


@dataclass(frozen=True)
class Ending:
    """A run that a round goes on from.

    Attributes:
        own: its recipe; recipe: that of the next round.
        examples: the rows as they are now, those that came since among them.
        parts: where its rows stood, by id.
        earlier: what it took over itself; None for a first round.
        live: rows of what users said of live answers.
    """

    folder: RunFolder
    own: Recipe
    recipe: Recipe
    examples: Sequence[Example]
    parts: Mapping[str, Part]
    said: Reviewed
    earlier: Previous | None
    live: Sequence[Example] = ()

    @property
    def number(self) -> int:
        """The number of the round that begins."""
        return 1 + (int(self.earlier.facts["number"]) if self.earlier else 1)

    @property
    def moved(self) -> dict[str, str]:
        """Why rows move to tune, by id: people saw them on confirm, or corrected them on select."""
        why = {name: SHOWN for name in self.said.seen["confirm"] if self.parts.get(name) == "confirm"}
        corrected = {name: CORRECTED for name in self.said.corrected if self.parts.get(name) == "select"}
        return why | corrected


def begin(run: Path | str, recipe: Path | str | None = None, live: Sequence[Example] = ()) -> Path:
    """Write the next round of a reviewed run into its folder, and return the path of its recipe.

    Items of confirm that people saw, and those of select that they corrected, move to tune; the corrections are learned
    there. Every other row stays where it is, and rows that the data file has gained are split as usual. The same review
    and recipe give the same folder.

    Args:
        recipe: for the round, such as one with other guidelines; that of the run where none is given.
        live: answers that users corrected or liked, each with a question and references. They are tuned on, but for
            those whose question select or confirm asks, or nearly so; with them a review is not needed.

    Raises:
        RunError: the run has no verdict, or neither review nor users' answers, rows of it are gone, or people said
            something of sealed items.
        DataError, RecipeError: as for a run.
    """
    ending = _ending(RunFolder.open(run), recipe, live)
    _check(ending)
    parts = {name: "tune" if name in ending.moved else part for name, part in ending.parts.items()}
    corrections = list(_corrections(ending))
    users = of_users.learned(ending.live, [e for e in ending.examples if parts.get(e.id) != "tune"])
    decided = ending.recipe.model_dump(mode="json", exclude={"round": {"folder"}})
    known = [parts, corrections, ending.said.flags, ending.said.preferences, decided]
    named = content_hash([*known, *([plain(users.rows)] if users.rows else [])])
    place = f"round-{ending.number}-{named[:8]}"
    rows = [
        {"example": name, "part": part, "moved": ending.moved.get(name, "")} for name, part in parts.items()
    ]
    with ending.folder.locked():
        _adopt_looks(ending)
        ending.folder.write_rows(f"{place}/{previous.ROWS}", rows)
        ending.folder.write_rows(f"{place}/{previous.CORRECTIONS}", corrections)
        if users.rows:
            ending.folder.write_rows(f"{place}/{previous.LIVE}", map(previous.live_row, users.rows))
        ending.folder.write_rows(f"{place}/preferences.jsonl", map(_preference, ending.said.preferences))
        ending.folder.write(f"{place}/{previous.FACTS}", _facts(ending, users, _flags(ending, place)))
        ending.folder.write_text(f"{place}/recipe.yaml", _recipe(ending))
    return ending.folder.path / place / "recipe.yaml"


def _recipe(ending: Ending) -> str:
    content = plain(ending.recipe.model_dump(mode="json"))
    content["round"]["folder"] = "."
    return str(yaml.safe_dump(content, sort_keys=False))


def _ending(folder: RunFolder, recipe: Path | str | None, live: Sequence[Example]) -> Ending:
    folder.verdict()
    own = load_recipe(folder.path / "recipe.yaml")
    following = load_recipe(recipe) if recipe is not None else own
    data = following.data
    earlier = previous.read(own.round.folder) if own.round.folder else None
    taken = {example.id: example for example in (*(earlier.live if earlier else ()), *live)}
    # Rows of users are none of the data file: they stand in the round's folder alone.
    rows = [
        row for row in lineage.rows(folder) if row.part in PARTS and not row.erased and row.id not in taken
    ]
    return Ending(
        folder,
        own,
        following,
        read.read(data.examples, data.columns, data.instruction),
        {row.id: cast(Part, row.part) for row in rows},
        reviewed.read(folder) if folder.has(reviewed.SEEN) or not taken else reviewed.NOTHING,
        earlier,
        tuple(taken.values()),
    )


def _check(ending: Ending) -> None:
    """Refuse what would spoil the next verdict, all of it at once.

    Raises:
        RunError: rows of the run are gone, or a review says something that it cannot.
    """
    path, problems = ending.folder.path, ending.said.wrong(ending.parts)
    if problems:
        hint = "review for learning is on select; what people see of confirm decides, and is not exported"
        raise RunError(f"{path}: this review cannot be learned from:\n{several(problems)}", hint)
    if not ending.parts:
        raise RunError(
            f"{path}: it recorded no rows", "tune again with this version, and let people review that run"
        )
    gone = sorted(set(ending.parts) - {example.id for example in ending.examples})
    if gone:
        raise RunError(
            f"{ending.recipe.data.examples}: {len(gone)} rows of {path} are gone, such as {gone[0]}",
            "put them back; rows may be added, and a person's are removed with: trimtab erase",
        )
    _check_left(ending)


def _check_left(ending: Ending) -> None:
    """Refuse a round that would have nothing left to choose or to decide on.

    Raises:
        RunError: all of select was corrected, or people saw all of confirm, or that is to be fresh, and no row has
            come in since.
    """
    if any(example.id not in ending.parts for example in ending.examples):
        return
    kept = ending.recipe.round.confirm == "kept"
    whys = {
        "select": "people corrected them",
        "confirm": "people saw them" if kept else "round.confirm is fresh",
    }
    for part, why in whys.items():
        items = [name for name, own in ending.parts.items() if own == part]
        left = [name for name in items if name not in ending.moved] if part == "select" or kept else []
        if not left:
            share = getattr(ending.recipe.data.split, part)
            raise RunError(
                f"{ending.folder.path}: its {len(items)} items of {part} are tuned on now, because {why}, and "
                f"{ending.recipe.data.examples} has no new rows in their place",
                f"add rows: about {round(len(items) / share)} give as many fresh items",
            )


def _corrections(ending: Ending) -> Iterator[dict[str, Any]]:
    """Every correction so far, those of earlier rounds first."""
    known = ending.earlier.corrections if ending.earlier else {}
    for name, texts in known.items():
        yield from ({"example": name, "completion": text} for text in texts)
    for row in ending.said.corrections:
        yield {"example": row["example"], "completion": row["completion"], "rater": row["rater"]}


def _preference(row: Mapping[str, Any]) -> dict[str, Any]:
    """A preference as a row that data files of this shape have: turns before, and the two answers."""
    chosen, rejected = ([{"role": "assistant", "content": row[name]}] for name in ("chosen", "rejected"))
    prompt = list(row["messages"])
    return {
        "example": row["example"],
        "prompt": prompt,
        "chosen": chosen,
        "rejected": rejected,
        "votes": row["votes"],
        "stacks": row["stacks"],
    }


def _flags(ending: Ending, place: str) -> flagged.Proposal:
    """Write what was flagged, and the rule that it suggests."""
    flags = ending.said.flags
    asked = {example.id: plain(example.messages) for example in ending.examples}
    ending.folder.write_rows(f"{place}/regressions.jsonl", flagged.regressions(flags, asked))
    proposal = flagged.propose(flags, _unflagged(ending), _guidelines(ending.recipe), datetime.date.today())
    if proposal.text:
        ending.folder.write_text(f"{place}/{previous.PROPOSED}", proposal.text)
    return proposal


def _unflagged(ending: Ending) -> Iterator[str]:
    """Answers that are learned from, and those of the flagged stacks to items that people saw and did not flag."""
    for example in ending.examples:
        if ending.parts.get(example.id) in ("tune", "select"):
            yield from example.references
    yield from (row["completion"] for row in ending.said.corrections)
    flags = {(row["stack"], row["example"]) for row in ending.said.flags}
    for stack in sorted({stack for stack, _ in flags}):
        for row in ending.folder.rows(f"trials/{Path(stack).name}/outputs.jsonl"):
            if row["example"] in ending.said.seen["select"] and (stack, row["example"]) not in flags:
                yield row["text"]


def _guidelines(recipe: Recipe) -> Guidelines | None:
    return load_guidelines(recipe.guidelines).guidelines if recipe.guidelines else None


def _facts(ending: Ending, users: of_users.Learned, proposal: flagged.Proposal) -> dict[str, Any]:
    """How the run ended, and what was taken from its review."""
    why = list(ending.moved.values())
    rules = _guidelines(ending.own)
    return {
        "number": ending.number,
        "run": ending.folder.path.name,
        "verdict": ending.folder.verdict(),
        "guidelines": rules.version if rules else "",
        "confirm": sum(part == "confirm" for part in ending.parts.values()),
        "moved": {name: why.count(name) for name in (SHOWN, CORRECTED)},
        "corrections": {"rows": len(ending.said.corrected), "texts": len(ending.said.corrections)},
        "live": {"rows": len(users.rows), "sealed": users.sealed},
        "preferences": len(ending.said.preferences),
        "flagged": [{"example": name} for name in sorted({row["example"] for row in ending.said.flags})],
        "proposed": {"phrases": proposal.phrases, "remarks": proposal.remarks},
    }


def _adopt_looks(ending: Ending) -> None:
    """Looks at the rows stay known where the next round's data lie in another file."""
    old, new = (ledger_path(one.data.examples, cache_folder()) for one in (ending.own, ending.recipe))
    if old != new and old.is_file():
        adopt(new, old)
