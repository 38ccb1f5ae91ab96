"""A request to forget a person, from the search to the proof; given again after a break it is completed."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from trimtab.erasure import looks, person, proof, queue, runs
from trimtab.erasure.places import PLACES
from trimtab.erasure.project import Project, survey
from trimtab.erasure.search import FOLDER, Adapters, Change, Search, holds, walk
from trimtab.errors import DataError, RunError, UserError
from trimtab.lineage import Row, rows
from trimtab.model.embedded import cache_folder
from trimtab.run import file_hash


@dataclass(frozen=True, slots=True)
class Asked:
    """A request.

    Attributes:
        data: files besides those of the project and its recipes.
        column: of subjects, where files call it otherwise.
        adapters: what becomes of those that learned from the person.
        retrain: whether their runs are listed in retrain.json.
    """

    subject: str
    project: Path = Path()
    data: Sequence[Path] = ()
    column: str = ""
    adapters: Adapters = "taint"
    retrain: bool = True


def erase(asked: Asked, *, dry_run: bool = False) -> dict[str, Any]:
    """Remove a person's rows from a project, mark what learned from them, and write the proof.

    Given again after it was cut off, it does what is left and goes on in the same record; given again after it was
    done, it says so.

    Args:
        dry_run: only say what would be changed.

    Returns:
        The record; `state` is done, `dry run`, or `nothing left` for a request that was completed before.

    Raises:
        DataError: nobody knows the subject; says how many rows were searched.
        RunError: another process works on a run that is to change, or a file cannot be written.
    """
    asked = dataclasses.replace(asked, subject=asked.subject.strip())
    if not asked.subject:
        raise UserError(
            "subject: expected the pseudonym of a person, received nothing", "give it as data has it"
        )
    project = survey(asked.project, asked.data, asked.column)
    if dry_run:
        content = _planned(asked, project, proof.begun(project.folder, asked.subject))[0]
        return content if content["state"] == "nothing left" else content | {"state": "dry run"}
    home = project.folder / FOLDER
    try:
        home.mkdir(exist_ok=True)
    except OSError as error:
        raise RunError(
            f"{home}: cannot be made: {error.strerror}", "check the folder's permissions"
        ) from None
    with _alone(home):
        record = proof.begun(project.folder, asked.subject)
        content, search, changes = _planned(asked, project, record)
        if content["state"] == "nothing left":
            return content
        with contextlib.ExitStack() as held:
            for folder in search.runs:
                if any(change.path.is_relative_to(folder.path) for change in changes):
                    held.enter_context(folder.locked())
            proof.write(project.folder, content)
            _apply(project.folder, content, changes)
        _concluded(asked, project, search, content)
    return content


@contextlib.contextmanager
def _alone(home: Path) -> Iterator[None]:
    lock = FileLock(home / ".lock", timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise RunError(f"{home}: another erasure is at work in this project", "wait for it") from None
    try:
        yield
    finally:
        lock.release()
        (home / ".lock").unlink(missing_ok=True)
        # Empty where nothing was done: then no folder is left behind.
        with contextlib.suppress(OSError):
            home.rmdir()


def _planned(
    asked: Asked, project: Project, record: dict[str, Any]
) -> tuple[dict[str, Any], Search, list[Change]]:
    """The record with everything that was found, the search, and what is to change."""
    recorded = [row for folder in project.runs for row in rows(folder)]
    found = person.find(asked.subject, project.sources, recorded)
    search = Search(
        project.folder,
        cache_folder(),
        found,
        tuple(project.runs),
        tuple(project.others),
        record["request"],
        asked.adapters,
    )
    if not record["attempts"]:
        earlier = _unless_unknown(asked, project, found, recorded)
        if earlier:
            return {**earlier, "state": "nothing left"}, search, []
    changes = [change for place in PLACES for change in place.plan(search)]
    said = [_said(change, project.folder) for change in changes]
    content = {
        **record,
        "column": asked.column or person.SUBJECT,
        "adapters": asked.adapters,
        "rows": sorted({*record.get("rows", ()), *(proof.salted(record["salt"], c) for c in found.contents)}),
        "searched": {
            "rows": found.searched,
            "data": len(project.sources),
            "runs": len(project.runs),
            "files": len(project.others),
            "places": {place.name: place.about for place in PLACES},
        },
        "not_searched": _not_searched(project, found),
        "attempts": [*record["attempts"], proof.attempt(said)],
        "runs": _runs(search, record.get("runs", ())),
    }
    return content, search, changes


def _unless_unknown(
    asked: Asked, project: Project, found: person.Person, recorded: Sequence[Row]
) -> dict[str, Any]:
    """The record of an earlier request where nothing is left of the subject; empty where there is something.

    Raises:
        DataError: there is nothing, and there never was.
    """
    if found.rows or any(row.subject == asked.subject and not row.erased for row in recorded):
        return {}
    done = proof.of_subject(project.folder, asked.subject)
    if done:
        return done[-1]
    named = [source for source in project.sources if source.column]
    raise DataError(
        f"subject {asked.subject!r}: no row names it, among {found.searched} rows of {len(project.sources)} data "
        f"files ({len(named)} of them with a column of subjects) and {len(recorded)} rows recorded by "
        f"{len(project.runs)} runs in {project.folder}",
        "name the column with --column, more files with --data, or the folder of the project with --project",
    )


def _not_searched(project: Project, found: person.Person) -> list[str]:
    lines = list(project.unsearched)
    if found.alike:
        lines.append(
            f"{found.alike} rows that name nobody say the same as rows of the subject in words too short or too "
            "common to tell whose they are: left"
        )
    if not found.needles.texts:
        lines.append("no text of the subject is long enough, or nobody else's: searched by ids alone")
    return lines


def _said(change: Change, project: Path) -> dict[str, Any]:
    return {
        "place": change.place,
        "path": _relative(change.path, project),
        "what": change.what,
        "rows": change.rows,
        "texts": change.texts,
    }


def _runs(search: Search, before: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What each run has of the subject; what an earlier sitting found stays."""
    known = {entry["run"]: dict(entry) for entry in before}
    for folder in search.runs:
        one = runs.found(search.person, folder)
        name = _relative(folder.path, search.project)
        if (one.parts or one.stacks) and name not in known:
            said = []
            if one.parts.get("confirm") and folder.has("verdict.json"):
                said.append(
                    f"Its verdict was read from {one.parts['confirm']} rows that are gone, among others: it stands "
                    "as a record, and cannot be measured again."
                )
            if not one.certain:
                said.append("It recorded no lineage: concluded from its other files.")
            known[name] = {"run": name, "rows": one.parts, "tainted": one.stacks, "said": " ".join(said)}
    return list(known.values())


