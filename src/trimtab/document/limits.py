"""What a run's figures cannot show, in plain sentences."""

from __future__ import annotations

from trimtab.document import reviewed
from trimtab.document.record import Record, metric_title, suite_title
from trimtab.document.samples import Samples

# Kinds that are always trained; embedding is where it says for how many epochs.
TRAINED = ("adapter", "layers")


def limits(record: Record, shown: Samples) -> list[str]:
    """Limits of the metrics, of the evidence and of the model, the weightiest first."""
    found = []
    if record.verdict.explored:
        found.append("Nothing here was tested on items that were kept away from the choice of candidates.")
    if record.goal.get("limits"):
        found.append(f"{record.metric}: {record.goal['limits']}")
    for guard in record.verdict.guards:
        if record.guard(guard).get("limits"):
            name = f"{suite_title(guard.suite)} ({metric_title(guard.metric)})"
            found.append(f"{name}: {record.guard(guard)['limits']}")
    found += [f"{change}. Figures from before and after may differ." for change in _changes(record)]
    if not record.folder.has(reviewed.FILE):
        found.append("No person has judged the answers: every figure here is computed.")
    found += [
        "Guards cover what they name. What no guard measures may have changed.",
        *_fitted(record),
        "The figures hold for prompts like those in the data. For other subjects, languages or lengths they "
        "say nothing.",
    ]
    if shown.best:
        found.append(
            "The outputs shown come from select, on which the candidate was chosen, so they flatter it a "
            "little; the most extreme items also owe their place partly to chance."
        )
    if _is_small(record):
        found.append(
            "The model is small (135 million parameters): it shows what tuning does, but it makes mistakes "
            "that larger models do not."
        )
    return found


def _changes(record: Record) -> list[str]:
    return [str(change) for change in record.provenance.get("changes") or ()]


def _fitted(record: Record) -> list[str]:
    """What the intervals do not cover: another training, or another fit, of what the page shows."""
    name = f"trials/{record.stack}/stack.json"
    content = record.folder.read(name) if record.stack and record.folder.has(name) else {}
    adjustments = content.get("adjustments") or ()
    if any(one.get("kind") in TRAINED or "epochs" in (one.get("settings") or {}) for one in adjustments):
        return [
            "The model was trained once, from one seed. The intervals hold for this one adjustment; another "
            "training run would come out somewhat differently."
        ]
    if adjustments:
        return [
            "Nothing was trained. The intervals hold for this one adjustment; fitted on other rows it might come "
            "out somewhat differently."
        ]
    return []


def _is_small(record: Record) -> bool:
    model = record.provenance.get("model")
    name = model.get("name") if isinstance(model, dict) else None
    return "smollm2-135m" in str(name or record.recipe.get("model") or "").lower()
