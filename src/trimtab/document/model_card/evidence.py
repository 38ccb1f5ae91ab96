"""What was measured: the verdict with what it was read from, strength, and where the answers fail."""

from __future__ import annotations

from collections.abc import Iterator

from trimtab.document import doses, probed, tables, words
from trimtab.document.charts import Mark, Threshold
from trimtab.document.figures import interval, percent, significant
from trimtab.document.limits import limits
from trimtab.document.model_card.facts import Facts, shown, undeclared, unknown
from trimtab.document.pictures import Bars
from trimtab.document.record import metric_title, suite_title
from trimtab.document.report import TONES
from trimtab.document.samples import Samples
from trimtab.document.sections import Row, Section, Table
from trimtab.records import Comparison
from trimtab.run import estimate_from

WARNINGS = {
    "hold": "Not a release. The verdict is hold: the evidence speaks against this adjustment.",
    "inconclusive": "Not a release. The verdict is inconclusive: it is not shown that this adjustment helps and harms "
    "nothing.",
    "explored": "Not a release. This run was explored only: nothing was tested on items that were kept apart.",
}


def warning(facts: Facts) -> str:
    """Why this may not be released; empty where it may."""
    if facts.tainted is not None:
        erased = facts.tainted
        return (
            f"Not to be used. It learned from {erased['rows']} rows that were erased on {erased['date']} (request "
            f"{shown(erased['request'])}), and must be trained again without them."
        )
    return WARNINGS.get(words.kind(facts.record), "")


def verdict(facts: Facts) -> Section:
    """The verdict, what it means, and every comparison that it was read from."""
    record = facts.record
    target = words.judged(record)
    reasons = (shown(reason).partition(": ") for reason in record.verdict.reasons)
    said = (
        f"{words.VERDICTS[words.kind(record)]}: {shown(words.headline(record))}.",
        words.meaning(record),
        *(shown(note) for one in _all(facts, target) for note in one.notes),
    )
    found = (
        Table("Reasons", ("of", "reason"), tuple((of, why or "-") for of, _, why in reasons)),
        Table("How it was decided", ("what", "value"), _decided(facts)),
        tables.comparisons(record, target),
    )
    data = {"verdict": record.verdict, "seed": record.provenance.get("seed")}
    kept = tuple(table for table in found if table.rows)
    return Section("verdict", "Verdict", said, kept, data, tuple(_drawn(facts, target)))


def use(facts: Facts) -> Section:
    """What it is meant for, as far as anybody says, and what its figures cannot show."""
    record, goal, rules = facts.record, facts.record.goal, facts.guidelines
    data = record.recipe.get("data")
    instruction = shown(data.get("instruction")) if isinstance(data, dict) else ""
    rows: tuple[Row, ...] = (
        ("creator", shown(facts.declared.creator) or undeclared("creator")),
        ("language", shown(facts.declared.language) or undeclared("language")),
        ("intended use", shown(facts.declared.uses) or undeclared("intended use")),
        ("what every prompt begins with", instruction or "nothing"),
        (
            "what was to improve",
            f"{record.metric}: {goal.get('question') or unknown('the run recorded no question')}",
        ),
        ("readers, by the guidelines", shown(rules.get("audience")) or _from_rules(rules, "audience")),
        ("tone, by the guidelines", shown(rules.get("tone")) or _from_rules(rules, "tone")),
    )
    lines = tuple((f"{number}", shown(limit)) for number, limit in enumerate(limits(record, Samples()), 1))
    found = (Table("Use", ("what", "value"), rows), Table("Limits", ("number", "limit"), lines))
    data_of = {"uses": facts.declared.uses, "limits": [line for _, line in lines]}
    return Section("use", "Intended use and limits", (), found, data_of)


