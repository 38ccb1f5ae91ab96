"""A review of a run: what people are shown of it, and what comes back into its verdict and its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Literal

from trimtab.adjust.stack import BASE, Stack
from trimtab.decide import people
from trimtab.errors import ReviewError, RunError
from trimtab.guidelines import Guidelines
from trimtab.measure.judge import AnswerPair, Asking, judge
from trimtab.model.find import find, tuned_on
from trimtab.model.service import Options
from trimtab.pipeline import reopened, stack_of
from trimtab.prepare import Prepared
from trimtab.recipe import load as load_recipe
from trimtab.records import Example, Progress, Report, Share
from trimtab.review import machines, sampling
from trimtab.review.sampling import Item, Plan, Purpose, Review
from trimtab.review.store import FILE, Store, named
from trimtab.run import RunFolder

STACKS = ("two", "all")
# Examples of each rule that raters see, and items that check whether they read.
EXAMPLES, CHECKS = 5, 20
LEVEL = 0.95
# Share of the items of a review for learning that are those the model was least sure of.
DOUBTFUL = 0.5
Drawn = tuple[Sequence[tuple[Example, Share]], Mapping[str, Mapping[str, str]]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a review, beside what the recipe says.

    Attributes:
        purpose: for the verdict where the recipe asks for people and they could decide it, else for learning.
        items: most items; 0 takes the recipe's number.
        stacks: two shows the base model and the stack of the verdict; all, in a review for learning, the choice of
            each rung as well.
    """

    purpose: Purpose | Literal[""] = ""
    items: int = 0
    stacks: Literal["two", "all"] = "two"


def address(path: Path | str) -> str:
    """The URL of the store that a run's reviews lie in: TRIMTAB_DATABASE, else people.db beside the runs.

    Raises:
        RunError: there is no such run.
    """
    return beside(RunFolder.open(path).path.resolve().parent)


def beside(root: Path) -> str:
    """The URL of the store for the runs in a folder."""
    return named() or f"sqlite:///{root.resolve() / FILE}"


def begin(path: Path | str, store: Store, wanted: Wanted, report: Report | None = None) -> Review:
    """The open review of a run for a purpose, begun if there is none: answers are drawn and put into the store.

    A review for the verdict shows answers on confirm. These are drawn for it, and leave the store for raters alone.

    Raises:
        RunError: there is no such run, its data have changed, or it has nothing to review.
        ReviewError: people have judged confirm already, or no sample of live answers is open.
    """
    if wanted.purpose == "live":
        return _live(path, store)
    folder, prepared = reopened(path)
    purpose = wanted.purpose or _purpose(folder, prepared)
    with folder.locked():
        known = _known(store, folder, purpose)
        if known is not None:
            return known
        stacks = _stacks(folder, purpose, wanted)
        shown, texts = (_sealed if purpose == "verdict" else _open)(prepared, folder, stacks, wanted, report)
        rules = guidelines_shown(prepared.guidelines)
        plan = _plan(folder, prepared, purpose)
        about = Review(identity(folder), folder.path.name, purpose, stacks, rules, plan)
        real = [Item(e.id, e.messages, texts[e.id], share) for e, share in shown]
        checks = sampling.attention([example for example, _ in shown], count=CHECKS, seed=plan.seed)
        return sampling.begin(store, about, [*sampling.training(rules), *real, *checks])


def _live(path: Path | str, store: Store) -> Review:
    """The newest open review of live answers: they are drawn by themselves, at a set cadence."""
    folder = RunFolder.open(path)
    known = [one for one in sampling.found(store, identity(folder)) if one.purpose == "live"]
    if not known or known[-1].closed is not None:
        raise ReviewError(
            f"{folder.path}: no sample of live answers waits for people",
            f"draw one: trimtab watch {path} --use sample=50",
        )
    return known[-1]


def machine(path: Path | str, store: Store, review: Review, model: str, report: Report | None = None) -> None:
    """Have a model judge the pairs of a review, in both orders, and keep what it says beside people's judgements.

    model: as a recipe names one; a service is asked as the recipe's `service` says.

    Raises:
        RunError: there is no such run.
        ModelError, MetricError: the model cannot be used, or none of its replies can be read.
    """
    recipe = load_recipe(RunFolder.open(path).path / "recipe.yaml")
    found = find(model, Options(**recipe.service.model_dump()))
    base, other, *_ = review.stacks
    pairs = [
        AnswerPair(item.example, item.messages, (item.answers[base], item.answers[other]), (base, other))
        for item in machines.shown(store, review.id)
    ]
    asking = Asking(review.plan.question, tuple(rule["text"] for rule in review.guidelines["rules"]))
    with Stack().attach(found) as judging:
        said = judge(judging.model, pairs, asking, _named(report, "judging"))
    machines.keep(
        store, review.id, said.votes, judge=said.judge, silent=said.silent, consistent=said.consistent
    )


def identity(folder: RunFolder) -> str:
    """What a run is called in the store."""
    return str(folder.read("identity.json")["identity"])


