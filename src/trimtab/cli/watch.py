"""The verb watch: live answers against what was confirmed, by figures and by people; and what users teach."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from trimtab import reviewing, watching
from trimtab.cli import progress, show, using
from trimtab.errors import UserError
from trimtab.model.sentences import default_encoder, encoder_installed
from trimtab.records import plain
from trimtab.review.store import Store
from trimtab.watching import Looked, shown

KEYS = (
    "from",
    "stack",
    "rate",
    "baseline",
    "again",
    "every",
    "webhook",
    "sample",
    "cadence",
    "delays",
    "next",
    "recipe",
    "replay",
    "bounds",
)
# As of a verdict: 0 quiet, 10 an alarm stands, 11 too little was seen to say.
CODES = {"quiet": 0, "alarm": 10, "waiting": 11}
UNITS = {"h": 3600.0, "d": 86_400.0, "w": 7 * 86_400.0}
_SPAN = re.compile(r"([1-9]\d{0,3})([hdw])")

app = typer.Typer(rich_markup_mode=None)


@app.command()
def watch(
    run: Annotated[
        str, typer.Argument(metavar="[RUN]", help="A run's folder; none is needed to replay.")
    ] = "",
    *,
    use: Annotated[
        list[str] | None,
        typer.Option("--use", metavar="KEY=VALUE", help=f"How: {', '.join(KEYS)}; repeatable."),
    ] = None,
    as_json: show.Json = False,
    lines: using.Lines = False,
) -> int:
    """See whether live answers have drifted, and let people look at them.

    What was answered since the last look is compared with what the stack answered on select: length, refusals, tone,
    confidence, rules, and what questions and answers are about. Look as often as you like: the chance of a false alarm
    ever is 0.05 in all (--use rate=0.01). An alarm is told once, on stderr and by webhook, and stands until --use
    again=yes. The exit code is 0 for quiet, 10 where an alarm stands, 11 where too little was seen.

    --use from=FILE reads lines of {"time", "prompt", "answer", "confidence", "fired", "stack"} in place of what the
    server kept. --use baseline=traffic:500: the first 500 rows are what later ones are held against. --use stack=HASH;
    every=60: a look each 60 seconds, until Ctrl-C; webhook=https://..., or set TRIMTAB_WEBHOOK; delays=yes: within how
    many rows changes would be noticed.

    --use sample=50, cadence=7d: each week 50 answers go to the review pages beside the base model's, for people to
    judge blindly. --use next=yes: what users corrected or liked becomes the next round's recipe; recipe=FILE: a recipe
    for it. --use replay=FILE: rows of time, user, adapted, stale: whether an adapted model goes on paying; bounds=0,1
    of its scores.
    """
    said = using.pairs(use or [], KEYS)
    if "replay" in said:
        return _replay(said, as_json=as_json)
    if not run:
        raise UserError("no RUN was named", "name a run's folder, or play a stream again: --use replay=FILE")
    store = Store.open(reviewing.address(run))
    try:
        if using.yes(said, "next"):
            return _next(run, store, said, as_json=as_json)
        return _watch(run, store, said, as_json=as_json, lines=lines)
    finally:
        store.close()


def _watch(run: str, store: Store, said: dict[str, list[str]], *, as_json: bool, lines: bool) -> int:
    """Look once, or again and again; the exit code is that of the last look."""
    source: watching.Source = watching.Kept(store)
    if "from" in said:
        source = watching.File(Path(said["from"][-1]))
    encoder = default_encoder() if encoder_installed() else None
    wanted, cadence, every = _wanted(said), _cadence(said), using.number(said, "every")
    telling = watching.Telling(_say, watching.named(said.get("webhook", [""])[-1]))
    follower = watching.Follower(run, source, encoder, wanted.stack)
    delays = using.yes(said, "delays")

    def look(wanted: watching.Wanted) -> Looked:
        with progress.live(as_json=as_json, wanted=lines) as report:
            found = watching.look(follower, store, wanted, telling, cadence=cadence, report=report)
        if found.problem:
            show.line(show.wrapped(f"{found.problem}; it is told again at the next look"), to_error=True)
        if as_json:
            show.document(shown.values(found, delays=delays or not every))
        else:
            _print(found, delays=delays)
        return found

    found = look(wanted)
    # What begins anew does so once.
    wanted = _wanted({key: values for key, values in said.items() if key != "again"})
    try:
        while every:
            time.sleep(every)
            found = _again(look, wanted) or found
    except KeyboardInterrupt:
        pass
    return CODES[found.outcome]


def _again(look: Any, wanted: watching.Wanted) -> Looked | None:
    """One more look; what a user or an operator can mend is said, and does not end the watch."""
    try:
        found: Looked = look(wanted)
    except UserError as error:
        show.problem(error.message, error.hint)
        return None
    return found


def _wanted(said: dict[str, list[str]]) -> watching.Wanted:
    text = said.get("rate", ["0"])[-1]
    try:
        rate = float(text)
        if "rate" in said and not rate:
            raise ValueError
    except ValueError:
        raise UserError(
            f"--use rate={text}: expected a number above 0, received {text!r}", "give rate=0.05"
        ) from None
    return watching.Wanted(
        said.get("stack", [""])[-1],
        rate,
        said.get("baseline", [""])[-1],
        again=using.yes(said, "again"),
    )


def _cadence(said: dict[str, list[str]]) -> watching.Cadence | None:
    items, text = using.number(said, "sample"), said.get("cadence", ["7d"])[-1]
    span = _SPAN.fullmatch(text)
    if span is None or ("cadence" in said and not items):
        raise UserError(
            f"--use cadence={text}: expected a time such as 7d, 12h or 2w, with sample=N",
            "give sample=50 and cadence=7d",
        )
    return watching.Cadence(items, int(span[1]) * UNITS[span[2]]) if items else None


def _say(alarm: watching.Alarm) -> None:
    """One line on standard error, for whatever collects such lines."""
    facts = " ".join(f"{name}={value}" for name, value in alarm.items() if not isinstance(value, dict))
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    show.line(f"{stamp} trimtab watch {facts}", to_error=True)


def _print(found: Looked, *, delays: bool) -> None:
    show.line(show.wrapped(shown.headline(found)))
    for one in shown.tables(found, delays=delays):
        show.line()
        show.sheet(one.head, one.rows)
    for text in shown.said(found):
        show.line()
        show.line(show.wrapped(text))


def _next(run: str, store: Store, said: dict[str, list[str]], *, as_json: bool) -> int:
    stack, recipe = said.get("stack", [""])[-1], said.get("recipe", [""])[-1]
    made = watching.next_round(run, store, stack=stack, recipe=recipe or None)
    if as_json:
        show.document(plain(made))
        return 0
    show.facts(
        [
            ("Corrected", f"{made.corrected}, learned as users wrote them"),
            ("Liked", f"{made.liked}, learned as they were given"),
            ("Left out", f"{made.sealed}, whose question select or confirm asks, or nearly so"),
            ("Keys", f"{made.owners}, of which one gave {made.most} at most"),
        ]
    )
    show.line()
    show.line(f"Look at them first: trimtab audit {made.rows}")
    show.line(f"Next: trimtab tune {made.recipe}")
    return 0


def _replay(said: dict[str, list[str]], *, as_json: bool) -> int:
    """Print how an adapted model does beside one that stays as it was."""
    text = said.get("bounds", ["0,1"])[-1]
    try:
        low, high = (float(part) for part in text.split(","))
    except ValueError:
        raise UserError(
            f"--use bounds={text}: expected the lowest and the highest score", "give bounds=0,1"
        ) from None
    found = watching.streamed(said["replay"][-1], bounds=(low, high))
    if as_json:
        show.document(found)
    else:
        for line in shown.streamed(found):
            show.line(show.wrapped(line))
    return 0
