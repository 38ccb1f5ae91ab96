"""The two files of a card: both whole, and never over what somebody else wrote."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

from trimtab import run
from trimtab.audit.card.croissant import croissant
from trimtab.audit.card.facts import Facts
from trimtab.audit.card.readme import readme
from trimtab.errors import DataError

README, CROISSANT = "README.md", "croissant.json"
# Tells a card that was written here and left as it was from one that somebody has worked on.
_MARK = re.compile(r"\n<!-- trimtab card ([0-9a-f]{16}) -->\n\Z")


def write(facts: Facts, folder: Path) -> tuple[Path, Path]:
    """Write README.md and croissant.json into a folder, which is made where there is none.

    Raises:
        DataError: one of them is there already and is not a card that was written here and left as it was.
        RunError: the disk is full or the folder cannot be written.
    """
    paths = folder / README, folder / CROISSANT
    card, other = paths
    if (card.exists() and not _own(card)) or (other.exists() and not card.exists()):
        there = card if card.exists() else other
        raise DataError(
            f"{there}: is there already, and is no card that was written here and left as it was",
            "name another folder with --out, or move the file away",
        )
    text = readme(facts)
    document = json.dumps(croissant(facts), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    run.write_atomic(other, document.encode("utf-8", "replace"))
    run.write_atomic(card, (text + f"\n<!-- trimtab card {_hash(text)} -->\n").encode("utf-8", "replace"))
    return paths


def _own(path: Path) -> bool:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    found = _MARK.search(text)
    return bool(found) and _hash(text[: found.start()] if found else "") == (found[1] if found else "")


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
