"""From a recipe to what a run works on: examples in their parts, metrics, guards; checked before time is spent."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from trimtab import previous
from trimtab.candidates import WEIGHTS
from trimtab.data import documents, read, split
from trimtab.data.augment import fingerprint
from trimtab.data.cache import cached_rows
from trimtab.decide.ledger import ledger_path
from trimtab.errors import DataError, ModelError, RecipeError, several
from trimtab.guidelines import Guidelines
from trimtab.guidelines import load as load_guidelines
from trimtab.measure import registry, suites
from trimtab.measure.contract import Metric
from trimtab.measure.sets import TWIN_OF
from trimtab.measure.trial import check_seeds
from trimtab.model import service
from trimtab.model.embedded import cache_folder
from trimtab.model.find import AnyBase, loaded
from trimtab.model.sentences import encoder_folder
from trimtab.previous import Previous
from trimtab.recipe import Goal, Guard, Recipe
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
    guidelines: Guidelines | None = None
    previous: Previous | None = None

    @property
    def sealed(self) -> list[str]:
        """What the ledger of looks knows the items of confirm by."""
        return split.sealed_keys(self.parts["confirm"])

    @property
    def sampling(self) -> Sampling:
        """How every stack answers."""
        return sampling_of(self.recipe)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Seeds of the answers drawn for each item."""
        return tuple(self.recipe.seed + number for number in range(self.recipe.sampling.seeds))

    def untouched(self, hooks: frozenset[str], part: Part) -> frozenset[str]:
        """Names of the guards that a stack with these hooks cannot touch.

        Likelihoods change with the network alone, or with the conversation where what is asked has one.
        """
        if "network" in hooks:
            return frozenset()

        def safe(guard: GuardSuite) -> bool:
            metric = guard.metric
            if metric.needs == "generation" or metric.asks is None:
                return False
            if "messages" not in hooks:
                return True
            examples = self.parts[part] if guard.on_target else guard.parts[part]
            return not any(messages for example in examples for messages, _ in metric.asks(example))

        return frozenset(guard.key for guard in self.guards if safe(guard))

    def target_metrics(self) -> list[Metric]:
        """Metrics read from the target's answers: the goal, and guards on the target."""
        on_target = [guard.metric for guard in self.guards if guard.on_target]
        return [self.goal, *(metric for metric in on_target if metric.name != self.goal.name)]


def sampling_of(recipe: Recipe) -> Sampling:
    """How a recipe has every stack answer."""
    options = recipe.sampling
    return Sampling(
        options.max_new_tokens,
        options.temperature,
        options.top_k,
        options.top_p,
        options.min_p,
        options.repetition_penalty,
        options.stop,
    )


def prepare(recipe: Recipe) -> Prepared:
    """Read and split the data, find goal, guards and guidelines.

    Raises:
        DataError, GuidelinesError, MetricError, RecipeError: naming everything that stands in the way.
        RunError: what the recipe takes over from an earlier round is missing or damaged.
        MissingPart: augmentation needs WordNet or the sentence encoder, which is not installed.
    """
    data = recipe.data
    examples = read.read(data.examples, data.columns, data.instruction)
    unanswered = [example.id for example in examples if not example.references]
    if unanswered:
        raise DataError(
            f"{data.examples}: {len(unanswered)} rows have no answer to learn from, such as {unanswered[0]}",
            "give each row a completion, or remove it",
        )
    if any(how.kind in ("synonyms", "paraphrase", "roundtrip") for how in recipe.augment):
        encoder_folder()
    _check_pairs(recipe, examples)
    searched = _documents(recipe)
    before = previous.read(recipe.round.folder) if recipe.round.folder else None
    parts = _parts(recipe, examples, before)
    rules = load_guidelines(recipe.guidelines).guidelines if recipe.guidelines else None
    goal = _metric(recipe, recipe.goal)
    guards = tuple(_guard(recipe, guard, examples, parts["tune"]) for guard in recipe.guards)
    check_seeds([goal, *(guard.metric for guard in guards)], range(recipe.sampling.seeds))
    if recipe.disclosure.watermark == "synthid" and not recipe.sampling.temperature:
        raise RecipeError(
            "disclosure.watermark: synthid works by chance, and sampling.temperature 0 leaves nothing to it",
            "set sampling.temperature above 0, or take green-list, which marks greedy answers too",
        )
    if service.served(recipe.model):
        _check_service(recipe, goal, guards)
    confirm = split.confirm_hash(parts["confirm"])
    beside = [
        *searched,
        *([rules.model_dump(mode="json")] if rules else []),
        *([before.content] if before else []),
    ]
    return Prepared(
        recipe,
        parts,
        goal,
        guards,
        _identity(recipe, examples, guards, beside),
        confirm,
        ledger_path(data.examples, cache_folder()),
        searched,
        rules,
        before,
    )


def _check_pairs(recipe: Recipe, examples: Sequence[Example]) -> None:
    """Refuse a loss of preferences where rows have nothing to prefer an answer to."""
    candidates = (*recipe.candidates.adapter, *recipe.candidates.layers)
    losses = sorted({one.loss for one in candidates} - {"sft"})
    lacking = [example.id for example in examples if not isinstance(example.fields.get("rejected"), str)]
    if losses and lacking:
        raise RecipeError(
            f"loss {' and '.join(losses)}: {len(lacking)} of {len(examples)} rows of {recipe.data.examples} have no "
            f"rejected answer, such as {lacking[0]}",
            "give each row prompt, chosen and rejected, or leave loss at sft",
        )


