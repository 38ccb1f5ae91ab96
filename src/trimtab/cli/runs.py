"""The verb runs: what was tuned so far, as a list or as pages in the browser."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli import show, using
from trimtab.document.listing import Listed, listed
from trimtab.errors import UserError
from trimtab.run import runs as all_runs

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
    """List the runs and their verdicts, or show them in the browser.

    The list begins with the oldest, and says which learned from rows that were erased since.

    --serve shows them in the browser, on this machine alone: a climb while it goes on, reports, two runs side by
    side, two stacks that answer one question at strengths of your choice, and a form that begins a review. The link
    that is printed lets you in. --use host=0.0.0.0 port=8323 to be reached from elsewhere.
    """
    said = using.pairs(use or [], KEYS)
    if serve:
        # The list needs neither a server nor torch, and is there at once.
        serving = importlib.import_module("trimtab.cli.pages")
        return int(serving.serve(root, said, as_json=as_json))
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
