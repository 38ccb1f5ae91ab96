"""Adjustments that may no longer be used, because they learned from rows that were erased since.

What was learned cannot be taken out of weights row by row. So the adjustment is marked in its own folder, whatever
reads it refuses it, and it is fitted again without the rows.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from trimtab.errors import TaintedError
from trimtab.run import read_json, write_json

FILE = "tainted.json"


def mark(folder: Path, request: str, rows: int, *, deleted: bool = False) -> None:
    """Mark the folder of a stack or of one adjustment; a mark that is there already stays as it is.

    Args:
        request: name of the request to erase, as its proof has it. It says nothing of the person.
        rows: of that person among those that were learned from.
        deleted: its files were removed as well.
    """
    known = of(folder)
    if known is not None and (known["deleted"] or not deleted):
        return
    date = known["date"] if known else time.strftime("%Y-%m-%d", time.gmtime())
    said = {"request": known["request"] if known else request, "date": date, "rows": rows, "deleted": deleted}
    write_json(folder / FILE, said)


def of(folder: Path) -> dict[str, Any] | None:
    """What a folder's mark says: request, date, rows, deleted; None where it has none.

    Raises:
        RunError: there is one, and it is damaged.
    """
    found: dict[str, Any] | None = read_json(folder / FILE) if (folder / FILE).is_file() else None
    return found


def refuse(folder: Path) -> None:
    """To be called before an adjustment, or a stack of them, is read from a folder.

    Raises:
        TaintedError: the folder is marked.
        RunError: the mark is damaged: it is not known that the folder may be used.
    """
    said = of(folder)
    if said is None:
        return
    gone = "; its files were deleted" if said["deleted"] else ""
    raise TaintedError(
        f"{folder}: tainted: it learned from {said['rows']} rows that were erased on {said['date']} by request "
        f"{said['request']}{gone}",
        "train again without them: the recipes that wait for it are listed in retrain.json beside the runs' folder",
    )
