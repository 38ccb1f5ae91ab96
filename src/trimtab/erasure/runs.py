"""Run folders: which adjustments learned from a person, and the record without their rows and texts."""

from __future__ import annotations

import contextlib
import functools
import json
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from trimtab import lineage, previous, taint
from trimtab.document import exported, model_card, probe_page, probed, write_report
from trimtab.erasure.person import Person
from trimtab.erasure.search import Change, Search, holds, walk
from trimtab.erasure.texts import Redactor
from trimtab.errors import TrimtabError
from trimtab.run import RunFolder, read_json, write_atomic

PLACE = "runs"
# Rows in these files are called by their own id, not by the id of an example that they are about.
BY_ID = ("examples.jsonl", "exemplars.jsonl", lineage.MADE)
# What a review has shown is listed by ids alone.
SEEN = "seen.json"
PAGE = "report.html"
# What a probe shows of prompts and answers is cut into words, which no search for a text would find.
PROBE = (probed.FILE, probe_page.PAGE, probed.IMAGES)
# Rows of users that a round took are a data file, wherever it lies.
LEFT = (taint.FILE, "identity.json", ".lock", lineage.ROWS, previous.LIVE)


@dataclass(frozen=True)
class Found:
    """What a run has of a person.

    Attributes:
        ids: of their rows in this run.
        parts: how many of them lie in each part.
        stacks: those that learned from them, with how many rows.
        certain: False where the run recorded no lineage and what it learned from is concluded from its other files.
    """

    folder: RunFolder
    ids: frozenset[str]
    parts: dict[str, int]
    stacks: dict[str, int]
    certain: bool = True


def found(person: Person, folder: RunFolder) -> Found:
    """What a run has of a person.

    Raises:
        RunError: a file of the run is damaged.
    """
    rows = lineage.rows(folder)
    own = person.owned(rows)
    certain = folder.has(lineage.ROWS)
    if certain:
        ids, parts = frozenset(row.id for row in own), Counter(row.part for row in own)
    else:
        ids, parts = _concluded(person, folder)
    files = {str(path): len(numbers) for path, numbers in person.rows.items()}
    stacks = lineage.affected(lineage.stacks(folder), parts, files)
    return Found(folder, ids, dict(parts), stacks, certain)


def plan(search: Search) -> Iterator[Change]:
    """First the marks, so that nothing tainted is loaded any more, then the record; the lineage of each run last."""
    known = [found(search.person, folder) for folder in search.runs]
    for one in known:
        yield from _marks(search, one)
    for one in known:
        changes = list(_record(search, one))
        yield from changes
        page = one.folder.path / PAGE
        if page.is_file() and (changes or holds(page, search.person.needles)):
            yield Change(PLACE, page, "written again", functools.partial(_page, one.folder, search.person))
        for card in (one.folder.path / name for name in model_card.FILES):
            if card.is_file() and (one.stacks or changes or holds(card, search.person.needles)):
                yield Change(
                    PLACE, card, "card removed; its verb writes it again", functools.partial(_remove, card)
                )
    for one in known:
        path = one.folder.path / lineage.ROWS
        if one.parts and one.certain:
            forget = functools.partial(_forget, one.folder, search.person, search.request)
            yield Change(PLACE, path, "rows removed", forget, rows=sum(one.parts.values()))


def _concluded(person: Person, folder: RunFolder) -> tuple[frozenset[str], Counter[str]]:
    """Ids and parts, for a run without a lineage: from what was shown of select, and what is certified of tune."""
    shown = [row for row in folder.rows("examples.jsonl") if _theirs(person, row)]
    rows = folder.read("certificate.json")["rows"] if folder.has("certificate.json") else []
    learned = [row["example"] for row in rows if row["example"] in person.ids]
    parts = Counter({"select": len(shown), "tune": len(learned)})
    source = Path(folder.recipe()["data"]["examples"] if folder.has("recipe.yaml") else "").resolve()
    if not rows and source in person.rows:
        parts["tune"] = len(person.rows[source])
    return frozenset([row["id"] for row in shown] + learned) | person.ids, +parts


def _theirs(person: Person, row: dict[str, Any]) -> bool:
    return row.get("subject") == person.subject or row.get("id") in person.ids


def _marks(search: Search, one: Found) -> Iterator[Change]:
    for stack, rows in one.stacks.items():
        folder = one.folder.trial(stack)
        delete = search.adapters == "delete"
        what = "tainted, files deleted" if delete else "tainted"
        apply = functools.partial(taint_stack, folder, search.request, rows, delete=delete)
        yield Change("adapters", folder, what, apply)
    for origin in sorted(one.folder.path.glob(f"exports/*/{exported.ORIGIN}")):
        yield from _copied(search, origin, one.stacks, taint_export, "export tainted")


def _copied(
    search: Search, record: Path, stacks: Mapping[str, int], mark: Callable[..., None], what: str
) -> Iterator[Change]:
    """The mark of a folder whose record names a stack that learned from the person."""
    with contextlib.suppress(TrimtabError, KeyError, TypeError, AttributeError):
        stack = read_json(record)["stack"]
        if stack in stacks:
            delete = search.adapters == "delete"
            apply = functools.partial(mark, record.parent, search.request, stacks[stack], delete=delete)
            yield Change("adapters", record.parent, what, apply)


def taint_export(folder: Path, request: str, rows: int, *, delete: bool) -> None:
    """Mark an exported folder, and delete its weights where that is asked for."""
    taint.mark(folder, request, rows, deleted=delete)
    for path in sorted(folder.iterdir()):
        if delete and path.suffix in exported.WEIGHTS:
            path.unlink()


