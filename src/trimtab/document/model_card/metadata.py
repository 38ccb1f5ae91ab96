"""What the Hub reads of a card: the metadata in front of card.md, and results for benchmarks that lie on the Hub.

huggingface.co/docs/hub/model-cards and huggingface.co/docs/hub/eval-results, as of November 2026. Results in
`.eval_results/` are for datasets that are registered as benchmarks; all others stand in the card's model-index.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from trimtab.document import words
from trimtab.document.figures import known, percent
from trimtab.document.model_card.facts import Facts, shown
from trimtab.document.record import scores, suite_title
from trimtab.errors import UserError
from trimtab.licences import HUB, OTHER, UNKNOWN
from trimtab.records import Comparison

TARGET = "target"
HUB_DATA = "hub:"
_BENCHMARK = re.compile(r"(?P<suite>.+)=(?P<id>[A-Za-z0-9][\w.-]*/[\w.-]+):(?P<task>[\w.-]+)")


@dataclass(frozen=True, slots=True)
class Result:
    """One measured score of the stack, in its metric's own direction."""

    suite: str
    metric: str
    value: float
    compared: Comparison
    role: str


def metadata(facts: Facts) -> dict[str, Any]:
    """The card's metadata, in the Hub's own words; what is not known is left out, but for the licence.

    What may not be released has no library, no task and no results, so that it is not found as a model to use.
    """
    licence = facts.licence if facts.licence in (*HUB, UNKNOWN) else OTHER
    content: dict[str, Any] = {
        "license": licence,
        "license_name": _slug(facts.licence) if licence == OTHER else "",
        "language": [code.strip() for code in facts.declared.language.split(",") if code.strip()],
        "base_model": facts.base_model,
        "base_model_relation": facts.relation if facts.base_model else "",
        "datasets": _datasets(facts),
        "tags": ["trimtab", f"trimtab-{words.kind(facts.record)}", *dict.fromkeys(facts.kinds)],
    }
    if facts.released:
        content |= {
            "library_name": "peft" if facts.kinds == ("adapter",) else "trimtab",
            "pipeline_tag": "text-generation",
            "metrics": list(dict.fromkeys(one.metric for one in results(facts))),
            "model-index": _index(facts),
        }
    return {name: value for name, value in content.items() if value not in ("", [])}


def results(facts: Facts) -> list[Result]:
    """The scores of the stack that the verdict was read from, where they were recorded."""
    record = facts.record
    found = []
    target = words.judged(record)
    source = shown(facts.data.get("source")) or "data"
    if target is not None and (pair := scores(target, record.goal.get("direction"))):
        found.append(Result(source, _metric(record.goal.get("metric")), pair[1], target, TARGET))
    for guard in record.verdict.guards:
        pair = scores(guard.comparison, record.guard(guard).get("direction"))
        if pair and not guard.by_construction:
            found.append(
                Result(suite_title(guard.suite), _metric(guard.metric), pair[1], guard.comparison, "guard")
            )
    return found


def benchmarks(facts: Facts) -> list[dict[str, Any]]:
    """Entries of `.eval_results/*.yaml` for the suites that were declared to be a benchmark of the Hub.

    Raises:
        UserError: what was declared has another form, or names a suite that was not measured.
    """
    if not facts.released:
        return []
    known_results = {one.suite if one.role == "guard" else TARGET: one for one in results(facts)}
    return [_entry(said, known_results, facts) for said in facts.declared.benchmark]


def _entry(said: str, measured: dict[str, Result], facts: Facts) -> dict[str, Any]:
    found = _BENCHMARK.fullmatch(said)
    if found is None or found["suite"] not in measured:
        raise UserError(
            f"benchmark: expected SUITE=OWNER/NAME:TASK, received {said!r}",
            f"suites of this run: {', '.join(measured) or 'none'}; TASK is named in the dataset's eval.yaml",
        )
    one = measured[found["suite"]]
    estimate = one.compared.difference
    notes = (
        f"{one.metric} on {estimate.n} items of the part confirm; difference to the base model {estimate.value:.6g} "
        f"({estimate.low:.6g} to {estimate.high:.6g}, {percent(estimate.level)}, {estimate.method})"
    )
    entry: dict[str, Any] = {"dataset": {"id": found["id"], "task_id": found["task"]}, "value": one.value}
    finished = str(facts.record.provenance.get("finished") or "")
    return entry | ({"date": finished} if finished else {}) | {"notes": notes}


def _index(facts: Facts) -> list[dict[str, Any]]:
    found = list(_measured(facts))
    return [{"name": facts.name, "results": found}] if found else []


def _measured(facts: Facts) -> Iterator[dict[str, Any]]:
    for one in results(facts):
        estimate = one.compared.difference
        told = {"n": estimate.n, "level": estimate.level, "method": estimate.method, "role": one.role}
        bounds = {"difference": estimate.value, "low": estimate.low, "high": estimate.high}
        yield {
            "task": {"type": "text-generation"},
            "dataset": {"type": _slug(one.suite), "name": one.suite, "split": facts.record.judged_on},
            "metrics": [
                {
                    "type": one.metric,
                    "value": one.value,
                    "args": told | {name: value for name, value in bounds.items() if known(value)},
                }
            ],
        }


def _datasets(facts: Facts) -> list[str]:
    data = facts.record.recipe.get("data")
    named = str(data.get("examples") or "") if isinstance(data, dict) else ""
    return [named.removeprefix(HUB_DATA).partition(":")[0]] if named.startswith(HUB_DATA) else []


def _metric(name: object) -> str:
    """A metric's name; of a function in a file its name alone."""
    return str(name or "").rpartition(":")[2]


def _slug(name: str) -> str:
    """A name in the letters that the Hub's identifiers have."""
    return re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-.") or "unnamed"
