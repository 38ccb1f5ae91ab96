"""A round beside the one before it: both verdicts, what moved, what was learned of people, what is left to spend."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trimtab import stats
from trimtab.document.figures import interval, percent
from trimtab.document.masking import mask, printable
from trimtab.document.record import Record, metric_title, suite_title
from trimtab.document.sections import Row, Section, Table
from trimtab.document.words import VERDICTS, guard_word
from trimtab.previous import FACTS
from trimtab.records import Verdict
from trimtab.run import estimate_from, verdict_from

NONE = "none"
# What a page's contents call it.
LINK = {"round": "Round"}


def section(record: Record) -> Section | None:
    """What the round changed; None for a run that goes on from no other.

    Raises:
        RunError: its record is damaged.
    """
    if not record.folder.has(FACTS):
        return None
    content = record.folder.read(FACTS)
    before = verdict_from(content["verdict"])
    tables = [*changes(record, content, before), _fates(content)]
    said = [
        f"Round {content['number']}, after run {content['run']}.",
        _moved(content),
        *_looks(record, content),
        *_flagged(content),
        *_failures(content),
    ]
    data = {**content, "now": {**content["now"], "verdict": record.verdict}}
    return Section("round", "What this round changed", tuple(said), tuple(t for t in tables if t.rows), data)


def line(record: Record) -> str:
    """The round in one line for a terminal; empty for a run that goes on from no other."""
    if not record.folder.has(FACTS):
        return ""
    content = record.folder.read(FACTS)
    before = verdict_from(content["verdict"])
    confirm = content["now"]["confirm"]
    return (
        f"{content['number']}, after {content['run']} ({before.outcome}, {interval(before.difference)}); "
        f"{_moved(content)} Of confirm {confirm['fresh']} items are fresh, {confirm['before']} were looked at before"
    )


def changes(record: Record, content: Mapping[str, Any], before: Verdict) -> list[Table]:
    """Both verdicts side by side, and what was taken over from the round before."""
    return [_verdicts(record, content, before), _taken(content)]


def _moved(content: Mapping[str, Any]) -> str:
    moved, written = content["moved"], content["corrections"]
    return (
        f"{moved['shown']} items that people saw on confirm and {moved['corrected']} that they corrected on select are "
        f"tuned on now; {written['texts']} corrections of {written['rows']} items are learned."
    )


def _looks(record: Record, content: Mapping[str, Any]) -> list[str]:
    """How often the items that decided were looked at, and what is left for the next look."""
    confirm, look = content["now"]["confirm"], record.verdict.look
    said = (
        f"Of the items of confirm {confirm['fresh']} are fresh and {confirm['before']} were looked at before"
    )
    if look == 0:
        return [f"{said}; this run took no look."]
    left = percent(stats.run_alpha(look + 1), 5)
    return [
        f"{said}: this was look {look} at them, at level {percent(record.verdict.level)}. The next look at any of them "
        f"may err with {left} on one side."
    ]


def _flagged(content: Mapping[str, Any]) -> list[str]:
    flagged, again = content["flagged"], content.get("again")
    phrases = content.get("proposed", {}).get("phrases", ())
    if not flagged:
        return []
    names = ", ".join(row["example"] for row in flagged[:20])
    said = [
        f"People flagged answers to {len(flagged)} items: {names}{' and more' if len(flagged) > 20 else ''}."
    ]
    if phrases:
        recur = f"{len(phrases)} phrases recur" if len(phrases) > 1 else "One phrase recurs"
        said.append(
            f"{recur} in them: guidelines.proposed.yaml of the round has a rule for the author to accept."
        )
    elif "proposed" in content:
        said.append("No phrase recurs in them that stands in no other answer: no rule is proposed.")
    if again:
        said.append(
            f"{again['asked']} of these answers were asked for again on select; {again['came']} came again."
        )
    return said


def _failures(content: Mapping[str, Any]) -> list[str]:
    found = content.get("failures")
    if not found:
        return []
    if "undefined" in found:
        return [f"Kinds of failure were not compared: {found['undefined']}."]
    before, now = (interval(estimate_from(found[name]), signed=False) for name in ("before", "now"))
    return [
        f"Of the {found['items']} items of select that both runs have, {before} failed before and {now} do now."
    ]


def _verdicts(record: Record, content: Mapping[str, Any], before: Verdict) -> Table:
    now = record.verdict
    confirm = content["now"]["confirm"]
    rows: list[Row] = [
        ("verdict", *(VERDICTS["explored" if v.explored else v.outcome] for v in (before, now))),
        (f"gain in {record.metric}", *(interval(v.difference) for v in (before, now))),
        ("rung", *(v.rung or NONE for v in (before, now))),
        ("look", *(str(v.look) if v.look else NONE for v in (before, now))),
        ("level", *(percent(v.level) for v in (before, now))),
        ("items of confirm", f"{content['confirm']}", f"{confirm['fresh'] + confirm['before']}"),
        ("guidelines", content["guidelines"] or NONE, content["now"]["guidelines"] or NONE),
    ]
    guards = {(guard.suite, guard.metric): guard for guard in before.guards}
    for guard in now.guards:
        was = guards.get((guard.suite, guard.metric))
        name = f"guard {suite_title(guard.suite)}, {metric_title(guard.metric)}"
        rows.append((name, *(guard_word(one) if one else NONE for one in (was, guard))))
    return Table("This round and the one before it", ("what", content["run"], "this round"), tuple(rows))


def _taken(content: Mapping[str, Any]) -> Table:
    new = content["now"]["new"]
    users = content.get("live", {}).get("rows", 0)
    rows = (
        ("moved to tune: people saw them on confirm", f"{content['moved']['shown']}"),
        ("moved to tune: people corrected them", f"{content['moved']['corrected']}"),
        ("corrections learned", f"{content['corrections']['texts']}"),
        *((("answers that users corrected or liked, tuned on", f"{users}"),) if users else ()),
        ("preferences kept", f"{content['preferences']}"),
        *((f"new rows in {part}", f"{count}") for part, count in new.items()),
    )
    return Table("What was taken over", ("what", "rows"), rows)


def _fates(content: Mapping[str, Any]) -> Table:
    found = content.get("failures", {}).get("fates", ())
    rows = tuple(
        (mask(printable(one["name"])), one["fate"], interval(estimate_from(one["share"]), signed=False))
        for one in found
    )
    return Table("Kinds of failure of the round before", ("kind", "fate", "share that still fails"), rows)