def taint_stack(folder: Path, request: str, rows: int, *, delete: bool) -> None:
    """Mark a stack and each of its adjustments, and delete their files where that is asked for."""
    taint.mark(folder, request, rows, deleted=delete)
    for inside in sorted(folder.glob("adjustment-*")):
        if delete:
            shutil.rmtree(inside)
        else:
            taint.mark(inside, request, rows)
    if delete:
        (folder / "stack.json").unlink(missing_ok=True)


def _record(search: Search, one: Found) -> Iterator[Change]:
    """Every file of a run that has a row or a text of the person."""
    if one.parts.get("tune"):
        left = [*one.folder.path.glob("fits/*"), *one.folder.path.glob("exports/.*.part")]
        for folder in sorted(path for path in left if path.is_dir()):
            what = "unfinished fit or export removed"
            yield Change(PLACE, folder, what, functools.partial(shutil.rmtree, folder, ignore_errors=True))
    if one.parts:
        for path in (one.folder.path / name for name in PROBE):
            if path.exists():
                yield Change(PLACE, path, "probe removed", functools.partial(_remove, path))
        for path in sorted(one.folder.path.glob(f"round-*/{previous.PROPOSED}")):
            yield Change(PLACE, path, "proposed rule removed", functools.partial(_remove, path))
    deleted = [one.folder.trial(stack) for stack in one.stacks] if search.adapters == "delete" else []
    for path in walk(one.folder.path):
        gone = any(folder in path.parents and path.parent != folder for folder in deleted)
        if path.name in (*LEFT, PAGE, *model_card.FILES) or gone or (one.parts and _of_probe(one, path)):
            continue
        redactor = _redactor(search.person, one, path)
        try:
            content = cleaned(path, redactor)
        except ValueError:
            continue
        if content is not None:
            apply = functools.partial(_clean, path, search.person, one)
            what = "rows and texts removed" if redactor.rows else "texts removed"
            yield Change(PLACE, path, what, apply, redactor.rows, redactor.texts)


def _of_probe(one: Found, path: Path) -> bool:
    return path.relative_to(one.folder.path).parts[0] in PROBE


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _redactor(person: Person, one: Found, path: Path) -> Redactor:
    return Redactor(person.needles, one.ids, person.subject, path.name in BY_ID, path.name == SEEN)


def cleaned(path: Path, redactor: Redactor) -> str | None:
    """A JSON, JSON-lines or YAML file without what the redactor takes out; None where nothing changes.

    Raises:
        ValueError: the file cannot be read as what its name says.
    """
    if path.suffix not in (".json", ".jsonl", ".yaml"):
        return None
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        rows = [json.loads(line) for line in text.split("\n") if line]
        changed = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in redactor.clean(rows))
    elif path.suffix == ".json":
        content = (
            _without_phrases(json.loads(text), redactor) if path.name == previous.FACTS else json.loads(text)
        )
        changed = json.dumps(redactor.clean(content), indent=1, ensure_ascii=False) + "\n"
    else:
        try:
            changed = yaml.safe_dump(redactor.clean(yaml.safe_load(text)), sort_keys=False)
        except yaml.YAMLError as error:
            raise ValueError(str(error)) from None
    return changed if redactor.rows or redactor.texts else None


def _without_phrases(content: dict[str, Any], redactor: Redactor) -> dict[str, Any]:
    """The record of a round without phrases of its rows, which are too short to tell whose they are."""
    kept = {name: value for name, value in content.items() if name not in previous.PHRASES}
    redactor.texts += (len(content) - len(kept)) if redactor.ids else 0
    return kept if redactor.ids else content


def _clean(path: Path, person: Person, one: Found) -> None:
    content = cleaned(path, _redactor(person, one, path)) if path.is_file() else None
    if content is not None:
        write_atomic(path, content)


def _page(folder: RunFolder, person: Person) -> None:
    """Write the page again from the record that is left; where that cannot be done, remove it."""
    page = folder.path / PAGE
    try:
        write_report(folder)
    except (TrimtabError, KeyError, ValueError):
        page.unlink(missing_ok=True)
    if page.is_file() and holds(page, person.needles):
        page.unlink()


def _forget(folder: RunFolder, person: Person, request: str) -> None:
    rows = lineage.rows(folder)
    own = {id(row) for row in person.owned(rows)}
    left = [lineage.Row(row.part, erased=request) if id(row) in own else row for row in rows]
    folder.write_rows(lineage.ROWS, left)


def elsewhere(search: Search) -> Iterator[Change]:
    """Copies and exports of the tainted stacks in other folders of the project."""
    stacks = {s: n for folder in search.runs for s, n in found(search.person, folder).stacks.items()}
    for path in search.files:
        if path.name == exported.ORIGIN:
            yield from _copied(search, path, stacks, taint_export, "export tainted")
        if path.name == "stack.json":
            yield from _copied(search, path, stacks, taint_stack, "copy tainted")


def marked(runs: Sequence[RunFolder], request: str) -> dict[str, dict[str, int]]:
    """Every stack that a request marked, with the rows it learned from, by the name of its run's folder."""
    result: dict[str, dict[str, int]] = {}
    for folder in runs:
        for path in sorted(folder.path.glob(f"trials/*/{taint.FILE}")):
            said = taint.of(path.parent)
            if said and said["request"] == request:
                result.setdefault(folder.path.name, {})[path.parent.name] = said["rows"]
    return result
