"""The verb serve: stacks of runs behind the interface that clients of OpenAI's speak, and the keys that open it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from trimtab import reviewing
from trimtab.cli import show, using
from trimtab.errors import UserError
from trimtab.live import forgetting, keys
from trimtab.model.find import loaded, tuned_on
from trimtab.model.sentences import default_encoder, encoder_installed
from trimtab.recipe import load as load_recipe
from trimtab.review.store import Store
from trimtab.run import RunFolder
from trimtab.serve import running
from trimtab.serve.models import stacks
from trimtab.serve.models.app import application
from trimtab.serve.models.edge import loopback
from trimtab.serve.models.engine import Engine, Limits, apart
from trimtab.serve.models.logs import Log
from trimtab.serve.models.notice import notice
from trimtab.serve.models.personal import Profiles, checked
from trimtab.serve.models.recording import Recorder
from trimtab.serve.models.serving import Serving

PORT = 8322
KEYS = (
    *("host", "port", "rows", "waiting", "prompt", "answer", "seconds", "unproven", "base", "profiles"),
    *("keys", "each", "record", "days", "log", "revoke", "forget", "notice"),
)

app = typer.Typer(rich_markup_mode=None)


@app.command()
def serve(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Runs whose stacks are served.")],
    *,
    new: Annotated[
        str,
        typer.Option(
            "--key", metavar="NAME[:MODEL,...]", help="Make a key, for these models or all; print it and end."
        ),
    ] = "",
    listing: Annotated[bool, typer.Option("--keys", help="List the keys, and end.")] = False,
    use: Annotated[
        list[str] | None,
        typer.Option("--use", metavar="KEY=VALUE", help=f"How: {', '.join(KEYS)}; repeatable."),
    ] = None,
    as_json: show.Json = False,
) -> int:
    """Serve tuned models to OpenAI's clients, many stacks in one batch.

    Each run is a model under the name of its folder, at /v1/models, /v1/chat/completions, /v1/completions and
    /v1/embeddings; /v1/feedback takes what users say of an answer; /healthz, /readyz and /metrics say how the server
    is. All runs must have one base model. Until Ctrl-C, which lets what is under way end.

    Once a key was made, every request needs one; --use keys=required from the start. --use revoke=NAME ends a key,
    forget=NAME also deletes what its holder was answered and said; both at once, while a server runs too. --use
    host=0.0.0.0 to be reached from elsewhere, which needs a key. Keys lie as hashes in people.db beside the first run,
    or in the database that the environment variable TRIMTAB_DATABASE names.

    --use record=yes keeps questions and answers there, to be watched and learned from; days=90: no longer than that.
    --use log=FILE for the log, which holds no content, instead of the standard error; log=no: none. --use rows=32,
    waiting=256: answers at once and in the queue; each=64: requests of one key at once; prompt=2048, answer=1024: most
    tokens of each; seconds=300: longest request. --use unproven=yes serves runs whose verdict is not ship; base=yes the
    base model too; profiles=DIR the profiles of a folder, see trimtab profile; notice=TEXT puts a sentence at the end
    of every answer, which tells people what wrote it.
    """
    said = using.pairs(use or [], KEYS)
    store = Store.open(reviewing.address(runs[0]))
    try:
        if new or listing or "revoke" in said or "forget" in said:
            return _keys(store, new, said, as_json=as_json)
        return _serve(store, runs, said, as_json=as_json)
    finally:
        store.close()


def _serve(store: Store, runs: list[str], said: dict[str, list[str]], *, as_json: bool) -> int:
    """Serve until Ctrl-C, after everything was checked."""
    port = using.number(said, "port") if "port" in said else PORT
    host = said.get("host", [running.LOOPBACK])[-1]
    if not loopback(host) and all(key.revoked is not None for key in keys.listed(store)):
        raise UserError(
            f"--use host={host}: others could reach the models, and there is no key",
            f"make one first: trimtab serve {runs[0]} --key NAME",
        )
    texts = using.yes(said, "record")
    recorder = Recorder(store, texts, using.number(said, "days"))
    recorder.sweep()
    listening = running.listen(host, port)
    with listening:
        serving = apart(partial(_serving, runs, said, recorder))
        place = f"{running.address(listening)}/v1"
        if as_json:
            show.document({"address": place, "models": list(serving.open_to(None))})
        else:
            show.facts([("Address", place), *(("Model", name) for name in serving.open_to(None))])
            show.line("Serving until Ctrl-C.")
        # Whatever is under way when the server is told to stop has the time that it was promised.
        running.serve(application(serving), listening, patience=serving.seconds)
        if not serving.engine.stop(finish=True):
            show.line("Some answers were not finished in time.", to_error=True)
        recorder.close()
        if serving.log:
            serving.log.close()
    return 0


def _serving(runs: list[str], said: dict[str, list[str]], recorder: Recorder) -> Serving:
    """What is to be served; the base model is that of the first run, and every run is checked against it."""
    recipe = load_recipe(Path(runs[0]) / "recipe.yaml")
    base = loaded(tuned_on(RunFolder.open(runs[0])))
    unproven = using.yes(said, "unproven")
    served = [stacks.of_run(run, base, unproven=unproven) for run in dict.fromkeys(runs)]
    if using.yes(said, "base"):
        served.append(stacks.of_base(recipe.model, served[0].sampling))
    default = Limits()
    names = ("rows", "waiting", "prompt", "answer")
    limits = Limits(**{name: using.number(said, name) or getattr(default, name) for name in names})
    log = said.get("log", [""])[-1]
    engine = Engine(base, limits)
    known = stacks.admitted(engine, served)
    plain = stacks.of_base(recipe.model, served[0].sampling)
    people = said.get("profiles", [""])[-1]
    return Serving(
        engine,
        known,
        default_encoder() if encoder_installed() else None,
        float(using.number(said, "seconds") or Serving.seconds),
        recorder,
        keys=using.choice(said, "keys", ("required",), "") == "required",
        each=using.number(said, "each") or Serving.each,
        log=None if log == "no" else Log(log),
        notice=notice(said["notice"][-1]) if "notice" in said else None,
        profiles=checked(Profiles(Path(people), engine, known, plain, recorder.store, unproven))
        if people
        else None,
    )


def _keys(store: Store, new: str, said: dict[str, list[str]], *, as_json: bool) -> int:
    """Make, revoke, forget and list keys; no model is loaded for it."""
    done: dict[str, object] = {}
    if new:
        name, _, models = new.partition(":")
        done["key"] = keys.made(store, name, models.split(",") if models else ())
    for name in said.get("revoke", ()):
        keys.revoked(store, name)
    if "forget" in said:
        done["forgotten"] = sum(forgetting.forget(store, name) for name in said["forget"])
    known = keys.listed(store)
    if as_json:
        rows = [{"name": k.name, "id": k.id, "models": k.models, "valid": k.revoked is None} for k in known]
        show.document(done | {"keys": rows})
        return 0
    if "forgotten" in done:
        show.line(f"Forgotten: {done['forgotten']} answers, and who they were given to.")
    if "key" in done:
        show.line(f"{done['key']}\n\nIt is shown once. Clients send it as their API key.")
    else:
        table = [
            [
                key.name or "(forgotten)",
                key.id,
                "revoked" if key.revoked else "valid",
                ", ".join(key.models) or "all",
            ]
            for key in known
        ]
        show.sheet(["key", "id", "state", "models"], table)
    return 0