def _parts(recipe: Recipe, examples: Sequence[Example], before: Previous | None) -> dict[Part, list[Example]]:
    """The examples in their parts; those of an earlier round stay where they are, corrected as people wrote."""
    given = recipe.data.split
    shares: dict[Part, float] = {"tune": given.tune, "select": given.select, "confirm": given.confirm}
    if before is None:
        return split.split(examples, shares, seed=recipe.seed)
    settled = before.settled(recipe.round.confirm)
    parts = split.split(examples, shares, seed=recipe.seed, settled=settled)
    learned = before.learned(parts["tune"], recipe.round.corrections)
    return parts | {"tune": [*learned, *before.joined([*parts["select"], *parts["confirm"]])]}


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
    recipe: Recipe, examples: list[Example], guards: tuple[GuardSuite, ...], beside: Sequence[object]
) -> str:
    """What a verdict is about: all that is decided in the recipe, and the content of its files wherever they lie.

    beside: the content of documents and guidelines, and what is taken over from an earlier round.
    """
    decided = recipe.model_dump(
        exclude={
            "budget": True,
            "service": True,
            "guidelines": True,
            "round": {"folder"},
            "data": {"examples", "documents"},
            "guards": {"__all__": {"suite"}},
        }
    )
    if not recipe.disclosure.watermark:
        # Runs from before there was the section stay what they are.
        del decided["disclosure"]
    for asked in (decided["goal"], *decided["guards"]):
        asked["options"] = {
            key: _content(value) if key == "file" else value for key, value in asked["options"].items()
        }
    for one in decided["augment"]:
        one["wordnet"] = fingerprint(one["wordnet"]) if one["kind"] == "synonyms" else ""
    for one in decided["candidates"]["steering"]:
        one["pairs"] = _content(one["pairs"])
    suites_read = [
        [
            guard.name,
            [[e.id, e.prompt, e.references, e.fields] for part in guard.parts.values() for e in part],
        ]
        for guard in guards
    ]
    rows = [[e.id for e in examples], split.confirm_hash(examples)]
    return content_hash([decided, suites_read, *rows, beside])


def _content(value: object) -> object:
    """What an option decides that may name a file: the file's content, not where it lies."""
    if not isinstance(value, str) or not Path(value).is_file():
        return value
    return hashlib.sha256(Path(value).read_bytes()).hexdigest()


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
    if recipe.disclosure.watermark:
        problems.append("disclosure.watermark: not available, because a service draws its tokens itself")
        hints.insert(0, "leave disclosure out, or have the service mark its answers")
    if any(one.best_of != 1 and one.by == "judgement" for one in recipe.candidates.decoding):
        problems.append(
            "candidates.decoding: by judgement: not available, because a service gives no likelihoods"
        )
        hints.insert(0, "choose the best answer by likelihood, agreement, vote or repetition")
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


def _metric(recipe: Recipe, asked: Goal | Guard) -> Metric:
    """The metric of a goal or guard; one that reads guidelines reads the recipe's, if it names no others."""
    given = {"file": recipe.guidelines} if asked.metric == "guidelines" and recipe.guidelines else {}
    return registry.find(asked.metric, given | asked.options)


def _guard(recipe: Recipe, guard: Guard, examples: Sequence[Example], tuned: Sequence[Example]) -> GuardSuite:
    metric = _metric(recipe, guard)
    if guard.suite in ON_TARGET:
        if metric.needs in ("choices", "pairs") and not any(map(metric.applies, examples)):
            raise RecipeError(
                f"guard {guard.suite}: metric {guard.metric} needs {metric.needs}, not the target's answers",
                "use a metric of answers, such as coverage",
            )
        return GuardSuite(guard.suite, metric, guard.margin, {})
    suite = suites.find(guard.suite)
    for known in suite.metrics:
        if known.name == metric.name and not guard.options:
            metric = known
    items = _unlearned(suite, tuned)
    parts = split.split_guard(items, seed=recipe.seed)
    return GuardSuite(suite.name, metric, guard.margin, parts, guard.max_new_tokens)


def _unlearned(suite: suites.Suite, tuned: Sequence[Example]) -> list[Example]:
    """A suite's items without pairs of twins of which one is learned: known by heart, it differs from its twin.

    Raises:
        RecipeError: fewer than two pairs are left.
    """
    items = list(suite.examples)
    if TWIN_OF not in items[0].fields:
        return items
    learned = {split.prompt_key(example) for example in tuned}
    known = {item.group for item in items if split.prompt_key(item) in learned}
    left = [item for item in items if item.group not in known]
    if len({item.group for item in left}) < 2:
        raise RecipeError(
            f"guard {suite.name}: {len(known)} pairs have a prompt of tune, and fewer than two are left",
            "write more pairs with trimtab audit --use pairs=FILE, from more rows than are tuned on",
        )
    return left