def failures(facts: Facts) -> Section:
    """Kinds of failure by their terms, as the run's probe found them; no text of an item."""
    part = probed.kept(facts.record.folder).get("deviations")
    title = "Known failures"
    if part is None:
        missing = unknown("trimtab probe RUN finds kinds of failure")
        return Section("failures", title, (f"Where the answers fail is {missing}.",))
    found = part["section"]["data"]
    clusters = found.get("clusters") or ()
    rows: tuple[Row, ...] = tuple(
        (
            shown(one["name"]),
            f"{len(one['items']):,}",
            interval(estimate_from(one["share"]), signed=False),
            ", then ".join(one["advice"]["rungs"]),
        )
        for one in clusters
    )
    failing = estimate_from(found["failing"])
    whose = "the base model" if part["stack"] == "base" else f"stack {part['stack']}"
    said = (
        f"Of {found['n']:,} items of select, {interval(failing, signed=False)} fail ({whose}; {percent(failing.level)} "
        f"interval, {failing.method}; seed {found['seed']}). A kind is named by the words that stand in it more than "
        "elsewhere.",
    )
    table = Table("Kinds of failure", ("kind", "items", "share of all", "try"), rows)
    data = {
        "failing": found["failing"],
        "clusters": [{"name": one["name"], "share": one["share"]} for one in clusters],
    }
    return Section("failures", title, said, (table,) if rows else (), data)


def dose(facts: Facts) -> Section:
    """What less and more of the adjustment does, where it was measured."""
    record = facts.record
    content = record.folder.read("dose.json") if record.folder.has("dose.json") else {}
    title = "Dose"
    if not content.get("doses"):
        missing = unknown("trimtab dose RUN measures it")
        return Section("dose", title, (f"What less and more of it does is {missing}.",))
    gain = estimate_from(content["doses"][-1]["target"]["difference"])
    said = [doses.summary(content, record.metric), f"Each on {gain.n:,} items of select ({gain.method})."]
    if content["stack"] != facts.stack:
        said.append(f"Stack studied: {content['stack']}, which is not the one that the verdict is about.")
    data = {name: content[name] for name in ("smallest_effective", "first_harmful", "level", "stack")}
    return Section("dose", title, tuple(said), (doses.table(record, content["doses"]),), data)


def _decided(facts: Facts) -> tuple[Row, ...]:
    verdict = facts.record.verdict
    sampling = facts.record.recipe.get("sampling")
    seeds = sampling.get("seeds", 1) if isinstance(sampling, dict) else 1
    looked = verdict.look > 0
    seed = facts.record.provenance.get("seed")
    return (
        ("outcome", "explored, not decided" if verdict.explored else verdict.outcome),
        ("decided by", "people" if verdict.decided_by == "people" else f"the metric {facts.record.metric}"),
        ("stack", facts.stack or "none"),
        ("rung", verdict.rung or unknown("the run recorded none")),
        ("part of the data", facts.record.judged_on),
        ("look at confirm", f"number {verdict.look}" if looked else "none was taken"),
        ("level of the intervals", percent(verdict.level)),
        ("seed", unknown("the run recorded none") if seed is None else f"{seed}"),
        ("answers to each item", f"{seeds}"),
    )


def _all(facts: Facts, target: Comparison | None) -> list[Comparison]:
    return [*([target] if target else []), *(guard.comparison for guard in facts.record.verdict.guards)]


def _drawn(facts: Facts, target: Comparison | None) -> Iterator[Bars]:
    record = facts.record
    if target is not None:
        gain = significant(record.min_gain)
        label = f"smallest gain worth having: {gain}" if record.min_gain else "no gain"
        mark = _mark(target, record.metric, record.min_gain)
        title = f"Gain in {record.metric}"
        yield Bars("card-target", title, (mark,), Threshold(record.min_gain, label))
    for number, guard in enumerate(record.verdict.guards, 1):
        if guard.by_construction:
            continue
        name = f"{suite_title(guard.suite)}, {metric_title(guard.metric)}"
        margin = Threshold(-guard.margin, f"largest loss allowed: {significant(guard.margin)}")
        mark = _mark(guard.comparison, name, -guard.margin)
        yield Bars(f"card-guard-{number}", f"Change in {name}", (mark,), margin)


def _mark(compared: Comparison, name: str, against: float) -> Mark:
    label = interval(compared.difference, against, 0.0)
    return Mark(label, compared.difference, TONES.get(compared.outcome, "open"), name)


def _from_rules(rules: object, key: str) -> str:
    if not rules:
        return "no guidelines"
    return unknown(f"say it as {key} in the guidelines")
