"""Which parts of one prompt drove an answer, by several methods and at several grains."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from trimtab.adjust.stack import Attached
from trimtab.model.load import Base
from trimtab.probe.attribution import ablation, gradients, tokens
from trimtab.probe.attribution.prompt import UNITS, Feature, Prompt, Unit, sectioned
from trimtab.probe.attribution.targets import Scored, Target
from trimtab.probe.opened import Opened
from trimtab.records import NAN, Example, Progress, Report

Method = Literal["integrated_gradients", "gradient_x_input", "ablation"]
METHODS: tuple[Method, ...] = get_args(Method)
_NO_GRADIENT = "what is drawn and then scored has no gradient; ablation has no such limit"


@dataclass(frozen=True, slots=True)
class Settings:
    """How to attribute.

    Attributes:
        methods, units: which, in this order.
        steps: points of the integral; doubled up to `most_steps` while the completeness gap is above `tolerance`.
        tolerance: share of the target's change from baseline to prompt.
        most_features: of one unit, that are left out one by one.
        most_tokens: of the prompt; longer ones are not looked at by gradients.
        instructions: texts that are instructions wherever the items' own turns hold them.
    """

    methods: tuple[Method, ...] = METHODS
    units: tuple[Unit, ...] = UNITS
    steps: int = 16
    most_steps: int = 128
    tolerance: float = 0.05
    most_features: int = 256
    most_tokens: int = 2048
    instructions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attribution:
    """One prompt by one method at one grain.

    Attributes:
        features: parts of the prompt, in order.
        values: what each adds to the target, in nats or the metric's unit; positive: it speaks for the answer. For
            ablation, the target falls by as much without it.
        full: the target with the whole prompt. baseline: with a neutral one; nan but for integrated gradients.
        gap: completeness gap of integrated gradients, nats: what values and the template's tokens, which are 0, miss
            of full - baseline. relative_gap: as a share of |full - baseline|. Both nan for other methods.
        rest: what gradient times input gives to the template's own tokens.
        undefined: why there are no values.
    """

    example: str
    method: Method
    unit: Unit
    target: str
    features: tuple[Feature, ...]
    values: tuple[float, ...] = ()
    full: float = NAN
    baseline: float = NAN
    gap: float = NAN
    relative_gap: float = NAN
    rest: float = NAN
    steps: int = 0
    undefined: str = ""

    @property
    def ranked(self) -> tuple[int, ...]:
        """Numbers of the features by falling value, so that what speaks most for the target comes first."""
        return tuple(int(k) for k in np.argsort(-np.array(self.values), kind="stable"))


def attribute(
    model: Base | Attached,
    example: Example,
    target: Target,
    settings: Settings | None = None,
    report: Report | None = None,
) -> list[Attribution]:
    """Attribute a target to the parts of an item's prompt: one result for each method and unit, in that order.

    The prompt is the one that the model is given, after what its adjustments put around the item's own. Of a change
    in several steps it is the first; rules that edit an answer are not applied.

    Raises:
        ModelError: a service, or a tokenizer or template that cannot be followed.
        DataError, MetricError: the target does not fit (an answer without a token).
        MissingPart: Captum is not installed.
    """
    settings = settings or Settings()
    probed = Opened.of(model)
    prompt = sectioned(example.messages, probed.adjustments, settings.instructions)
    found: list[Attribution] = []
    for number, method in enumerate(settings.methods):
        if report:
            report(Progress(f"attribution, {method}", number, len(settings.methods)))
        if method == "ablation":
            found += _by_leaving_out(probed.base, example, prompt, target, settings)
        else:
            found += _by_gradients(probed.base, example, prompt, target, settings, method)
    return found


def _by_leaving_out(
    base: Base, example: Example, prompt: Prompt, target: Target, settings: Settings
) -> list[Attribution]:
    if isinstance(target, Scored):
        values = ablation.scored(base, target)
    else:
        values = ablation.read(base, target.readings(base.tokenizer))
    found = []
    for unit in settings.units:
        features = prompt.features(unit)
        told: dict[str, Any] = {}
        if not 0 < len(features) <= settings.most_features:
            told["undefined"] = (
                f"{len(features)} features; from 1 to {settings.most_features} are left out one by one"
            )
        else:
            falls, full = ablation.left_out(prompt, features, values)
            told = {"values": tuple(map(float, falls)), "full": full}
        found.append(Attribution(example.id, "ablation", unit, target.name, features, **told))
    return found


def _by_gradients(
    base: Base,
    example: Example,
    prompt: Prompt,
    target: Target,
    settings: Settings,
    method: gradients.Gradient,
) -> list[Attribution]:
    features = {unit: prompt.features(unit) for unit in settings.units}
    if isinstance(target, Scored):
        return _without(example, method, target, features, _NO_GRADIENT)
    rendered = tokens.render(base.tokenizer, prompt.messages)
    if len(rendered.ids) > settings.most_tokens:
        reason = f"{len(rendered.ids)} tokens of prompt; at most {settings.most_tokens} are looked at"
        return _without(example, method, target, features, reason)
    owners = {unit: rendered.owners(own) for unit, own in features.items()}
    readings = target.readings(base.tokenizer)
    if method == "gradient_x_input":
        found = gradients.times_input(base, rendered.ids, readings)
    else:
        fixed = rendered.owners(prompt.features("section")) < 0
        found = _refined(base, rendered.ids, fixed, readings, settings)
    return [
        _summed(found, owners[unit], Attribution(example.id, method, unit, target.name, own))
        for unit, own in features.items()
    ]


def _refined(base: Base, ids: Any, fixed: Any, readings: Any, settings: Settings) -> gradients.PerToken:
    steps = settings.steps
    while True:
        found = gradients.integrated(base, ids, fixed, readings, steps)
        enough = found.gap <= settings.tolerance * abs(found.full - found.baseline)
        if enough or 2 * steps > settings.most_steps:
            return found
        steps *= 2


def _summed(found: gradients.PerToken, owners: Any, empty: Attribution) -> Attribution:
    values = tuple(float(found.values[owners == number].sum()) for number in range(len(empty.features)))
    integrated = empty.method == "integrated_gradients"
    change = abs(found.full - found.baseline)
    return Attribution(
        empty.example,
        empty.method,
        empty.unit,
        empty.target,
        empty.features,
        values,
        full=found.full,
        baseline=found.baseline,
        gap=found.gap if integrated else NAN,
        relative_gap=found.gap / change if integrated and change else NAN,
        rest=NAN if integrated else float(found.values[owners < 0].sum()),
        steps=found.steps,
    )


def _without(
    example: Example, method: Method, target: Target, features: dict[Unit, tuple[Feature, ...]], reason: str
) -> list[Attribution]:
    return [
        Attribution(example.id, method, unit, target.name, own, undefined=reason)
        for unit, own in features.items()
    ]