def guidelines_shown(rules: Guidelines | None) -> dict[str, Any]:
    """Guidelines as raters see them: short, with a few examples of each rule."""
    if rules is None:
        return {"version": "", "audience": "", "tone": "", "rules": []}
    return {
        "version": rules.version,
        "audience": rules.audience,
        "tone": rules.tone,
        "rules": [
            {"id": r.id, "text": r.text, "good": list(r.good[:EXAMPLES]), "bad": list(r.bad[:EXAMPLES])}
            for r in rules.rules
        ],
    }


def _plan(folder: RunFolder, prepared: Prepared, purpose: Purpose) -> Plan:
    asked = prepared.recipe.review
    goal = asked.role == "goal"
    return Plan(
        asked.question,
        asked.per_item,
        seed=prepared.recipe.seed,
        level=folder.measured().level if purpose == "verdict" else LEVEL,
        min_gain=asked.min_gain if goal else 0.0,
        margin=None if goal else asked.margin,
    )


def _purpose(folder: RunFolder, prepared: Prepared) -> Purpose:
    asked = prepared.recipe.review
    open_still = not (folder.has("review.json") and "verdict" in folder.read("review.json"))
    if asked.required and open_still and people.reviewable(folder.measured(), asked.role):
        return "verdict"
    return "learning"


def _known(store: Store, folder: RunFolder, purpose: Purpose) -> Review | None:
    found = [one for one in sampling.found(store, identity(folder)) if one.purpose == purpose]
    if purpose == "verdict" and any(one.closed is not None for one in found):
        raise ReviewError(
            f"{folder.path}: people have judged confirm already, and that review is closed",
            "review for learning: --use for=learning; or begin the next round: trimtab tune --from RUN",
        )
    return next((one for one in found if one.closed is None), None)


def _stacks(folder: RunFolder, purpose: Purpose, wanted: Wanted) -> tuple[str, ...]:
    """The base model and what is compared with it."""
    verdict = folder.measured()
    if purpose == "verdict" and (verdict.look == 0 or verdict.explored):
        raise RunError(
            f"{folder.path}: took no look at confirm, so that people have nothing to judge for the verdict",
            "review for learning: --use for=learning",
        )
    chosen = [stack_of(folder)]
    if wanted.stacks == "all" and purpose == "learning":
        rungs = folder.read("ladder.json")["rungs"] if folder.has("ladder.json") else []
        chosen += [str(rung["chosen"]) for rung in rungs if rung.get("chosen") not in (None, BASE)]
    return tuple(dict.fromkeys((BASE, *chosen)))


def _sealed(
    prepared: Prepared, folder: RunFolder, stacks: Sequence[str], wanted: Wanted, report: Report | None
) -> Drawn:
    """Items of confirm at random, and what each stack answers to them now: it is kept nowhere else."""
    asked, seed = prepared.recipe.review, prepared.recipe.seed
    count = wanted.items or asked.items
    shown = sampling.drawn(prepared.parts["confirm"], {}, count=count, share=0.0, seed=seed)
    examples, base = [example for example, _ in shown], tuned_on(folder)
    texts: dict[str, dict[str, str]] = {example.id: {} for example in examples}
    for number, name in enumerate(stacks, 1):
        stack = Stack() if name == BASE else Stack.load(folder.trial(name))
        with stack.attach(base, report=_named(report, f"answering, {number} of {len(stacks)}")) as model:
            for output in model(examples, prepared.sampling, prepared.seeds[:1]):
                texts[output.example][name] = output.text
    return shown, texts


def _open(
    prepared: Prepared, folder: RunFolder, stacks: Sequence[str], wanted: Wanted, report: Report | None
) -> Drawn:
    """Items of select that all these stacks were measured on, half of them those the adjusted model was least sure of.

    Raises:
        RunError: there is none.
    """
    recorded = {name: _recorded(folder, name, prepared.seeds[0]) for name in stacks}
    ids = set.intersection(*(set(outputs) for outputs in recorded.values()))
    examples = [example for example in prepared.parts["select"] if example.id in ids]
    if not examples:
        raise RunError(
            f"{folder.path}: there is no item of select that all of {len(stacks)} stacks answered",
            "finish the run: give its tune command again",
        )
    doubts = {item: -fmean(output["logprobs"] or [0.0]) for item, output in recorded[stacks[1]].items()}
    shown = sampling.drawn(
        examples,
        doubts,
        count=wanted.items or prepared.recipe.review.items,
        share=DOUBTFUL,
        seed=prepared.recipe.seed,
    )
    texts = {item: {name: recorded[name][item]["text"] for name in stacks} for item in ids}
    return shown, texts


def _recorded(folder: RunFolder, stack: str, seed: int) -> dict[str, Mapping[str, Any]]:
    """What a stack answered on select, by item: the first of the answers where several were drawn."""
    rows = folder.rows(f"trials/{stack}/outputs.jsonl")
    return {row["example"]: row for row in rows if row["seed"] == seed}


def _named(report: Report | None, stage: str) -> Report | None:
    if report is None:
        return None
    return lambda one: report(Progress(stage, one.done, one.total, one.facts))
