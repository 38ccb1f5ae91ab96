"""The pages of runs, served until Ctrl-C: what `runs --serve` does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from trimtab import reviewing
from trimtab.cli import show, using
from trimtab.cli.review import author
from trimtab.errors import UserError
from trimtab.review.store import Store
from trimtab.serve import running
from trimtab.serve.app import application
from trimtab.serve.runs.project import Project

PORT = 8323


def serve(root: Path, said: Mapping[str, Sequence[str]], *, as_json: bool) -> int:
    """Serve the runs of a folder, after the author's link was printed.

    said: host and port, as --use gives them.

    Raises:
        UserError: there is no such folder, or nothing can be listened on.
    """
    if not root.is_dir():
        raise UserError(f"{root}: no such folder", "begin with: trimtab demo; or name it: --runs DIR")
    port = using.number(said, "port") if "port" in said else PORT
    listening = running.listen(said.get("host", [running.LOOPBACK])[-1], port)
    store = Store.open(reviewing.beside(root))
    try:
        name, token = author(store)
        place = running.address(listening)
        link = f"{place}/join/{token}"
        if as_json:
            show.document({"address": place, "link": link})
        else:
            show.facts([("Runs", str(root)), ("Link", link)])
            show.line(show.wrapped(f"The link is {name}'s key. Serving until Ctrl-C."))
        with Project(root) as project:
            running.serve(application(store, project=project), listening, leaving=project.leave)
    finally:
        store.close()
    return 0
