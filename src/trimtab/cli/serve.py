"""The verb serve: stacks of runs behind the interface that clients of OpenAI's speak."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from trimtab.cli import show, using
from trimtab.model.find import find, loaded
from trimtab.model.sentences import default_encoder, encoder_installed
from trimtab.recipe import load as load_recipe
from trimtab.serve import running
from trimtab.serve.models import stacks
from trimtab.serve.models.app import application
from trimtab.serve.models.engine import Engine, Limits, apart
from trimtab.serve.models.personal import Profiles, checked
from trimtab.serve.models.serving import Serving

PORT = 8322
KEYS = ("host", "port", "rows", "waiting", "prompt", "answer", "seconds", "unproven", "base", "profiles")
YES = ("yes", "no")

app = typer.Typer(rich_markup_mode=None)


@app.command()
def serve(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Runs whose stacks are served.")],
    *,
    use: Annotated[
        list[str] | None,
        typer.Option("--use", metavar="KEY=VALUE", help=f"How: {', '.join(KEYS)}; repeatable."),
    ] = None,
    as_json: show.Json = False,
) -> int:
    """Serve tuned models to OpenAI's clients, many stacks in one batch.

    Each run is a model under the name of its folder, at /v1/models, /v1/chat/completions, /v1/completions and
    /v1/embeddings; /healthz and /readyz say how the server is. All runs must have one base model. Until Ctrl-C, on this
    machine alone.

    --use host=0.0.0.0 port=8322 to be reached from elsewhere: it asks for no key, so put it behind something that
    does. --use rows=32, waiting=256: answers at once and in the queue; prompt=2048, answer=1024: most tokens of each;
    seconds=300: longest request. --use unproven=yes serves runs whose verdict is not ship; base=yes the base model too.
    --use profiles=DIR: every profile of the folder is a model too, under its own name; see trimtab profile.
    """
    said = using.pairs(use or [], KEYS)
    port = using.number(said, "port") if "port" in said else PORT
    listening = running.listen(said.get("host", [running.LOOPBACK])[-1], port)
    with listening:
        serving = apart(partial(_serving, runs, said))
        place = f"{running.address(listening)}/v1"
        if as_json:
            show.document({"address": place, "models": serving.names})
        else:
            show.facts([("Address", place), *(("Model", name) for name in serving.names)])
            show.line("Serving until Ctrl-C.")
        running.serve(application(serving), listening)
        if not serving.engine.stop(finish=True):
            show.line("Some answers were not finished in time.", to_error=True)
    return 0


def _serving(runs: list[str], said: dict[str, list[str]]) -> Serving:
    """What is to be served; the base model is that of the first run, and every run is checked against it."""
    recipe = load_recipe(Path(runs[0]) / "recipe.yaml")
    base = loaded(find(recipe.model))
    unproven = using.choice(said, "unproven", YES, "no") == "yes"
    served = [stacks.of_run(run, base, unproven=unproven) for run in dict.fromkeys(runs)]
    if using.choice(said, "base", YES, "no") == "yes":
        served.append(stacks.of_base(recipe.model, served[0].sampling))
    default = Limits()
    names = ("rows", "waiting", "prompt", "answer")
    limits = Limits(**{name: using.number(said, name) or getattr(default, name) for name in names})
    engine = Engine(base, limits)
    encoder = default_encoder() if encoder_installed() else None
    seconds = float(using.number(said, "seconds") or Serving.seconds)
    known = stacks.admitted(engine, served)
    plain = stacks.of_base(recipe.model, served[0].sampling)
    people = [
        checked(Profiles(Path(folder), engine, known, plain, unproven=unproven))
        for folder in said.get("profiles", ())[-1:]
    ]
    return Serving(engine, known, encoder, seconds, people[0] if people else None)
