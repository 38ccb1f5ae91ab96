"""From a recipe to what a run works on: examples in their parts, metrics, guards; checked before time is spent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trimtab.data import read, split
from trimtab.data.cache import cached_rows
from trimtab.decide.ledger import ledger_path
from trimtab.errors import DataError, RecipeError
from trimtab.measure import registry, suites
from trimtab.measure.contract import Metric
from trimtab.model.embedded import cache_folder
from trimtab.model.load import Base
from trimtab.recipe import Guard, Recipe
from trimtab.records import Example, Part, Sampling, TokenRow, content_hash

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
    shares: dict[Part, float] = {
        "tune": data.split.tune,
        "select": data.split.select,
        "confirm": data.split.confirm,
    }
    parts = split.split(examples, shares, seed=recipe.seed)
    goal = registry.find(recipe.goal.metric, recipe.goal.options)
    guards = tuple(_guard(guard, recipe.seed, examples) for guard in recipe.guards)
    confirm = split.confirm_hash(parts["confirm"])
    return Prepared(
        recipe,
        parts,
        goal,
        guards,
        _identity(recipe, examples, guards),
        confirm,
        ledger_path(data.examples, cache_folder()),
    )


def _identity(recipe: Recipe, examples: list[Example], guards: tuple[GuardSuite, ...]) -> str:
    """What a verdict is about: all that is decided in the recipe, and the content of its files wherever they lie."""
    decided = recipe.model_dump(
        exclude={"budget": True, "data": {"examples"}, "guards": {"__all__": {"suite"}}}
    )
    suites_read = [
        [
            guard.name,
            [[e.id, e.prompt, e.references, e.fields] for part in guard.parts.values() for e in part],
        ]
        for guard in guards
    ]
    return content_hash([decided, suites_read, [e.id for e in examples], split.confirm_hash(examples)])


def rows_of(prepared: Prepared, base: Base, part: Part) -> list[TokenRow]:
    """The tokens of a part with their loss mask, from the cache when they were rendered before."""
    return cached_rows(
        cache_folder() / "tokens",
        prepared.parts[part],
        base.tokenizer,
        max_tokens=prepared.recipe.data.max_tokens,
    )


def _guard(guard: Guard, seed: int, examples: Sequence[Example]) -> GuardSuite:
    if guard.suite in ON_TARGET:
        metric = registry.find(guard.metric, guard.options)
        if metric.needs in ("choices", "pairs") and not any(map(metric.applies, examples)):
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
