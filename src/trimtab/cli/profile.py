"""The verb profile: what a served model is to one user, team or audience."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from trimtab.cli import progress, show, using
from trimtab.errors import UserError
from trimtab.live import choosing, deleting, feedback, learning, profiles
from trimtab.live.choosing import Arm
from trimtab.live.profiles import Profile
from trimtab.records import plain
from trimtab.review.store import FILE, Store, named

LISTS = {"fact": "facts", "style": "style", "arm": "arms"}
KEYS = ("stack", "strength", *LISTS, "drop", "model", "like")

app = typer.Typer(rich_markup_mode=None)


@app.command()
def profile(
    name: Annotated[
        str, typer.Argument(metavar="[NAME]", help="Of the profile; without it all are listed.")
    ] = "",
    *,
    folder: Annotated[
        Path, typer.Option("--profiles", metavar="DIR", help="Folder that profiles lie in.")
    ] = Path("profiles"),
    runs: using.Runs = Path("runs"),
    use: Annotated[
        list[str] | None,
        typer.Option("--use", metavar="KEY=VALUE", help=f"Set: {', '.join(KEYS)}; repeatable."),
    ] = None,
    learn: Annotated[
        bool, typer.Option("--learn", help="Tune a stack of its own on answers that were liked or corrected.")
    ] = False,
    delete: Annotated[
        bool, typer.Option("--delete", help="Delete it, with everything that it learned.")
    ] = False,
    as_json: show.Json = False,
    lines: using.Lines = False,
) -> int:
    """Set, learn or delete what a served model is to one user or team.

    Without anything else, show it. A profile is a file, profiles/NAME.yaml, to be edited by hand too: trimtab serve RUN
    --use profiles=profiles.

    --use stack=RUN (base, own): what answers; strength=adapter:0.5: how strong its adjustments of a kind are.
    --use fact=TEXT: what the model is told of the user; style=TEXT: how to answer. --use arm=RUN: another stack, whose
    verdict is ship, for feedback to choose; drop=TEXT: takes a fact, style or arm away again.

    --learn writes rows and a recipe below profiles/NAME and tunes; only a run whose verdict is ship enters the profile.
    --use like=RECIPE takes its settings, model=MODEL its model. Answers and feedback lie in people.db beside the runs,
    or in the database that the environment variable TRIMTAB_DATABASE names.
    """
    said = using.pairs(use or [], KEYS)
    if not name:
        return _listed(folder, as_json=as_json)
    if delete and (learn or said):
        raise UserError("--delete: nothing else can be done with it", "give it alone")
    with _store(runs) as store:
        if delete:
            gone = deleting.delete(folder, name, store)
            _deleted(name, gone, as_json=as_json)
            return 0
        settings = {key: values for key, values in said.items() if key not in ("model", "like")}
        if settings:
            profiles.write(folder, name, _set(folder, name, settings))
        if learn:
            return _learn(folder, name, store, said, as_json=as_json, lines=lines)
        return _shown(folder, name, store, as_json=as_json)


@contextlib.contextmanager
def _store(runs: Path) -> Iterator[Store | None]:
    """The store of answers, where there is one."""
    url = named() or (f"sqlite:///{(runs / FILE).resolve()}" if (runs / FILE).is_file() else "")
    store = Store.open(url) if url else None
    try:
        yield store
    finally:
        if store:
            store.close()


def _set(folder: Path, name: str, said: dict[str, list[str]]) -> Profile:
    """The profile, a new one if there is none, with what was asked."""
    there = profiles.place(folder, name).is_file()
    content: dict[str, Any] = profiles.read(folder, name).model_dump(mode="json") if there else {}
    dropped = said.get("drop", [])
    for key, field in LISTS.items():
        lines = [*content.get(field, ()), *said.get(key, ())]
        content[field] = [line for line in dict.fromkeys(lines) if line not in dropped]
        dropped = [line for line in dropped if line not in lines]
    if dropped:
        raise UserError(
            f"--use drop={dropped[0]}: no such fact, style or arm", f"see: trimtab profile {name}"
        )
    content["stack"] = said.get("stack", [content.get("stack", profiles.BASE)])[-1]
    content["arms"] = [arm for arm in content["arms"] if arm != content["stack"]]
    strengths = dict(content.get("strengths", {}))
    for pair in said.get("strength", ()):
        kind, _, factor = pair.partition(":")
        strengths[kind.strip()] = factor.strip()
    return profiles.parse(content | {"strengths": strengths}, name=f"profile {name}")


def _listed(folder: Path, *, as_json: bool) -> int:
    known = {name: profiles.read(folder, name) for name in profiles.names(folder)}
    if as_json:
        show.document({"profiles": {name: plain(one.model_dump(mode="json")) for name, one in known.items()}})
    elif not known:
        show.line(f"No profiles in {folder}. Write one: trimtab profile NAME --use stack=base")
    else:
        rows = [[name, one.stack, str(len(one.facts)), str(len(one.arms))] for name, one in known.items()]
        show.table(["profile", "stack", "facts", "arms"], rows, numbers=(2, 3))
    return 0


def _shown(folder: Path, name: str, store: Store | None, *, as_json: bool) -> int:
    one = profiles.read(folder, name)
    said = feedback.of(store, model=name) if store else []
    found = _arms(one, said)
    if as_json:
        show.document(
            {
                "profile": name,
                "file": str(profiles.place(folder, name)),
                **one.model_dump(mode="json"),
                "words": one.words,
                "feedback": [asdict(arm) for arm in found],
            }
        )
        return 0
    facts = [("File", str(profiles.place(folder, name))), ("Stack", one.stack)]
    facts += [("Strength", f"{kind} {factor:g}") for kind, factor in one.strengths.items()]
    facts += [("Arm", arm) for arm in one.arms] + ([("Own run", one.own)] if one.own else [])
    show.facts(facts)
    show.line(
        "\nSaid to the model before each conversation:" if one.words else "\nNothing is said to the model."
    )
    for line in one.words.splitlines():
        show.line(show.wrapped(line, indent="    ", first="  "))
    if found:
        show.line("\nHow answers were received, 0 to 1:")
        rows = [_received(arm) for arm in found]
        show.table(["stack", "n", "mean", ""], rows, numbers=(1,), indent="  ")
    return 0


def _arms(one: Profile, said: Any) -> list[Arm]:
    """What is known of the stacks that feedback chooses between; none where it has nothing to choose."""
    if not one.arms:
        return []
    return choosing.learned([choosing.latest(stack, said) for stack in (one.stack, *one.arms)], said).arms()


def _received(arm: Arm) -> list[str]:
    stopped = f"stopped after {arm.stopped}: worse" if arm.stopped else ""
    return [arm.stack, str(arm.rewards.n), show.interval(plain(arm.rewards)), stopped]


def _learn(
    folder: Path, name: str, store: Store | None, said: dict[str, list[str]], *, as_json: bool, lines: bool
) -> int:
    if store is None:
        raise UserError(
            "no answers are kept: there is no people.db beside the runs",
            "serve with --use record=yes, or name the folder of the runs with --runs",
        )
    like = Path(said["like"][-1]) if "like" in said else None
    with progress.live(as_json=as_json, wanted=lines) as report:
        found = learning.learn(
            folder, name, store, model=said.get("model", [""])[-1], like=like, report=report
        )
    verdict = found.run.verdict
    if as_json:
        about = {"run": str(found.run.folder.path), "verdict": verdict.outcome, "entered": found.entered}
        show.document({"profile": name, "rows": found.rows, "corrected": found.corrected, **about})
    else:
        show.facts(
            [
                ("Rows", f"{found.rows}, {found.corrected} of them corrected"),
                ("Run", str(found.run.folder.path)),
                ("Verdict", verdict.outcome),
                ("Profile", "has it now" if found.entered else "as it was: only a verdict of ship enters it"),
            ]
        )
    return show.OUTCOMES[verdict.outcome]


def _deleted(name: str, gone: deleting.Deleted, *, as_json: bool) -> None:
    if as_json:
        show.document({"profile": name, "deleted": asdict(gone)})
    else:
        show.line(f"Deleted {name}: {gone.files} files, {gone.answers} answers with what was said of them.")
