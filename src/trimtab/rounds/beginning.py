"""The start of a round: from a run that people reviewed to the folder with the recipe of the next one."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

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
from trimtab.rounds import flagged, reviewed
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
    """

    folder: RunFolder
    own: Recipe
    recipe: Recipe
    examples: Sequence[Example]
    parts: Mapping[str, Part]
    said: Reviewed
    earlier: Previous | None

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


def begin(run: Path | str, recipe: Path | str | None = None) -> Path:
    """Write the next round of a reviewed run into its folder, and return the path of its recipe.

    Items of confirm that people saw, and those of select that they corrected, move to tune; the corrections are learned
    there. Every other row stays where it is, and rows that the data file has gained are split as usual. The same review
    and recipe give the same folder.

    Args:
        recipe: for the round, such as one with other guidelines; that of the run where none is given.

    Raises:
        RunError: the run has no verdict or no review, rows of it are gone, or people said something of sealed items.
        DataError, RecipeError: as for a run.
    """
    ending = _ending(RunFolder.open(run), recipe)
    _check(ending)
    parts = {name: "tune" if name in ending.moved else part for name, part in ending.parts.items()}
    corrections = list(_corrections(ending))
    decided = ending.recipe.model_dump(mode="json", exclude={"round": {"folder"}})
    named = content_hash([parts, corrections, ending.said.flags, ending.said.preferences, decided])
    place = f"round-{ending.number}-{named[:8]}"
    _adopt_looks(ending)
    rows = (
        {"example": name, "part": part, "moved": ending.moved.get(name, "")} for name, part in parts.items()
    )
    ending.folder.write_rows(f"{place}/{previous.ROWS}", rows)
    ending.folder.write_rows(f"{place}/{previous.CORRECTIONS}", corrections)
    ending.folder.write_rows(f"{place}/preferences.jsonl", map(_preference, ending.said.preferences))
    proposal = _flags(ending, place)
    ending.folder.write(f"{place}/{previous.FACTS}", _facts(ending, proposal))
    content = plain(ending.recipe.model_dump(mode="json"))
    content["round"]["folder"] = "."
    ending.folder.write_text(f"{place}/recipe.yaml", yaml.safe_dump(content, sort_keys=False))
    return ending.folder.path / place / "recipe.yaml"


def _ending(folder: RunFolder, recipe: Path | str | None) -> Ending:
    folder.verdict()
    own = load_recipe(folder.path / "recipe.yaml")
    following = load_recipe(recipe) if recipe is not None else own
    data = following.data
    parts = {row.id: row.part for row in lineage.rows(folder) if row.part in PARTS and not row.erased}
    return Ending(
        folder,
        own,
        following,
        read.read(data.examples, data.columns, data.instruction),
        parts,  # type: ignore[arg-type]
        reviewed.read(folder),
        previous.read(own.round.folder) if own.round.folder else None,
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
    gone = sorted(set(ending.parts) - {example.id for example in ending.examples})
    if gone or not ending.parts:
        source = ending.recipe.data.examples
        raise RunError(
            f"{source}: {len(gone)} rows of {path} are gone, such as {gone[0]}"
            if gone
            else f"{path}: no lineage",
            "put them back; rows may be added, and a person's are removed with: trimtab erase"
            if gone
            else "tune again with this version, and let people review that run",
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


def _facts(ending: Ending, proposal: flagged.Proposal) -> dict[str, Any]:
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
        "preferences": len(ending.said.preferences),
        "flagged": [{"example": name} for name in sorted({row["example"] for row in ending.said.flags})],
        "proposed": {"phrases": proposal.phrases, "remarks": proposal.remarks},
    }


def _adopt_looks(ending: Ending) -> None:
    """Looks at the rows stay known where the next round's data lie in another file."""
    old, new = (ledger_path(one.data.examples, cache_folder()) for one in (ending.own, ending.recipe))
    if old != new and old.is_file():
        adopt(new, old)
