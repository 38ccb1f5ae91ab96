"""The verb runs: what was tuned so far, as a list or as pages in the browser."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli import show, using
from trimtab.document.listing import Listed, listed
from trimtab.errors import UserError
from trimtab.run import runs as all_runs

PORT = 8323
KEYS = ("host", "port")

app = typer.Typer(rich_markup_mode=None)


@app.command()
def runs(
    *,
    serve: Annotated[
        bool, typer.Option("--serve", help="Show them in the browser, until Ctrl-C; your link is printed.")
    ] = False,
    root: using.Runs = Path("runs"),
    use: Annotated[
        list[str] | None,
        typer.Option("--use", metavar="KEY=VALUE", help=f"With --serve: {', '.join(KEYS)}; repeatable."),
    ] = None,
    as_json: show.Json = False,
) -> int:
    """List the runs and their verdicts, oldest first, and which learned from rows that were erased since.

    --serve shows them in the browser, on this machine alone: a climb while it goes on, reports, two runs side by
    side, two stacks that answer one question at strengths of your choice, and a form that begins a review. The link
    that is printed lets you in. --use host=0.0.0.0 port=8323 to be reached from elsewhere.
    """
    said = using.pairs(use or [], KEYS)
    if serve:
        return _serve(root, said, as_json=as_json)
    if said:
        raise UserError("--use was given without --serve", "say where to listen only with --serve")
    found = [listed(folder) for folder in all_runs(root)]
    if as_json:
        show.document({"runs": [dataclasses.asdict(one) | {"shown": _shown(one)} for one in found]})
        return 0
    if not found:
        show.line(f"No runs in {root}. Begin with: trimtab demo")
        return 0
    rows = [[one.run, one.goal[:16], one.outcome, _shown(one)] for one in found]
    show.table(["run, by its time (UTC)", "goal", "outcome", "difference"], rows)
    return 0


def _shown(one: Listed) -> str:
    if one.tainted:
        return "tainted by an erasure"
    return show.interval(one.difference) if one.difference else ""


def _serve(root: Path, said: dict[str, list[str]], *, as_json: bool) -> int:
    """Serve the pages until Ctrl-C, after the author's link was printed."""
    from trimtab import reviewing
    from trimtab.cli.review import author
    from trimtab.review.store import Store
    from trimtab.serve import running
    from trimtab.serve.app import application
    from trimtab.serve.runs.project import Project

    if not root.is_dir():
        raise UserError(f"{root}: no such folder", "begin with: trimtab demo; or name it: --runs DIR")
    port = using.number(said, "port") if "port" in said else PORT
    listening = running.listen(said.get("host", [running.LOOPBACK])[-1], port)
    store = Store.open(reviewing.beside(root))
    try:
        name, token = author(store)
        link = f"{running.address(listening)}/join/{token}"
        if as_json:
            show.document({"address": running.address(listening), "link": link})
        else:
            show.facts([("Runs", str(root)), ("Link", link)])
            show.line(show.wrapped(f"The link is {name}'s key. Serving until Ctrl-C."))
        with Project(root) as project:
            running.serve(application(store, project=project), listening, leaving=project.leave)
    finally:
        store.close()
    return 0
