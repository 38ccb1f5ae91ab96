"""The verb review: people judge a run's answers in the browser, and their judgement enters its verdict."""

from __future__ import annotations

import getpass
from typing import Annotated, Any

import typer

from trimtab import concluding, reviewing
from trimtab.cli import progress, show, using
from trimtab.concluding import Standing
from trimtab.document import reviewed
from trimtab.review import people
from trimtab.review.sampling import PURPOSES, Review
from trimtab.review.store import Store
from trimtab.reviewing import STACKS, Wanted
from trimtab.serve import running
from trimtab.serve.app import application

PORT = 8321
KEYS = ("for", "items", "stacks", "host", "port", "forget")

app = typer.Typer(rich_markup_mode=None)


@app.command()
def review(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run's folder.")],
    *,
    invite: Annotated[
        list[str] | None,
        typer.Option(
            "--invite", metavar="NAME", help="Let someone judge; their link is printed. Repeatable."
        ),
    ] = None,
    judge: Annotated[
        str,
        typer.Option(
            "--judge", metavar="MODEL", help="Have a model judge the same pairs, to be held against people."
        ),
    ] = "",
    look: Annotated[bool, typer.Option("--show", help="Say where the review stands, and end.")] = False,
    close: Annotated[
        bool, typer.Option("--close", help="End the review; what people judged enters the run.")
    ] = False,
    use: Annotated[
        list[str] | None,
        typer.Option("--use", metavar="KEY=VALUE", help=f"How: {', '.join(KEYS)}; repeatable."),
    ] = None,
    as_json: show.Json = False,
    lines: using.Lines = False,
) -> int:
    """Have people judge answers blindly, in the browser.

    Where the recipe requires people, they judge confirm, and the verdict waits for them; else they judge select, and
    what they write there can be learned from. The pages are served until Ctrl-C; every judgement is kept at once.

    --use for=verdict, learning, or live (what `watch` drew of live answers); items=N; stacks=all to compare each rung's
    choice. --use host=0.0.0.0 port=8321 to be
    reached from elsewhere. --use forget=N: erase what is known of person N. Judgements lie in people.db beside the
    runs, or in the database that the environment variable TRIMTAB_DATABASE names: postgresql://user:password@host/name.
    """
    said = using.pairs(use or [], KEYS)
    store = Store.open(reviewing.address(run))
    try:
        if "forget" in said:
            return _forget(store, using.number(said, "forget"), as_json=as_json)
        if look or close:
            return _outcome(run, store, said, close=close, as_json=as_json)
        with progress.live(as_json=as_json, wanted=lines) as report:
            begun = reviewing.begin(run, store, _wanted(said), report)
            if judge:
                reviewing.machine(run, store, begun, judge, report)
        return _serve(store, begun, invite or [], said, as_json=as_json)
    finally:
        store.close()


def _wanted(said: dict[str, list[str]]) -> Wanted:
    purpose: Any = using.choice(said, "for", PURPOSES, "")
    stacks: Any = using.choice(said, "stacks", STACKS, STACKS[0])
    return Wanted(purpose, using.number(said, "items"), stacks)


def _serve(
    store: Store, begun: Review, names: list[str], said: dict[str, list[str]], *, as_json: bool
) -> int:
    """Serve the pages until Ctrl-C, after everybody's link was printed."""
    port = using.number(said, "port") if "port" in said else PORT
    listening = running.listen(said.get("host", [running.LOOPBACK])[-1], port)
    place = running.address(listening)
    links = {name: f"{place}/join/{token}" for name, token in _invited(store, names).items()}
    content = {"review": begun.id, "purpose": begun.purpose, "address": place, "links": links}
    if as_json:
        show.document(content)
    else:
        _print_links(store, begun, links)
    running.serve(application(store), listening)
    if not as_json:
        show.line(f"\nStopped; every judgement is kept. Where it stands: trimtab review {begun.title} --show")
    return 0


def author(store: Store) -> tuple[str, str]:
    """The name and a new invitation of the author, who is the one that gives the command."""
    known = next((one for one in people.everyone(store) if one.role == "author"), None)
    name = known.name if known else getpass.getuser()
    token = people.invite_again(store, known.id) if known else people.invite(store, name, "author")
    return name, token


def _invited(store: Store, names: list[str]) -> dict[str, str]:
    """Everybody's invitation: the author's, and those of new raters."""
    found = dict([author(store)])
    for new in names:
        found[new] = people.invite(store, new, "rater")
    return found


def _print_links(store: Store, begun: Review, links: dict[str, str]) -> None:
    what = {
        "verdict": "answers on confirm, for the verdict",
        "learning": "answers on select, to learn from",
        "live": "answers that users were given",
    }
    show.line(show.wrapped(f"Review {begun.id} of {begun.title}: {what[begun.purpose]}."))
    show.line()
    show.facts(list(links.items()))
    show.line()
    raters = [one for one in people.everyone(store) if one.role == "rater"]
    if not raters:
        show.line(
            show.wrapped("Nobody judges yet. Invite people: --invite NAME, or on the first page above.")
        )
    show.line("Each link is its owner's key. Serving until Ctrl-C.")


def _forget(store: Store, number: int, *, as_json: bool) -> int:
    people.forget(store, number)
    if as_json:
        show.document({"forgotten": number})
    else:
        show.line(f"Person {number} is forgotten: name, links and every text; choices stay, under a number.")
    return 0


def _outcome(run: str, store: Store, said: dict[str, list[str]], *, close: bool, as_json: bool) -> int:
    """Print where a review stands, or end it; the exit code is the verdict's where it was concluded."""
    purpose = _wanted(said).purpose
    found = concluding.conclude(run, store, purpose) if close else concluding.standing(run, store, purpose)
    if as_json:
        show.document(found.content)
    else:
        _print_standing(found)
    return show.OUTCOMES[found.verdict.outcome] if close and found.review.purpose == "verdict" else 0


def _print_standing(found: Standing) -> None:
    show.section(reviewed.section(found.content))
    if found.review.purpose == "verdict":
        show.line()
        show.line(f"Verdict with these judgements: {found.verdict.outcome.upper()}")
