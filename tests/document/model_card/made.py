"""What a run folder may hold beside a verdict, as the verbs write it: a review, a probe, rules, a round."""

from __future__ import annotations

from typing import Any

from tests.document import made
from trimtab.document import probed
from trimtab.document.model_card import Declared, Facts, facts
from trimtab.records import NAN, Comparison, Estimate, plain
from trimtab.run import RunFolder

ORIGINS = {
    "rows": 123, "licence": {"CC0-1.0": 120, "MIT": 2}, "source": {"shop": 123}, "consent": {"yes": 4},
    "subjects": 3, "unnamed": 119, "days": ["2026-01-02", "2026-02-03"],
}  # fmt: skip
RULES = {
    "version": "7", "date": "2026-01-02", "review_by": None, "audience": "Buyers.", "tone": "plain", "rules": 2,
}  # fmt: skip
SENTENCE = "A machine wrote this."


def of(folder: RunFolder, **declared: Any) -> Facts:
    """The facts of a card."""
    return facts(folder, Declared(**declared), command="trimtab card RUN")


def cells(tables: Any) -> dict[str, str]:
    """Rows of two columns, as a page shows them."""
    return {str(row[0]): " ".join(str(cell) for cell in row[1:]) for table in tables for row in table.rows}


def recorded(folder: RunFolder, **changes: Any) -> None:
    """Change what provenance.json says."""
    folder.write("provenance.json", folder.read("provenance.json") | changes)


def told(folder: RunFolder) -> None:
    """The record of a run of this version: where its rows come from, and its guidelines."""
    known = folder.read("provenance.json")
    recorded(folder, data=known["data"] | {"origins": ORIGINS}, guidelines=RULES)


def adjusted(folder: RunFolder, kinds: dict[str, float], place: str | None = None) -> None:
    """Kinds of adjustments with their strengths; place: of a sentence that the rules of postprocess add."""
    entries = [{"kind": kind, "strength": strength, "settings": {}} for kind, strength in kinds.items()]
    folder.write(f"trials/{made.STACK}/stack.json", {"stack": made.STACK, "adjustments": entries})
    rule = {
        "id": "told",
        "text": "Say so.",
        "disclose": {"sentence": SENTENCE} | ({"place": place} if place else {}),
    }
    other = {"id": "short", "text": "Be short.", "limit": {"words": 9}}
    rules = {"version": "7", "rules": [other, rule] if place is not None else [other]}
    if "postprocess" in kinds:
        content = {"guidelines": rules, "facts": "off", "draws": None, "strength": kinds["postprocess"]}
        folder.write(f"trials/{made.STACK}/adjustment-1/postprocess.json", content)


def review(folder: RunFolder, purpose: str = "verdict", rater: str = "Ann") -> None:
    """What people judged, in the form of review.json; rater: what must not be shown of them."""
    rate = Estimate(0.12, 0.05, 0.19, 0.965, 40, "betting")
    won = Comparison(rate, 0.001, "held", None, NAN, -0.05, 0.5, 0.62)
    nothing = Comparison(Estimate(NAN, NAN, NAN, 0.95, 0, "none", "no item"), NAN, "undefined", None, NAN)
    analysis = {
        "win_rate": won, "unruled": won, "counts": {"left": 50, "right": 40}, "more": None,
        "agreement": Estimate(0.71, 0.6, 0.8, 0.95, 40, "bootstrap over items"), "raters": 4,
        "position": rate, "chosen": nothing, "scores": {}, "quality": [], "rule": {},
        "decisions": [{"rater": 3, "weight": 0, "rule": "attention", "figure": rater}],
    }  # fmt: skip
    content = {
        "purpose": purpose, "question": "Which is better?", "guidelines": "7", "items": 40, "judgements": 90,
        "analysis": analysis, "ratings": {}, "stacks": ["base", made.STACK],
    }  # fmt: skip
    folder.write("review.json", {purpose: plain(content)})


def deviations(folder: RunFolder, name: str = "1: brakes, gears") -> None:
    """Two kinds of failure, as the probe keeps them."""
    share = Estimate(0.1, 0.04, 0.2, 0.95, 49, "wilson")
    clusters = [
        {
            "name": name, "items": ["a", "b"], "share": share, "examples": [["a prompt that is secret", "its answer"]],
            "signs": {}, "advice": {"rungs": ["prompt", "adapter"], "sign": "x", "reason": "y"},
        }
    ]  # fmt: skip
    data = {
        "n": 49,
        "failing": share,
        "clusters": clusters,
        "links": [],
        "apart": None,
        "passing": [],
        "seed": 5,
    }
    section = {"name": "deviations", "title": "t", "said": [], "tables": [], "pictures": [], "data": data}
    probed.keep(folder, "deviations", {"asked": "x", "stack": made.STACK, "section": plain(section)})


def round_(folder: RunFolder) -> None:
    """The run goes on from another, which was held."""
    content = {
        "number": 2, "run": "20260313-080000-aaaabbbb", "verdict": made.verdict("breached"), "guidelines": "6",
        "confirm": 74, "moved": {"shown": 5, "corrected": 3}, "corrections": {"texts": 4, "rows": 3}, "preferences": 6,
        "flagged": [{"example": "a"}], "proposed": {"phrases": []},
        "now": {"guidelines": "7", "confirm": {"fresh": 60, "before": 14}, "new": {"tune": 9}},
    }  # fmt: skip
    folder.write("round.json", plain(content))
