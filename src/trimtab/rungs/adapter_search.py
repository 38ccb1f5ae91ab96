"""Settings found by trial instead of given: Optuna's tree of Parzen estimators on a held-out share of tune.

Each trial trains on four fifths of tune and is told its loss on the rest after every epoch; one that does worse there
than the median of the trials before it is ended (Bergstra et al. 2011, section 4; Akiba et al. 2019, section 3.2).
Select and confirm are not looked at. Every trial's sampler is seeded by its number and by what came before, so an
interrupted search goes on as if it had not been; only how many trials fit into the time depends on the machine.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trimtab.candidates import Search
from trimtab.data.cache import cached_rows
from trimtab.data.split import cluster_keys
from trimtab.errors import RecipeError, TrainingDiverged
from trimtab.model.embedded import cache_folder
from trimtab.records import Example, Progress, TokenRow, content_hash
from trimtab.run import read_json, write_json
from trimtab.rungs import augmenting, search
from trimtab.rungs.workshop import Workshop

# Share of tune's examples that a search holds out, and the fewest groups that they are chosen from.
HELD_OUT = 0.2
LEAST_GROUPS = 5
# Trials that are drawn at random and never ended early, before there is anything to compare with.
RANDOM = 4
WHOLE = ("rank", "last_blocks", "epochs", "batch_size")
BY_LOGARITHM = ("rank", "learning_rate", "batch_size")


@dataclass(frozen=True, slots=True)
class Part:
    """What one trial works with: examples to learn, rows to be judged on, and whom to tell its losses on these."""

    learned: Sequence[Example]
    held_out: Sequence[TokenRow]
    watch: Callable[[float], bool]


@dataclass(frozen=True, slots=True)
class Found:
    """The best settings, and every trial as the record has it."""

    settings: Mapping[str, float]
    record: Mapping[str, Any]


Train = Callable[[Part, Mapping[str, float]], float]


def room(shop: Workshop) -> float:
    """Seconds that a search may take: a candidate's share of its rung's share of the budget."""
    recipe = shop.prepared.recipe
    return shop.room / max(1, len(augmenting.both_ways(recipe, recipe.candidates.adapter)))


def run(shop: Workshop, wanted: Search, train: Train) -> Found:
    """Try settings until there are enough trials or no time is left; at least two, the first ones at random.

    Args:
        train: trains with settings, tells its losses to the part's `watch`, and returns the one that counts.

    Raises:
        MissingPart: Optuna is not installed.
        RecipeError: tune has too few groups to hold any out.
        TrainingDiverged: no trial reached its end.
    """
    seed = shop.prepared.recipe.seed
    learned, held = parted(shop.prepared.parts["tune"], seed)
    rows = cached_rows(
        cache_folder() / "tokens", held, shop.base.tokenizer, max_tokens=shop.prepared.recipe.data.max_tokens
    )
    path = shop.folder / "search.json"
    done: list[dict[str, Any]] = read_json(path)["trials"] if path.is_file() else []
    with search.optuna_quietly() as optuna:
        study = optuna.create_study(
            direction="minimize",
            pruner=optuna.pruners.MedianPruner(n_startup_trials=RANDOM, n_warmup_steps=0),
        )
        for entry in done:
            study.add_trial(_frozen(optuna, wanted, entry))
        while len(done) < wanted.trials and (len(done) < 2 or sum(t["seconds"] for t in done) < room(shop)):
            study.sampler = optuna.samplers.TPESampler(seed=seed + len(done), n_startup_trials=RANDOM)
            done.append(_trial(optuna, study, wanted, learned, rows, train))
            write_json(path, {"trials": done})
            if shop.report:
                best = min((t["loss"] for t in done if t["loss"] is not None), default=math.nan)
                shop.report(Progress("searching", len(done), wanted.trials, {"loss": round(best, 3)}))
    return _best(done, wanted, len(held))


def parted(examples: Sequence[Example], seed: int) -> tuple[list[Example], list[Example]]:
    """Examples of tune to learn, and a held-out fifth of them, whole groups together.

    Raises:
        RecipeError: fewer than five groups.
    """
    keys = cluster_keys(examples)
    order = sorted(set(keys), key=lambda key: content_hash([key, seed, "search"]))
    if len(order) < LEAST_GROUPS:
        raise RecipeError(
            f"search: tune has {len(order)} groups of examples, and {LEAST_GROUPS} are needed to hold some out",
            "bring more examples, or give the settings instead of ranges",
        )
    chosen: set[str] = set()
    wanted = HELD_OUT * len(examples)
    for key in order[:-1]:
        if sum(k in chosen for k in keys) >= wanted:
            break
        chosen.add(key)
    pairs = list(zip(examples, keys, strict=True))
    return [e for e, key in pairs if key not in chosen], [e for e, key in pairs if key in chosen]


def _trial(
    optuna: Any,
    study: Any,
    wanted: Search,
    learned: Sequence[Example],
    rows: Sequence[TokenRow],
    train: Train,
) -> dict[str, Any]:
    """Try one setting, tell the study, and return what the record has of it."""
    started = time.monotonic()
    trial = study.ask(_spaces(optuna, wanted))
    losses: list[float] = []
    ended: list[bool] = []

    def watch(loss: float) -> bool:
        losses.append(loss)
        trial.report(loss, len(losses))
        ended.append(bool(trial.should_prune()))
        return ended[-1]

    loss: float | None = None
    try:
        loss = train(Part(learned, rows, watch), trial.params)
        outcome = "pruned" if any(ended) else "complete"
    except TrainingDiverged:
        outcome = "diverged"
    loss = loss if outcome == "complete" else None
    study.tell(trial, loss, _states(optuna)[outcome])
    return {
        "settings": dict(trial.params),
        "loss": loss,
        "losses": losses,
        "outcome": outcome,
        "seconds": round(time.monotonic() - started, 6),
    }


def _states(optuna: Any) -> dict[str, Any]:
    states = optuna.trial.TrialState
    return {"complete": states.COMPLETE, "pruned": states.PRUNED, "diverged": states.FAIL}


def _spaces(optuna: Any, wanted: Search) -> dict[str, Any]:
    """What Optuna draws each setting from."""
    spaces: dict[str, Any] = {}
    for name, (low, high) in wanted.ranges().items():
        log = name in BY_LOGARITHM
        kind = (
            optuna.distributions.IntDistribution if name in WHOLE else optuna.distributions.FloatDistribution
        )
        spaces[name] = kind(low, high, log=log)
    return spaces


def _frozen(optuna: Any, wanted: Search, entry: Mapping[str, Any]) -> Any:
    """A recorded trial as Optuna takes it in."""
    return optuna.trial.create_trial(
        params=entry["settings"],
        distributions=_spaces(optuna, wanted),
        value=entry["loss"],
        intermediate_values=dict(enumerate(entry["losses"], 1)),
        state=_states(optuna)[entry["outcome"]],
    )


def _best(done: Sequence[Mapping[str, Any]], wanted: Search, held_out: int) -> Found:
    ended = [number for number, trial in enumerate(done) if trial["outcome"] == "complete"]
    if not ended:
        raise TrainingDiverged(
            f"search: none of {len(done)} trials reached its end", "lower the range of learning_rate"
        )
    chosen = min(ended, key=lambda number: done[number]["loss"])
    record = {
        "trials": list(done),
        "chosen": chosen,
        "held_out": held_out,
        "seconds": round(sum(trial["seconds"] for trial in done), 3),
        "ended_by": "trials" if len(done) >= wanted.trials else "time",
    }
    return Found(done[chosen]["settings"], record)
