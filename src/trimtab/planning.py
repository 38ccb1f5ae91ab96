"""What a run can prove and what it will cost, worked out from a few seconds of measurement; and default candidates."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trimtab import rungs, stats
from trimtab.adjust import adapter
from trimtab.adjust.loop import batches
from trimtab.candidates import AdapterCandidate, Candidate, Candidates, EmbeddingCandidate, Rung, Trained
from trimtab.decide import ladder, ledger, people, power
from trimtab.model import likelihood
from trimtab.model.find import AnyBase, loaded
from trimtab.model.load import Base, prompt_ids
from trimtab.model.memory import training_bytes
from trimtab.model.pack import tree_size, unscored
from trimtab.model.remote import Remote
from trimtab.model.sampler import sample
from trimtab.model.service import Options, served
from trimtab.prepare import Prepared, rows_of
from trimtab.records import Progress, Report, Sampling, TokenRow
from trimtab.records import questions as each_question
from trimtab.run import RunFolder
from trimtab.rungs import augmenting, passes
from trimtab.rungs.adapter import shape
from trimtab.rungs.advised import Advised
from trimtab.rungs.workshop import Speed, Workshop

# Items without which no interval is defined.
FEWEST = 2
PROBE_ROWS, PROBE_PROMPTS, PROBE_TOKENS = 4, 16, 6


def plan_run(
    prepared: Prepared, base: AnyBase, report: Report | None = None, advised: Advised | None = None
) -> dict[str, Any]:
    """The plan as written to plan.json: power of every comparison, candidates, minutes, memory, problems.

    advised: by a survey of the network's blocks. Where it decided what is tried, the plan has `reasons`: of each
    candidate of a rung, "" of those that were not advised.
    """
    if report:
        report(Progress("planning", 0, 1))
    recipe = prepared.recipe
    speed = _asked(prepared, base) if isinstance(base, Remote) else _measure(prepared, base)
    shop = Workshop(prepared, base, Path(), report, advised or Advised())
    chosen = {rung: _candidates(shop, rung, speed) for rung in recipe.ladder}
    reasons = _reasons(shop, chosen)
    level = _level(prepared)
    questions = _questions(prepared)
    assessed = [power.assess(question, level) for question in questions]
    by_rung = _minutes(shop, speed, chosen)
    select, confirm = (passes.seconds(prepared, speed, part) / 60 for part in ("select", "confirm"))
    single = sum(by_rung[rung] - confirm for rung in chosen)
    minutes = round(select + confirm + single, 1)
    applying = _applying(prepared)
    if report:
        report(Progress("planning", 1, 1))
    return {
        "parts": {part: len(items) for part, items in prepared.parts.items()},
        "power": assessed,
        "joint_power": stats.joint_power([row["power"] for row in assessed]),
        "level": level,
        "candidates": {rung: [c.model_dump(mode="json") for c in found] for rung, found in chosen.items()},
        **({"reasons": reasons} if reasons else {}),
        "minutes": minutes,
        "minutes_by_rung": by_rung,
        "memory_bytes": _memory(prepared, base, chosen),
        "speed": {
            "read_tokens_per_s": 1 / speed.read if speed.read else None,
            "sample_tokens_per_s": 1 / speed.sample,
        },
        "notes": _notes(prepared, minutes) + _unadvised(shop) + applying.notes + _price(shop, chosen),
        "problems": [p for q in questions if (p := power.unprovable(q, level))] + applying.problems,
    }


def candidates_for(rung: Rung, folder: RunFolder) -> list[Candidate]:
    """The candidates of a rung as planned, so that a resumed run tries the same ones."""
    planned = folder.read("plan.json")["candidates"][rung]
    found: list[Candidate] = list(getattr(Candidates.model_validate({rung: planned}), rung))
    return found


def reasons_for(rung: Rung, folder: RunFolder) -> list[str]:
    """Why each candidate of a rung is tried, where a survey of the blocks says so; empty where none does."""
    return list(folder.read("plan.json").get("reasons", {}).get(rung, ()))


def _reasons(shop: Workshop, chosen: Mapping[Rung, Sequence[Candidate]]) -> dict[Rung, list[str]]:
    """What the survey of blocks says of each candidate; nothing of rungs whose candidates the recipe names."""
    named = shop.prepared.recipe.candidates
    found = {}
    for rung, candidates in chosen.items():
        said = [shop.advised.why(rung, one) for one in candidates]
        if getattr(named, rung) or not any(said):
            continue
        found[rung] = said
        if shop.report:
            reasons = list(dict.fromkeys(filter(None, said)))
            for number, why in enumerate(reasons, 1):
                shop.report(Progress(f"advised for {rung}", number, len(reasons), {"why": why}))
    return found


def _unadvised(shop: Workshop) -> list[str]:
    """A note of each rung for which the survey of blocks found none."""
    recipe = shop.prepared.recipe
    return [
        f"{rung}: the survey of blocks found none whose effect lies above 0; the usual ones are tried"
        for rung in shop.advised.without
        if rung in recipe.ladder and not getattr(recipe.candidates, rung)
    ]


def _candidates(shop: Workshop, rung: Rung, speed: Speed) -> list[Candidate]:
    """The recipe's candidates, or as many defaults as fit into a rung's share of half of the budget, at least one.

    Those that learn augmented rows are tried without them as well.
    """
    recipe = shop.prepared.recipe
    given = getattr(recipe.candidates, rung)
    seconds = shop.room / (2 if recipe.augment and rung in augmenting.LEARN else 1)
    return augmenting.both_ways(recipe, given or rungs.kind(rung).defaults(shop, speed, seconds))


def _measure(prepared: Prepared, base: Base) -> Speed:
    rows = rows_of(prepared, base, "select")[:PROBE_ROWS]
    likelihood.logprobs(base, rows[:1])
    started = time.monotonic()
    likelihood.logprobs(base, rows)
    read = (time.monotonic() - started) / tree_size(rows)
    prompts = prepared.parts["select"][:PROBE_PROMPTS]
    begun = tree_size([unscored(prompt_ids(base.tokenizer, e.messages)) for e in prompts])
    started = time.monotonic()
    outputs = sample(base, prompts, Sampling(max_new_tokens=PROBE_TOKENS))
    seconds = time.monotonic() - started - read * begun
    drawn = sum(len(output.logprobs) for output in outputs)
    epoch = _nodes(prepared, rows_of(prepared, base, "tune")) * read
    return Speed(read, max(seconds, read * drawn) / max(1, drawn), epoch)


def _asked(prepared: Prepared, base: Remote) -> Speed:
    """The speed of a service, from a few answers that the run needs anyway; how fast it reads is not known."""
    few = prepared.parts["select"][: base.options.at_once]
    return Speed(0.0, base.seconds_a_token(each_question(few, prepared.sampling, prepared.seeds[:1])), 0.0)


def _nodes(prepared: Prepared, rows: Sequence[TokenRow]) -> int:
    """Tokens that one epoch runs, beginnings that rows of one update share counted once."""
    how = prepared.recipe.training
    updates = batches(rows, how.batch_size, prepared.recipe.seed, 0)
    return sum(tree_size([rows[number] for number in update]) for update in updates)


def _level(prepared: Prepared) -> float:
    look = _next_look(prepared)
    weights = ladder.start(prepared.recipe.weights, prepared.recipe.combined).weights
    alphas = stats.rung_alphas(weights, run=look)
    return stats.level_from_alpha(min(alphas[rung] for rung in prepared.recipe.ladder))


def _questions(prepared: Prepared) -> list[power.Question]:
    goal, metric = prepared.recipe.goal, prepared.goal
    confirm = len(prepared.parts["confirm"])
    expected = goal.expected_gain if goal.expected_gain is not None else 2 * goal.min_gain or 1.0
    asked = [
        power.Question(
            metric.name, metric.name, "target", confirm, goal.min_gain, expected, _span(metric.bounds)
        )
    ]
    for guard in prepared.guards:
        items = prepared.parts["confirm"] if guard.on_target else guard.parts["confirm"]
        n = max(2, sum(map(guard.metric.applies, items)))
        asked.append(
            power.Question(
                guard.key,
                guard.metric.name,
                "guard",
                n,
                -guard.margin,
                0.0,
                _span(guard.metric.bounds),
            )
        )
    return asked


@dataclass(frozen=True, slots=True)
class Applying:
    """Where metrics that apply to some items only will be undefined: what that means, and what it rules out."""

    notes: list[str]
    problems: list[str]


def _applying(prepared: Prepared) -> Applying:
    """Guards whose metric applies to fewer than two items of a part, such as *bias_gap* where few name a group."""
    found = Applying([], [])
    for guard in prepared.guards:
        parts = prepared.parts if guard.on_target else guard.parts
        counts = {part: sum(map(guard.metric.applies, parts[part])) for part in ("select", "confirm")}
        said = f"{guard.key}: the metric applies to {counts['confirm']} of {len(parts['confirm'])} items of confirm"
        if counts["confirm"] < FEWEST:
            found.problems.append(
                f"{said}; with fewer than {FEWEST} it is undefined, and can never be shown to be held. Add items "
                "that it applies to, or take the guard off"
            )
        elif counts["select"] < FEWEST:
            found.notes.append(
                f"{guard.key}: the metric applies to {counts['select']} of {len(parts['select'])} items of select, "
                "where it will be undefined: the choice of candidates cannot look at it, and confirm alone decides"
            )
    return found


def _span(bounds: tuple[float, float] | None) -> float | None:
    return bounds[1] - bounds[0] if bounds else None


def _minutes(shop: Workshop, speed: Speed, chosen: Mapping[Rung, list[Candidate]]) -> dict[str, float]:
    """Minutes that each rung takes: fitting its candidates, measuring them on select, and a look at confirm.

    Each look counts the base model's own pass over confirm, which the first one takes for all.
    """
    prepared = shop.prepared
    hows = {rung: [passes.of(shop, rung, one) for one in found] for rung, found in chosen.items()}
    base = passes.seconds(prepared, speed, "confirm")

    def measured(some: Sequence[passes.Pass]) -> float:
        select = sum(passes.seconds(prepared, speed, "select", how) for how in some)
        return select + base + max(passes.seconds(prepared, speed, "confirm", how) for how in some)

    found: dict[str, float] = {}
    rewriting = augmenting.seconds(shop, speed)
    for rung, candidates in chosen.items():
        fitting = sum(rungs.kind(rung).seconds(shop, candidate, speed) for candidate in candidates)
        fitting += sum(
            passes.seconds(prepared, speed, "select", how)
            for candidate, how in zip(candidates, hows[rung], strict=True)
            if passes.calibrates(candidate)
        )
        if any(augmenting.learned_by(prepared.recipe, candidate) for candidate in candidates):
            # What the first rung that learns them has rewritten is kept for the next.
            fitting, rewriting = fitting + rewriting, 0.0
        found[rung] = (fitting + measured(hows[rung])) / 60
    # Which of a rung's candidates are joined is not known yet: those that take longest.
    light, heavy = (
        [max(hows[rung], key=lambda how: passes.seconds(prepared, speed, "select", how)) for rung in names]
        for names in (_on(hows, ladder.LIGHT), _on(hows, ladder.HEAVY))
    )
    joined = [over.over(under) for over in light for under in heavy[:1]]
    return {**found, ladder.COMBINED: measured(joined) / 60} if joined else found


def _on(ladder_of: Mapping[Rung, Any], names: Sequence[str]) -> list[Rung]:
    return [rung for rung in ladder_of if rung in names]


def expected_minutes(folder: RunFolder) -> Mapping[str, float]:
    """Minutes that each rung was planned to take; one that the plan does not name is missing."""
    found: Mapping[str, float] = folder.read("plan.json").get("minutes_by_rung", {})
    return found


def _memory(prepared: Prepared, base: AnyBase, chosen: dict[Rung, list[Candidate]]) -> int:
    """Bytes that the largest training needs."""
    found = [0]
    tokens = prepared.recipe.training.micro_tokens
    for candidate in (one for candidates in chosen.values() for one in candidates):
        if isinstance(candidate, EmbeddingCandidate) and candidate.fit == "gradient":
            # The rows of some dozen words weigh nothing beside what is computed through all blocks.
            found.append(training_bytes(loaded(base).network, trainable=0, tokens=tokens))
        if isinstance(candidate, Trained):
            network = loaded(base).network
            trained = (
                adapter.size(network, shape(candidate.largest()))
                if isinstance(candidate, AdapterCandidate)
                else loaded(base).parameters // 4
            )
            found.append(training_bytes(network, trainable=trained, tokens=tokens))
    return max(found)


def _price(shop: Workshop, chosen: dict[Rung, list[Candidate]]) -> list[str]:
    """A note of what measuring will cost at a service, where the recipe gives its prices."""
    prepared = shop.prepared
    options = Options(**prepared.recipe.service.model_dump())
    if not served(prepared.recipe.model) or not options.price(1, 1):
        return []
    # A pass costs money as it costs time: tokens read and drawn, times a rate.
    rates = Speed(options.price(1, 0), options.price(0, 1), 0.0)
    price = passes.seconds(prepared, rates, "select") + passes.seconds(prepared, rates, "confirm")
    for rung, found in chosen.items():
        hows = [passes.of(shop, rung, one) for one in found]
        price += sum(passes.seconds(prepared, rates, "select", how) for how in hows)
        price += max(passes.seconds(prepared, rates, "confirm", how) for how in hows)
    return [
        f"measuring costs about {price:.2g} at the prices given; what candidates ask while they are fitted "
        "comes on top"
    ]


def _notes(prepared: Prepared, minutes: float) -> list[str]:
    notes = []
    if minutes > prepared.recipe.budget.minutes:
        notes.append(
            f"the run is expected to take {minutes:g} minutes, above the budget of "
            f"{prepared.recipe.budget.minutes:g}: use fewer candidates or epochs, or shorter answers"
        )
    look, sealed = _next_look(prepared), prepared.sealed
    if look > 1:
        known = ledger.looked_at(prepared.ledger, prepared.identity, sealed)
        notes.append(
            f"this would be look {look} at these confirm items, {known} looked at before and {len(sealed) - known} "
            "fresh: each look leaves less error to spend, so more items or a larger gain are needed"
        )
        if prepared.previous is not None:
            notes.append(
                "with round.confirm: fresh the fresh items alone decide, and no look lies behind them"
            )
    elif prepared.previous is not None:
        notes.append(f"all {len(sealed)} items of confirm are fresh: no look lies behind them")
    asked = prepared.recipe.review
    if asked.required:
        items = min(asked.items or len(sealed), len(sealed))
        bar = asked.min_gain if asked.role == "goal" else asked.margin
        notes.append(people.planned(items, asked.per_item, asked.role, bar, _level(prepared)))
    return notes


def _next_look(prepared: Prepared) -> int:
    return ledger.looks_so_far(prepared.ledger, prepared.confirm, prepared.identity, prepared.sealed)
