"""From a recipe to what a run works on: examples in their parts, metrics, guards; checked before time is spent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trimtab.data import read, split
from trimtab.data.cache import cached_rows
from trimtab.decide.ledger import ledger_path
from trimtab.errors import DataError, RecipeError
from trimtab.guidelines import Guidelines
from trimtab.guidelines import load as load_guidelines
from trimtab.measure import registry, suites
from trimtab.measure.contract import Metric
from trimtab.model.embedded import cache_folder
from trimtab.model.load import Base
from trimtab.recipe import Goal, Guard, Recipe
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
    guidelines: Guidelines | None = None

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
    """Read and split the data, find goal, guards and guidelines.

    Raises:
        DataError, GuidelinesError, MetricError, RecipeError: naming everything that stands in the way.
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
    rules = load_guidelines(recipe.guidelines).guidelines if recipe.guidelines else None
    goal = _metric(recipe, recipe.goal)
    guards = tuple(_guard(recipe, guard) for guard in recipe.guards)
    confirm = split.confirm_hash(parts["confirm"])
    return Prepared(
        recipe,
        parts,
        goal,
        guards,
        _identity(recipe, examples, guards, rules),
        confirm,
        ledger_path(data.examples, cache_folder()),
        rules,
    )


def _identity(
    recipe: Recipe, examples: list[Example], guards: tuple[GuardSuite, ...], rules: Guidelines | None
) -> str:
    """What a verdict is about: all that is decided in the recipe, and the content of its files wherever they lie."""
    decided = recipe.model_dump(
        exclude={"budget": True, "guidelines": True, "data": {"examples"}, "guards": {"__all__": {"suite"}}}
    )
    for asked in (decided["goal"], *decided["guards"]):
        asked["options"] = {key: _content(key, value) for key, value in asked["options"].items()}
    suites_read = [
        [
            guard.name,
            [[e.id, e.prompt, e.references, e.fields] for part in guard.parts.values() for e in part],
        ]
        for guard in guards
    ]
    known = [decided, suites_read, [e.id for e in examples], split.confirm_hash(examples)]
    return content_hash([*known, rules.model_dump(mode="json")] if rules else known)


def _content(option: str, value: object) -> object:
    """What an option of a metric decides: the content of a list or of guidelines, not where the file lies."""
    if option != "file" or not isinstance(value, str) or not Path(value).is_file():
        return value
    return hashlib.sha256(Path(value).read_bytes()).hexdigest()


def rows_of(prepared: Prepared, base: Base, part: Part) -> list[TokenRow]:
    """The tokens of a part with their loss mask, from the cache when they were rendered before."""
    return cached_rows(
        cache_folder() / "tokens",
        prepared.parts[part],
        base.tokenizer,
        max_tokens=prepared.recipe.data.max_tokens,
    )


def _metric(recipe: Recipe, asked: Goal | Guard) -> Metric:
    """The metric of a goal or guard; one that reads guidelines reads the recipe's, if it names no others."""
    given = {"file": recipe.guidelines} if asked.metric == "guidelines" and recipe.guidelines else {}
    return registry.find(asked.metric, given | asked.options)


def _guard(recipe: Recipe, guard: Guard) -> GuardSuite:
    metric = _metric(recipe, guard)
    if guard.suite in ON_TARGET:
        if metric.needs not in ("generation", "likelihood"):
            raise RecipeError(
                f"guard {guard.suite}: metric {guard.metric} needs {metric.needs}, not the target's answers",
                "use a metric of answers, such as coverage",
            )
        return GuardSuite(guard.suite, metric, guard.margin, {})
    suite = suites.find(guard.suite)
    for known in suite.metrics:
        if known.name == metric.name and not guard.options:
            metric = known
    parts = split.split_guard(list(suite.examples), seed=recipe.seed)
    return GuardSuite(suite.name, metric, guard.margin, parts, guard.max_new_tokens)
