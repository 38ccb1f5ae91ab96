"""The verdict as plain text for a terminal: within 80 columns, without colour."""

from __future__ import annotations

import textwrap

from trimtab.document import augmentation, rounds, rungs
from trimtab.document.figures import duration, interval, known, percent, significant
from trimtab.document.masking import printable
from trimtab.document.record import Record, metric_title, read, suite_title
from trimtab.document.words import VERDICTS, guard_word, headline, judged, kind, next_step, raced
from trimtab.run import RunFolder

WIDTH = 79
INDENT = "  "
ASCII = str.maketrans({"−": "-", "–": "-", "…": "..."})


def summary(folder: RunFolder) -> str:
    """Verdict, target, guards, cost and next step of a finished run; lines of at most 79 characters,
    except that the page's path stays on one line.

    Raises:
        RunError: the run has no verdict yet, or a file of it is damaged.
    """
    record = read(folder)
    blocks = [
        _wrapped(f"{VERDICTS[kind(record)].upper()}: {headline(record)}.", ""),
        "\n".join([*_target(record), *_guards(record), *_facts(record)]),
        _wrapped(f"Next: {next_step(record)}", ""),
        f"Report: {record.folder.path / 'report.html'}",
    ]
    return printable("\n\n".join(block for block in blocks if block).translate(ASCII)) + "\n"


def _target(record: Record) -> list[str]:
    target = judged(record)
    if target is None:
        return []
    gain = interval(target.difference, record.min_gain, 0.0)
    outcome = "undefined" if target.difference.undefined else target.outcome
    line = f"target  {record.metric}: {gain}; smallest gain worth having {significant(record.min_gain)}; "
    line += f"{outcome} ({target.difference.n:,} items of {record.judged_on})"
    return [_wrapped(line)]


def _guards(record: Record) -> list[str]:
    lines = []
    for guard in record.verdict.guards:
        name = f"guard   {suite_title(guard.suite)}, {metric_title(guard.metric)}"
        if guard.by_construction:
            lines.append(_wrapped(f"{name}: held by construction"))
            continue
        change = interval(guard.comparison.difference, -guard.margin)
        lines.append(_wrapped(f"{name}: {change}; margin {significant(guard.margin)}; {guard_word(guard)}"))
    return lines


def _facts(record: Record) -> list[str]:
    lines = [_wrapped(f"round   {said}")] if (said := rounds.line(record)) else []
    if record.verdict.look > 0 and known(record.verdict.level):
        level = percent(record.verdict.level)
        lines.append(
            _wrapped(f"look    number {record.verdict.look} at this confirm set, intervals at {level}")
        )
    lines += [_wrapped(line) for line in rungs.lines(record)]
    if raced(record):
        lines.append(_wrapped(f"race    {raced(record)}"))
    lines += [_wrapped(f"augment {said}") for said in augmentation.effects(record)]
    stages = [seconds for seconds in (record.provenance.get("costs") or {}).values() if known(seconds)]
    if stages:
        lines.append(_wrapped(f"time    {duration(sum(stages))}"))
    return lines


def _wrapped(line: str, indent: str = INDENT) -> str:
    hang = indent + (" " * 8 if indent else "")
    return textwrap.fill(
        line,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=hang,
        break_long_words=True,
        break_on_hyphens=False,
    )
