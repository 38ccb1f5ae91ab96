"""What belongs to a project: its data files, those that its recipes name, its runs, and every other file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from trimtab.data.files import KNOWN
from trimtab.document import exported
from trimtab.erasure import person, queue
from trimtab.erasure.person import Source
from trimtab.erasure.search import FOLDER, HISTORIES, walk
from trimtab.errors import DataError
from trimtab.previous import LIVE
from trimtab.run import RunFolder

# Largest recipe, in bytes; a larger YAML file is something else.
RECIPE = 2**20


@dataclass
class Project:
    """Everything that a search goes through.

    Attributes:
        others: files that are neither data nor part of a run.
        unsearched: what cannot be searched, or not in full, a sentence each.
    """

    folder: Path
    sources: list[Source] = field(default_factory=list)
    runs: list[RunFolder] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)
    unsearched: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Rows of all data files."""
        return sum(len(source.table.rows) for source in self.sources)


def survey(folder: Path, given: Sequence[Path] = (), column: str = "") -> Project:
    """Read a project.

    Args:
        given: data files besides those that lie in it or that its recipes name.
        column: of subjects.

    Raises:
        DataError: no such folder, or a file that was given is not there.
    """
    folder = folder.resolve()
    missing = [str(path) for path in given if not path.is_file()]
    if not folder.is_dir() or missing:
        what = ", ".join(missing) or str(folder)
        raise DataError(f"{what}: no such {'file' if missing else 'folder'}", "check --data and --project")
    project = Project(folder)
    files = list(walk(folder))
    homes = {path.parent for path in files if path.name == "identity.json"}
    project.runs = [RunFolder(path) for path in sorted(homes)]
    outside = [path for path in files if not homes.intersection(path.parents) and path.parent.name != FOLDER]
    columns = _named(project, outside)
    users = {path for run in project.runs for path in run.path.glob(f"round-*/{LIVE}")}
    wanted = {path.resolve() for path in given} | {path for path in columns if path.is_file()} | users
    for path in dict.fromkeys((*outside, *sorted(wanted))):
        _add(project, path, column, columns.get(path, {}), wanted=path in wanted)
    _unsearched(project)
    return project


def _named(project: Project, files: Sequence[Path]) -> dict[Path, Mapping[str, str]]:
    """The data file of every recipe in the project, with the columns that the recipe gives it."""
    found: dict[Path, Mapping[str, str]] = {}
    recipes = [path for path in files if path.suffix in (".yaml", ".yml")]
    recipes += [run.path / "recipe.yaml" for run in project.runs]
    for path in recipes:
        content = _recipe(path)
        data = content.get("data")
        if not isinstance(data, dict) or not isinstance(data.get("examples"), str):
            continue
        source, columns = data["examples"], data.get("columns") or {}
        if source.startswith("hub:"):
            _note(project, f"{source}: a Hub data set is not a file of this project")
            continue
        home = (path.parent / source).resolve()
        found[home] = {**found.get(home, {}), **(columns if isinstance(columns, dict) else {})}
        if str(content.get("model", "")).startswith("openai:"):
            _note(project, f"{content['model']}: a service, which may keep what it was asked")
    return found


def _recipe(path: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, yaml.YAMLError, UnicodeDecodeError):
        if path.stat().st_size <= RECIPE:
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            return content if isinstance(content, dict) else {}
    return {}


def _add(project: Project, path: Path, column: str, columns: Mapping[str, str], *, wanted: bool) -> None:
    name = path.name.lower().removesuffix(".gz")
    if path.name in (queue.FILE, exported.ORIGIN) or not name.endswith(KNOWN):
        project.others.append(path)
        return
    source = person.read(path, column, columns)
    if not source.table.rows and not wanted:
        project.others.append(path)
        return
    project.sources.append(source)
    if source.unread:
        _note(project, f"{path}: {source.unread}")


def _unsearched(project: Project) -> None:
    for place, folders, _ in os.walk(project.folder):
        for name in folders:
            if name in HISTORIES:
                _note(project, f"{Path(place, name)}: a history of versions keeps what was committed")
        folders[:] = [name for name in folders if name not in HISTORIES]
    for run in project.runs:
        if not run.has("lineage.jsonl"):
            _note(project, f"{run.path}: made before rows were recorded; concluded from its other files")


def _note(project: Project, line: str) -> None:
    if line not in project.unsearched:
        project.unsearched.append(line)
