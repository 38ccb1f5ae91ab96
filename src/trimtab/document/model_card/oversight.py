"""What people judged of the answers: how many, how far they agree, and what they preferred; nothing that they wrote."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trimtab.document import reviewed
from trimtab.document.figures import fixed, known, percent, tagged
from trimtab.document.model_card.facts import Facts, shown
from trimtab.document.sections import Cell, Row, Section, Table
from trimtab.errors import RunError
from trimtab.run import comparison_from, estimate_from

PARTS = {
    "verdict": "confirm, blindly, for the verdict",
    "learning": "select, to learn from",
    "live": "live answers, blindly",
}


def section(facts: Facts) -> Section:
    """Human oversight as a part of the card.

    Raises:
        RunError: review.json is damaged.
    """
    folder = facts.record.folder
    content = folder.read(reviewed.FILE) if folder.has(reviewed.FILE) else {}
    found = {purpose: content[purpose] for purpose in PARTS if purpose in content}
    title = "Human oversight"
    if not found:
        said = "No people judged the answers of this run."
        if (facts.record.recipe.get("review") or {}).get("required"):
            said += " Its recipe asks for it."
        return Section("oversight", title, (said,), data={"people": 0})
    try:
        tables = tuple(
            Table(f"Judged on {PARTS[name]}", ("what", "value"), _rows(one)) for name, one in found.items()
        )
        data = {
            name: {
                "people": one["analysis"]["raters"],
                "judgements": one["judgements"],
                "items": one["items"],
                "win_rate": one["analysis"]["win_rate"],
                "agreement": one["analysis"]["agreement"],
                "guidelines": one["guidelines"],
            }
            for name, one in found.items()
        }
    except (KeyError, TypeError) as error:
        raise RunError(
            f"{reviewed.FILE}: damaged: {error}", "conclude the review again: trimtab review RUN --close"
        ) from None
    said = (
        "People saw pairs of answers of the base model and the adjusted one, and not whose they were. The win rate is "
        "the share of judgements that prefer the adjusted model, ties counted half."
    )
    return Section("oversight", title, (said,), tables, data)


def _rows(content: Mapping[str, Any]) -> tuple[Row, ...]:
    analysis = content["analysis"]
    rated, alpha = comparison_from(analysis["win_rate"]), estimate_from(analysis["agreement"])
    version = shown(content["guidelines"])
    agreed: Cell = f"undefined ({alpha.undefined})"
    if not alpha.undefined and known(alpha.value):
        agreed = f"{fixed(alpha.value, 2)} ({fixed(alpha.low, 2)} to {fixed(alpha.high, 2)})"
    seen = f"{percent(alpha.level)}, {alpha.method}; {alpha.n:,} items judged at least twice"
    method = f"{percent(rated.difference.level)}, {rated.difference.method}"
    return (
        ("asked", shown(content["question"])),
        ("people", tagged(analysis["raters"], f"{analysis['raters']:,}")),
        ("judgements", tagged(content["judgements"], f"{content['judgements']:,}")),
        ("items", tagged(content["items"], f"{content['items']:,}")),
        ("win rate", reviewed.rate(rated)),
        ("interval of the win rate", f"{method}; {rated.difference.n:,} items"),
        ("held against", percent(0.5 + rated.threshold, 1)),
        ("outcome", rated.outcome),
        ("agreement, Krippendorff's alpha", agreed),
        ("interval of the agreement", seen),
        ("people who count less by the rule", f"{len(analysis['decisions']):,}"),
        ("models that judged beside them", f"{len(content.get('machines') or ()):,}"),
        ("guidelines", f"version {version}" if version else "none"),
    )