def _apply(project: Path, record: dict[str, Any], changes: Sequence[Change]) -> None:
    """Do what was planned, file by file; each is whole before and after."""
    for change, said in zip(changes, record["attempts"][-1]["changes"], strict=True):
        said["before"] = file_hash(change.path) if change.path.is_file() else ""
        change.apply()
        said["after"] = file_hash(change.path) if change.path.is_file() else ""
        said["done"] = True


def _concluded(asked: Asked, project: Project, search: Search, record: dict[str, Any]) -> None:
    """Carry looks, queue the runs, look once more, and write the proof."""
    changed = {
        project.folder / change["path"]
        for sitting in record["attempts"]
        for change in sitting["changes"]
        if change["place"] == "data"
    }
    by_name = {_relative(folder.path, project.folder): folder for folder in project.runs}
    for entry in record["runs"]:
        said = looks.carried(by_name[entry["run"]], changed, search.cache) if entry["run"] in by_name else ""
        entry["said"] = " ".join(filter(None, (entry["said"], said)))
    tainted = {by_name[e["run"]]: e["tainted"] for e in record["runs"] if e["run"] in by_name}
    record["retrain"] = queue.add(project.folder, record["request"], tainted) if asked.retrain else []
    record["checked"] = _checked(project, search)
    proof.close(record)
    proof.write(project.folder, record)


def _checked(project: Project, search: Search) -> dict[str, Any]:
    """Look through every file again, for every text: how many files and bytes, and where one is found still."""
    cached = (path for path in walk(search.cache) if path.relative_to(search.cache).parts[0] != "models")
    files = dict.fromkeys((*walk(project.folder), *cached, *(source.path for source in project.sources)))
    found = [_relative(path, project.folder) for path in files if holds(path, search.person.needles)]
    size = sum(path.stat().st_size for path in files)
    return {"files": len(files), "bytes": size, "texts": len(search.person.needles.texts), "found": found}


def _relative(path: Path, project: Path) -> str:
    return str(path.relative_to(project)) if path.is_relative_to(project) else str(path)
