"""The parts of a probe: each looks at one model of a run and gives a section with tables, pictures and figures."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np

from trimtab.adjust.stack import BASE, Attached, Stack
from trimtab.document import tradeoff
from trimtab.document.sections import Section
from trimtab.errors import DataError, MetricError, RunError
from trimtab.model.find import AnyBase, loaded
from trimtab.model.sentences import default_encoder
from trimtab.model.sites import block_names
from trimtab.prepare import Prepared
from trimtab.probe.attribution import attributing, shown, suite
from trimtab.probe.attribution.targets import Answer, Contrast, Target, Tone, word_of
from trimtab.probe.deviations import comparing, finding, items
from trimtab.probe.layers import shown as layers_shown
from trimtab.probe.layers.ranking import advice
from trimtab.probe.layers.recipe import of_shop
from trimtab.probe.sensitivity import Plan, section, study
from trimtab.probe.space import seeing, states
from trimtab.records import Example, Output, Report
from trimtab.run import RunFolder
from trimtab.rungs import advised
from trimtab.rungs.workshop import Workshop
from trimtab.trials import recorded_trial

Why = Literal["answer", "base", "reference"]
WHYS: tuple[Why, ...] = get_args(Why)
# Items whose prompts are shown word by word.
COLOURED = 3
# Points of the integral, for a look at a dozen prompts in minutes; its gap is told.
MOST_STEPS = 32
# Prompts of each guard whose states are seen beside select's.
BESIDE = 40


@dataclass(frozen=True, slots=True)
class Wanted:
    """How closely to look.

    Attributes:
        prompts, settings, tokens: of the study of decoding: items of select, settings, most tokens of an answer.
        items: of select whose prompts are attributed. item: the id of one, to look at that alone.
        why: what is explained: the answer; why it rather than the base model's, or than the reference.
        word: of the answers, to explain that alone. tone: words towards which an answer leans, to explain that.
        pairs: most pairs for the survey of blocks.
    """

    prompts: int = 30
    settings: int = 40
    tokens: int = 64
    items: int = 12
    item: str = ""
    why: Why = "answer"
    word: str = ""
    tone: tuple[str, ...] = ()
    pairs: int = 16


@dataclass(frozen=True, slots=True)
class Work:
    """What a probe looks at.

    Attributes:
        stack: hash of the stack; `base` for the model as it is.
        against: another run, whose failures are compared; None for none.
    """

    prepared: Prepared
    base: AnyBase
    folder: RunFolder
    stack: str
    wanted: Wanted = field(default_factory=Wanted)
    against: RunFolder | None = None
    report: Report | None = None

    @property
    def select(self) -> list[Example]:
        """The items that may be looked at."""
        return self.prepared.parts["select"]

    @contextlib.contextmanager
    def attached(self, stack: str = "") -> Iterator[Attached]:
        """The model with a stack of the run, this one's where none is named."""
        name = stack or self.stack
        found = Stack() if name == BASE else Stack.load(self.folder.trial(name))
        with found.attach(self.base, report=self.report) as model:
            yield model

    def answers(self, stack: str) -> dict[str, Output]:
        """What a stack answered to the items of select, by id, with the first seed; measured now if need be."""
        trial = recorded_trial(self.prepared, self.base, stack, self.folder, self.report, stack)
        first = self.prepared.seeds[0]
        return {output.example: output for output in trial.outputs if output.seed == first}


def sensitivity(work: Work) -> Section:
    """What the answers depend on among the settings of decoding."""
    prepared, wanted = work.prepared, work.wanted
    if prepared.goal.needs != "generation":
        raise MetricError(
            f"metric {prepared.goal.name}: reads likelihoods, which decoding does not change",
            "leave the part out: --only with the names of the others",
        )
    sampling = prepared.sampling
    default = dataclasses.replace(sampling, max_new_tokens=min(sampling.max_new_tokens, wanted.tokens))
    plan = Plan(default, settings=wanted.settings, seeds=prepared.seeds, seed=prepared.recipe.seed)
    with work.attached() as model:
        metrics = prepared.target_metrics()
        return section(study(model.model, work.select[: wanted.prompts], metrics, plan, work.report))


def attribution(work: Work) -> Section:
    """Which sections, sentences and words of the prompts drove the answers."""
    said = work.answers(work.stack)
    before = work.answers(BASE) if work.wanted.why == "base" else {}
    chosen = [(e, t) for e in _looked_at(work) if (t := target(work.wanted, e, said, before)) is not None]
    if not chosen:
        raise DataError(
            "none of the items has an answer that this can be asked of",
            "explain another word, or why=answer",
        )
    examples, targets = zip(*chosen, strict=True)
    instruction = work.prepared.recipe.data.instruction
    settings = attributing.Settings(
        units=("sentence", "section"),
        most_steps=MOST_STEPS,
        instructions=(instruction,) if instruction else (),
    )
    with work.attached() as model:
        found = suite.over(
            model,
            examples,
            targets,
            settings,
            near=COLOURED,
            seed=work.prepared.recipe.seed,
            report=work.report,
        )
    return shown.section(found)


def _looked_at(work: Work) -> Sequence[Example]:
    item = work.wanted.item
    if not item:
        return work.select[: work.wanted.items]
    own = [example for example in work.select if example.id == item]
    if not own:
        known = ", ".join(example.id for example in work.select[:5])
        raise DataError(f"item {item!r}: not in select", f"its items are {known} and so on")
    return own


