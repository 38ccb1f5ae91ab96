"""How much computing an adjustment took, beside its base model's training.

A downstream modifier of a general-purpose AI model is considered a provider where the training compute of the
modification is greater than a third of that of the original model: European Commission, Guidelines on the scope of the
obligations for general-purpose AI models, C(2025) 5045 final of 18 July 2025, adopted as C(2025) 7719 final of 19
November 2025, section 3.2. Where the original's compute is neither known nor to be estimated, a third of 10^23 FLOP
takes its place, or of 10^25 where the original has systemic risk. Annex A.1: training compute is what directly
contributes to updates of parameters; A.2.2: about six operations for each parameter and token.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from trimtab import lineage
from trimtab.document.figures import duration, known, tagged
from trimtab.document.model_card.facts import EMBEDDED_ID, Facts, shown, undeclared, unknown
from trimtab.document.sections import Cell, Row, Section, Table
from trimtab.lineage import Learned
from trimtab.run import RunFolder

PER_TOKEN = 6
GENERAL_PURPOSE = 1e23
SHARE = 1 / 3
# Tokens that base models were trained on, as their makers say.
TOKENS: Mapping[str, tuple[float, str]] = {
    EMBEDDED_ID: (2e12, "2 trillion tokens by its model card and by Ben Allal et al. 2025, arXiv:2502.02737")
}
SOURCE = (
    "Source: European Commission, Guidelines on the scope of the obligations for general-purpose AI models, C(2025) "
    "5045 final (18 July 2025; adopted as C(2025) 7719 final, 19 November 2025), section 3.2 and annex A. They are not "
    "binding, and an indication only; this is no legal advice."
)


@dataclass(frozen=True, slots=True)
class Compute:
    """Training compute of a run in floating-point operations (FLOP); None where it is not known.

    Attributes:
        tokens: that the stack of the verdict was trained on; every: those of all candidates.
        parameters: of the base model.
        base: that trained the base model; basis: where the figure comes from.
    """

    tokens: int
    every: int
    parameters: int | None
    base: float | None
    basis: str

    @property
    def flop(self) -> float | None:
        """Of the stack of the verdict: 6 P D (guidelines, annex A.2.2, point 132 of the first text)."""
        return self._operations(self.tokens)

    @property
    def all_flop(self) -> float | None:
        """Of all candidates."""
        return self._operations(self.every)

    @property
    def threshold(self) -> float:
        """What the compute of a modification must be greater than."""
        return SHARE * (self.base if self.base is not None else GENERAL_PURPOSE)

    @property
    def ratio(self) -> float | None:
        """The stack's compute over the base model's."""
        return None if self.flop is None or self.base is None else self.flop / self.base

    @property
    def beyond(self) -> bool | None:
        """Whether the stack's compute is greater than the threshold; None where it is not known."""
        return None if self.flop is None else self.flop > self.threshold

    def _operations(self, tokens: int) -> float | None:
        if tokens == 0:
            return 0.0
        return None if self.parameters is None else float(PER_TOKEN * self.parameters * tokens)


def compute(facts: Facts) -> Compute:
    """What a run's training took, and what is known of its base model's.

    Raises:
        RunError: a record of the run is damaged.
    """
    folder, parameters = facts.record.folder, facts.model.get("parameters")
    trained = _trained(folder)
    learned = lineage.stacks(folder)
    base, basis = _base(facts, parameters)
    return Compute(
        sum(trained.get(name, 0) for name in _joined(facts.stack, learned)),
        sum(trained.values()),
        int(parameters) if known(parameters) else None,
        base,
        basis,
    )


def section(facts: Facts) -> Section:
    """Training compute as a part of the card."""
    found, seconds = compute(facts), _time(facts)
    rows: tuple[Row, ...] = (
        ("tokens that the adjustment was trained on", tagged(found.tokens, f"{found.tokens:,}")),
        ("tokens of all candidates of the run", tagged(found.every, f"{found.every:,}")),
        ("parameters of the base model", _count(found.parameters)),
        ("training compute of the adjustment", _flop(found.flop)),
        ("training compute of all candidates", _flop(found.all_flop)),
        ("training compute of the base model", _base_cell(found)),
        ("adjustment over base model", _ratio(found)),
        ("a third of the original, or what takes its place", _flop(found.threshold)),
        ("time of the run", _seconds(seconds)),
        ("hardware", _hardware(facts)),
    )
    data = {
        "tokens": found.tokens, "tokens_all": found.every, "parameters": found.parameters, "flop": found.flop,
        "flop_all": found.all_flop, "base_flop": found.base, "ratio": found.ratio, "threshold": found.threshold,
        "beyond": found.beyond, "seconds": seconds,
    }  # fmt: skip
    said = (_judged(found), _method(found), SOURCE)
    table = Table("Tokens, operations and time", ("what", "value"), rows)
    return Section("compute", "Training compute", said, (table,), data)


