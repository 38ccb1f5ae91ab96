"""Looks at confirm sets that lost rows: they count for what is left of the set, so that erasing buys no fresh look."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from trimtab import previous
from trimtab.data.read import read
from trimtab.data.split import PARTS, confirm_hash, sealed_keys, split
from trimtab.decide.ledger import carry, keep_only, ledger_path
from trimtab.errors import TrimtabError
from trimtab.records import Example, Part
from trimtab.run import RunFolder

KEPT = "the looks at it stand in the ledger under its old hash"


def carried(folder: RunFolder, changed: Collection[Path], cache: Path) -> str:
    """Carry a run's looks where its data file lost rows; says what was done, nothing where there was nothing to do.

    Args:
        changed: data files that lost rows.
        cache: where looks at sources without a folder are kept.
    """
    if not (folder.has("recipe.yaml") and folder.has("provenance.json")):
        return ""
    data, known = folder.recipe()["data"], folder.read("provenance.json").get("data", {}).get("confirm", "")
    if not known or Path(data["examples"]).resolve() not in changed:
        return ""
    try:
        parts = _left(folder.recipe())
        left = confirm_hash(parts["confirm"])
        ledger = ledger_path(data["examples"], cache)
        keep_only(ledger, sealed_keys([example for part in parts.values() for example in part]))
        if left == known:
            return ""
        count = carry(ledger, known, left, sealed_keys(parts["confirm"]))
    except (TrimtabError, KeyError) as error:
        return f"The confirm set changed; {KEPT}, and could not be carried to what is left: {error}"
    said = f"; {count} looks at it count for what is left" if count else ""
    return f"The confirm set changed; {KEPT}{said}."


def _left(recipe: Mapping[str, Any]) -> dict[Part, list[Example]]:
    data, folder = recipe["data"], recipe.get("round", {}).get("folder")
    examples = read(data["examples"], data["columns"], data["instruction"])
    shares = {part: data["split"][part] for part in PARTS}
    settled = previous.read(folder).settled(recipe["round"]["confirm"]) if folder else None
    return split(examples, shares, seed=recipe.get("seed", 0), settled=settled)
