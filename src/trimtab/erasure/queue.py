"""Runs whose adjustments have to be fitted again, listed for people and for later verbs: retrain.json."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trimtab.run import RunFolder, read_json, write_json

FILE = "retrain.json"


def waiting(project: Path) -> list[dict[str, Any]]:
    """The runs that wait, the oldest first: run, recipe, stacks, request.

    Raises:
        RunError: the list is damaged.
    """
    path = project / FILE
    return list(read_json(path)["waiting"]) if path.is_file() else []


def add(project: Path, request: str, tainted: Mapping[RunFolder, Mapping[str, int]]) -> list[dict[str, Any]]:
    """Add runs with what is tainted in them; a run that waits for the same request already is not added twice."""
    known = waiting(project)
    there = {(entry["run"], entry["request"]) for entry in known}
    for folder, stacks in tainted.items():
        run = _relative(folder.path, project)
        if stacks and (run, request) not in there:
            recipe = _relative(folder.path / "recipe.yaml", project)
            known.append({"run": run, "recipe": recipe, "stacks": sorted(stacks), "request": request})
    if known:
        write_json(project / FILE, {"waiting": known})
    return [entry for entry in known if entry["request"] == request]


def _relative(path: Path, project: Path) -> str:
    return str(path.relative_to(project)) if path.is_relative_to(project) else str(path)