def _trained(folder: RunFolder) -> dict[str, int]:
    """Tokens that each stack's own training read, by its hash."""
    found = {}
    for path in sorted(folder.path.glob("trials/*/training.jsonl")):
        rows = folder.rows(f"trials/{path.parent.name}/training.jsonl")
        found[path.parent.name] = max(
            (int(row["tokens"]) for row in rows if known(row.get("tokens"))), default=0
        )
    return found


def _joined(stack: str, learned: Mapping[str, Learned]) -> Iterator[str]:
    """A stack, and those that it was joined from."""
    yield stack
    for part in learned[stack].stacks if stack in learned else ():
        if part != stack:
            yield part


def _base(facts: Facts, parameters: Any) -> tuple[float | None, str]:
    if facts.declared.base_compute:
        return float(facts.declared.base_compute), "as declared"
    tokens, source = TOKENS.get(facts.base_model, (0.0, ""))
    if not (tokens and known(parameters)):
        return None, ""
    basis = f"{PER_TOKEN} operations for each parameter and token; {source}"
    return PER_TOKEN * float(parameters) * tokens, basis


def _judged(found: Compute) -> str:
    if found.beyond is None:
        return "Whether the adjustment took more than a third of its base model's compute is not known."
    held = "more" if found.beyond else "not more"
    if found.base is None:
        return (
            "The compute of the base model is not known; in its place stands a third of 10^23 FLOP, the indication for "
            f"a general-purpose AI model without systemic risk. The adjustment took {held} than that."
        )
    small = " The base model lies below 10^23 FLOP itself, the indication for a general-purpose AI model."
    return (
        f"The adjustment took {held} than a third of its base model's training compute, above which who modifies a "
        f"general-purpose AI model is considered a provider.{small if found.base <= GENERAL_PURPOSE else ''}"
    )


def _method(found: Compute) -> str:
    if not found.every:
        return "No parameter was updated by training in this run, so that its training compute is 0."
    return (
        "Estimated as 6 operations for each parameter of the base model and token read in training. Weights that stay "
        "as they are need fewer, so that for adapters this is more than was spent. Answers that were drawn, and what "
        "was measured, update no parameter and are not counted."
    )


def _count(number: int | None) -> Cell:
    return unknown("a service does not say it") if number is None else tagged(number, f"{number:,}")


def _flop(value: float | None) -> Cell:
    return (
        unknown("the number of parameters is missing")
        if value is None
        else tagged(value, f"{value:.2e} FLOP")
    )


def _base_cell(found: Compute) -> Cell:
    if found.base is None:
        return undeclared("training compute of the base model")
    return tagged(found.base, f"{found.base:.2e} FLOP") + f" ({found.basis})"


def _ratio(found: Compute) -> Cell:
    if found.ratio is None:
        return unknown("see above what is missing")
    return tagged(found.ratio, f"{found.ratio:.1e}" if found.ratio else "0")


def _time(facts: Facts) -> float | None:
    stages = [value for value in (facts.record.provenance.get("costs") or {}).values() if known(value)]
    return sum(stages) if stages else None


def _seconds(value: float | None) -> Cell:
    return unknown("the run recorded no time") if value is None else tagged(value, duration(value))


def _hardware(facts: Facts) -> str:
    provenance, device = facts.record.provenance, facts.model.get("device")
    named = device.get("value") if isinstance(device, Mapping) else ""
    cores = f"{provenance['cores']} cores" if known(provenance.get("cores")) else ""
    said = [shown(one) for one in (provenance.get("processor"), cores, named and f"device {named}") if one]
    return ", ".join(said) or unknown("the run recorded none")