def target(
    wanted: Wanted, example: Example, said: Mapping[str, Output], before: Mapping[str, Output]
) -> Target | None:
    """What is explained of an item; None where its answer does not allow it."""
    if example.id not in said or not said[example.id].text.strip():
        return None
    text = said[example.id].text
    if wanted.tone:
        return Tone(wanted.tone, text)
    if wanted.word:
        return word_of(text, wanted.word) if wanted.word.casefold() in text.casefold() else None
    if wanted.why == "answer":
        # An answer that was cut off has no end that could be explained.
        return Answer(text, end=len(text) if said[example.id].finish == "length" else None)
    other = before[example.id].text if wanted.why == "base" else next(iter(example.references), "")
    return Contrast(text, other) if other.strip() and other != text else None


def layers(work: Work) -> Section:
    """Which blocks of the base model tell references from its own answers; a climb tries the blocks that it advises."""
    scratch = work.folder.path / "fits" / "survey"
    found = of_shop(Workshop(work.prepared, work.base, scratch, work.report), work.wanted.pairs, work.report)
    work.folder.write(advised.FILE, advice(found))
    return layers_shown.section(found)


def space(work: Work) -> Section:
    """How answers and hidden states moved from the base model to the stack."""
    if work.stack == BASE:
        raise RunError(
            "nothing was changed yet, so that nothing can have moved",
            "tune first, or name a stack: --stack HASH",
        )
    found = [_answers(work)]
    stack = Stack.load(work.folder.trial(work.stack))
    if stack.hooks & {"network", "messages"}:
        found.append(_states(work))
    return seeing.section(found)


def _answers(work: Work) -> seeing.Space:
    before, after = work.answers(BASE), work.answers(work.stack)
    examples = [e for e in work.select if e.id in before and e.id in after]
    sides = [[said[e.id].text for e in examples] for said in (before, after)]
    vectors = seeing.answers(default_encoder(), [*sides[0], *sides[1]], work.report)
    labels = {"verdict": (_verdicts(work, BASE, examples), _verdicts(work, work.stack, examples))}
    groups = [e.group for e in examples]
    if 1 < len(set(groups)) <= len(groups) // 2:
        labels["group"] = (groups, groups)
    n = len(examples)
    return seeing.space(
        "answers", [e.id for e in examples], vectors[:n], vectors[n:], labels, seed=work.prepared.recipe.seed
    )


def _verdicts(work: Work, stack: str, examples: Sequence[Example]) -> list[str]:
    known, bars = items.of_run(work.folder, stack, direction=work.prepared.goal.direction)
    failed = {item.id: bool(misses) for item, misses in zip(known, items.missed(known, bars), strict=True)}
    return ["fails" if failed.get(example.id) else "passes" for example in examples]


def _states(work: Work) -> seeing.Space:
    """States of the last block at the end of the prompts of select and of the guards that ask something."""
    suites = {"goal": work.select} | {
        guard.name: guard.parts["select"][:BESIDE]
        for guard in work.prepared.guards
        if guard.parts and any(example.messages for example in guard.parts["select"])
    }
    asked = [(name, e) for name, own in suites.items() for e in own if e.messages]
    examples = [example for _, example in asked]
    sides = []
    for stack in (BASE, work.stack):
        with work.attached(stack) as model:
            sides.append(states.states(model, examples, report=work.report)[:, -1])
    names = [name for name, _ in asked]
    last = len(block_names(loaded(work.base).network)) - 1
    return seeing.space(
        f"states of block {last}",
        [f"{name} {e.id}" for name, e in asked],
        sides[0],
        sides[1],
        {"suite": (names, names)},
        seed=work.prepared.recipe.seed,
    )


def deviations(work: Work) -> Section:
    """Where it fails, in kinds; and what became of the kinds of the base model, or of another run."""
    work.answers(work.stack)
    goal, seed = work.prepared.goal, work.prepared.recipe.seed

    def failing(folder: RunFolder, stack: str) -> finding.Deviations:
        return failures(*items.of_run(folder, stack, direction=goal.direction), seed)

    now = failing(work.folder, work.stack)
    if work.against is not None:
        return finding.section(
            now, comparing.compared(failing(work.against, work.against.verdict().stack), now)
        )
    if work.stack != BASE:
        work.answers(BASE)
        return finding.section(now, comparing.compared(failing(work.folder, BASE), now))
    return finding.section(now)


def failures(known: Sequence[items.Item], bars: Sequence[items.Bar], seed: int) -> finding.Deviations:
    """The kinds of failure among items, by the default encoder of sentences.

    Raises:
        MissingPart: the encoder is not installed.
    """

    def encode(texts: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float64]]:
        return seeing.answers(default_encoder(), texts)

    return finding.deviations(known, bars, encode, seed=seed)


def traded(work: Work) -> Section:
    """What each trial of the run gained and lost."""
    if not work.folder.has("ladder.json"):
        raise RunError("nothing was tried in this run yet", "tune first")
    return tradeoff.section(tradeoff.tradeoff(work.folder))


@dataclass(frozen=True, slots=True)
class Part:
    """How a part is made, which fields of `Wanted` change it, and what it looks at whichever stack is meant.

    always: `base` for the base model, `run` for a run as a whole; empty for the stack.
    """

    look: Callable[[Work], Section]
    reads: tuple[str, ...] = ()
    always: str = ""


PARTS: Mapping[str, Part] = {
    "sensitivity": Part(sensitivity, ("prompts", "settings", "tokens")),
    "attribution": Part(attribution, ("items", "item", "why", "word", "tone")),
    "layers": Part(layers, ("pairs",), BASE),
    "space": Part(space),
    "deviations": Part(deviations),
    "tradeoff": Part(traded, always="run"),
}
