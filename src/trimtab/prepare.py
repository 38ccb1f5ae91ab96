"""From a recipe to what a run works on: examples in their parts, metrics, guards; checked before time is spent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trimtab.candidates import WEIGHTS
from trimtab.data import documents, read, split
from trimtab.data.cache import cached_rows
from trimtab.decide.ledger import ledger_path
from trimtab.errors import DataError, ModelError, RecipeError, several
from trimtab.measure import registry, suites
from trimtab.measure.contract import Metric
from trimtab.measure.trial import check_seeds
from trimtab.model import service
from trimtab.model.embedded import cache_folder
from trimtab.model.find import AnyBase, loaded
from trimtab.recipe import Guard, Recipe
from trimtab.records import Document, Example, Part, Sampling, TokenRow, content_hash

ON_TARGET = ("facts-kept", "target")


@dataclass(frozen=True, slots=True)
class GuardSuite:
    """A guard with its metric and items; `parts` is empty when it reads the target's own answers."""

    name: str
    metric: Metric
    margin: float
    parts: Mapping[Part, list[Example]]
    max_new_tokens: int | None = None

    @property
    def key(self) -> str:
        """Name of the guard within a run."""
        return f"{self.name} {self.metric.name}"

    @property
    def on_target(self) -> bool:
        """Whether the guard reads the target's own answers."""
        return not self.parts


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a run works on."""

    recipe: Recipe
    parts: Mapping[Part, list[Example]]
    goal: Metric
    guards: tuple[GuardSuite, ...]
    identity: str
    confirm: str
    ledger: Path
    documents: tuple[Document, ...] = ()

    @property
    def sampling(self) -> Sampling:
        """How every stack answers."""
        options = self.recipe.sampling
        return Sampling(
            options.max_new_tokens,
            options.temperature,
            options.top_k,
            options.top_p,
            options.min_p,
            options.repetition_penalty,
            options.stop,
        )

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the answers drawn for each item."""
        return tuple(self.recipe.seed + number for number in range(self.recipe.sampling.seeds))

    def target_metrics(self) -> list[Metric]:
        """Metrics read from the target's answers: the goal, and guards on the target."""
        on_target = [guard.metric for guard in self.guards if guard.on_target]
        return [self.goal, *(metric for metric in on_target if metric.name != self.goal.name)]


def prepare(recipe: Recipe) -> Prepared:
    """Read and split the data, find goal and guards.

    Raises:
        DataError, MetricError, RecipeError: naming everything that stands in the way.
    """
    data = recipe.data
    examples = read.read(data.examples, data.columns, data.instruction)
    unanswered = [example.id for example in examples if not example.references]
    if unanswered:
        raise DataError(
            f"{data.examples}: {len(unanswered)} rows have no answer to learn from, such as {unanswered[0]}",
            "give each row a completion, or remove it",
        )
    searched = _documents(recipe)
    shares: dict[Part, float] = {
        "tune": data.split.tune,
        "select": data.split.select,
        "confirm": data.split.confirm,
    }
    parts = split.split(examples, shares, seed=recipe.seed)
    goal = registry.find(recipe.goal.metric, recipe.goal.options)
    guards = tuple(_guard(guard, recipe.seed) for guard in recipe.guards)
    check_seeds([goal, *(guard.metric for guard in guards)], range(recipe.sampling.seeds))
    if service.served(recipe.model):
        _check_service(recipe, goal, guards)
    confirm = split.confirm_hash(parts["confirm"])
    return Prepared(
        recipe,
        parts,
        goal,
        guards,
        _identity(recipe, examples, guards, searched),
        confirm,
        ledger_path(data.examples, cache_folder()),
        searched,
    )


def _documents(recipe: Recipe) -> tuple[Document, ...]:
    if recipe.data.documents:
        return tuple(documents.read(recipe.data.documents))
    if "context" in recipe.ladder:
        raise RecipeError(
            "ladder: the rung context puts passages of documents before a question, and data.documents names none",
            "set data.documents to a folder of .txt or .md files, or take context off the ladder",
        )
    return ()


def _identity(
    recipe: Recipe,
    examples: list[Example],
    guards: tuple[GuardSuite, ...],
    searched: tuple[Document, ...],
) -> str:
    """What a verdict is about: all that is decided in the recipe, and the content of its files wherever they lie."""
    decided = recipe.model_dump(
        exclude={
            "budget": True,
            "service": True,
            "data": {"examples", "documents"},
            "guards": {"__all__": {"suite"}},
            "candidates": {"steering": {"__all__": {"pairs"}}},
        }
    )
    pairs = [
        hashlib.sha256(file.read_bytes()).hexdigest() if (file := Path(one.pairs)).is_file() else one.pairs
        for one in recipe.candidates.steering
    ]
    suites_read = [
        [
            guard.name,
            [[e.id, e.prompt, e.references, e.fields] for part in guard.parts.values() for e in part],
        ]
        for guard in guards
    ]
    rows = [[e.id for e in examples], split.confirm_hash(examples)]
    return content_hash([decided, pairs, suites_read, *rows, searched])


def _check_service(recipe: Recipe, goal: Metric, guards: tuple[GuardSuite, ...]) -> None:
    """Refuse what a service cannot do, all of it at once, before it is asked for anything.

    Raises:
        RecipeError: a rung that changes weights, a metric of likelihood, a wrong address, or no key.
    """
    problems, hints = [], ["every option of a service is described in docs/recipe.md"]
    try:
        service.key(service.address(recipe.model), recipe.service.key)
    except ModelError as error:
        problems.append(error.message)
        hints.insert(0, error.hint)
    weights = [rung for rung in recipe.ladder if rung in WEIGHTS]
    if weights:
        problems.append(f"ladder: {', '.join(weights)}: not available, because a service keeps its weights")
        hints.insert(
            0, "use the rungs prompt, context, decoding and postprocess, or a model that is loaded here"
        )
    unread = [f"guards: {g.name} with {g.metric.name}" for g in guards if g.metric.needs != "generation"]
    if goal.needs != "generation":
        unread.insert(0, f"goal: {goal.name}")
    if unread:
        problems += [f"{what}: not available, because a service gives no likelihoods" for what in unread]
        hints.insert(
            0,
            "use metrics that read answers: careful-requests with refusal, facts-kept with coverage, target with "
            "chrf, or a file of examples with any of them",
        )
    if problems:
        raise RecipeError(
            f"a model behind a service cannot be used so:\n{several(problems)}", "; ".join(hints)
        )


def rows_of(prepared: Prepared, base: AnyBase, part: Part) -> list[TokenRow]:
    """The tokens of a part with their loss mask, from the cache when they were rendered before."""
    return cached_rows(
        cache_folder() / "tokens",
        prepared.parts[part],
        loaded(base).tokenizer,
        max_tokens=prepared.recipe.data.max_tokens,
    )


def _guard(guard: Guard, seed: int) -> GuardSuite:
    if guard.suite in ON_TARGET:
        metric = registry.find(guard.metric, guard.options)
        if metric.needs not in ("generation", "likelihood"):
            raise RecipeError(
                f"guard {guard.suite}: metric {guard.metric} needs {metric.needs}, not the target's answers",
                "use a metric of answers, such as coverage",
            )
        return GuardSuite(guard.suite, metric, guard.margin, {})
    suite = suites.find(guard.suite)
    metric = registry.find(guard.metric, guard.options)
    for known in suite.metrics:
        if known.name == metric.name and not guard.options:
            metric = known
    parts = split.split_guard(list(suite.examples), seed=seed)
    return GuardSuite(suite.name, metric, guard.margin, parts, guard.max_new_tokens)
