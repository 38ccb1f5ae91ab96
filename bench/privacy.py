"""Personal data found in `dirty_pii`, per type, beside stock Presidio on the same texts with the same matching.

    python bench/privacy.py [--data FOLDER] [--json FILE]
    python bench/privacy.py --sets [--data FOLDER]

A true span counts as found if a find, of whatever type, overlaps it by at least half of the longer of the two; a find
counts as right by the same rule. The looser rule, any overlap, stands beside it. Templates are halved by a hash: our
patterns were developed on one half, the other is given apart. Stock Presidio has its defaults and the same spaCy model.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import record
from trimtab.audit.privacy.detect import Detector, check
from trimtab.audit.privacy.names import installed
from trimtab.audit.rows import rows as rows_of
from trimtab.language.personal.scan import patterns

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
COMPARED = ("EMAIL_ADDRESS", "CREDIT_CARD", "IBAN_CODE", "IP_ADDRESS", "PHONE_NUMBER", "URL")
REPEATS = 5
# Most of their rows are about things, so that most finds in them are false or no private person's.
SETS = (
    "e2e_nlg/lora_train.txt.gz",
    "banking77/train.csv.gz",
    "medquad_small/qa.jsonl.gz",
    "hotel_agent/dstc11_grounded.jsonl.gz",
    "style_onestop/pairs.jsonl.gz",
)
READ = 50
SEED = 0
Found = tuple[int, int, str]
Finder = Callable[[Sequence[str]], list[list[Found]]]


def rows(folder: Path) -> list[dict[str, Any]]:
    with gzip.open(folder / "dirty_pii" / "presidio_synth.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def developed(row: dict[str, Any]) -> bool:
    """Whether a row's template was looked at when the patterns were written."""
    return hashlib.sha256(str(row["template_id"]).encode()).digest()[0] % 2 == 0


def half(one: Sequence[Any], other: Sequence[Any]) -> bool:
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return shared > 0 and 2 * shared >= max(one[1] - one[0], other[1] - other[0])


def touching(one: Sequence[Any], other: Sequence[Any]) -> bool:
    return min(one[1], other[1]) > max(one[0], other[0])


def count(
    texts: list[dict[str, Any]],
    found: list[list[Found]],
    rule: Callable[[Sequence[Any], Sequence[Any]], bool],
) -> dict[str, Any]:
    """Recall by true type, precision by found type, and both overall."""
    true, hit, right, all_found = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for row, ones in zip(texts, found, strict=True):
        spans = [(span["start"], span["end"], span["type"]) for span in row["spans"]]
        for span in spans:
            true[span[2]] += 1
            hit[span[2]] += any(rule(span, one) for one in ones)
        for one in ones:
            all_found[one[2]] += 1
            right[one[2]] += any(rule(span, one) for span in spans)
    return {
        "recall": hit.total() / true.total(),
        "precision": right.total() / max(1, all_found.total()),
        "spans": true.total(),
        "finds": all_found.total(),
        "types": {kind: {"spans": true[kind], "recall": hit[kind] / true[kind]} for kind in sorted(true)},
        "found": {kind: {"finds": n, "precision": right[kind] / n} for kind, n in sorted(all_found.items())},
    }


def by_patterns(texts: Sequence[str]) -> list[list[Found]]:
    return [[(one.start, one.end, one.type) for one in patterns(text, 0.4)] for text in texts]


def by_detector() -> Finder:
    detector = Detector(names=True)
    return lambda texts: [[(one.start, one.end, one.type) for one in ones] for ones in detector.find(texts)]


def by_stock(model: str) -> Finder:
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    models = [{"lang_code": "en", "model_name": model}]
    engine = NlpEngineProvider(
        nlp_configuration={"nlp_engine_name": "spacy", "models": models}
    ).create_engine()
    analyzer = AnalyzerEngine(nlp_engine=engine)
    return lambda texts: [
        [(one.start, one.end, one.entity_type) for one in analyzer.analyze(text, "en")] for text in texts
    ]


def by_recognisers() -> Finder:
    """The pattern recognisers of Presidio for the compared types, called directly: no language model, no context."""
    from presidio_analyzer import predefined_recognizers as known

    made = [
        kind()
        for kind in (
            known.EmailRecognizer, known.CreditCardRecognizer, known.IbanRecognizer, known.IpRecognizer,
            known.PhoneRecognizer, known.UrlRecognizer,
        )
    ]  # fmt: skip
    return lambda texts: [
        [
            (r.start, r.end, r.entity_type)
            for one in made
            for r in one.analyze(text, one.supported_entities, None) or ()
        ]
        for text in texts
    ]


def agreement(ours: list[list[Found]], theirs: list[list[Found]]) -> dict[str, dict[str, int]]:
    """For each compared type, how many finds of one have a find of that type of the other at the same place."""
    table = {kind: Counter[str]() for kind in COMPARED}
    for mine, other in zip(ours, theirs, strict=True):
        for kind in COMPARED:
            a, b = [one for one in mine if one[2] == kind], [one for one in other if one[2] == kind]
            table[kind].update(
                ours=len(a),
                stock=len(b),
                ours_also_stock=sum(any(half(one, two) for two in b) for one in a),
                stock_also_ours=sum(any(half(one, two) for two in a) for one in b),
                stock_also_ours_of_any_type=sum(any(half(one, two) for two in mine) for one in b),
            )
    return {kind: dict(counts) for kind, counts in table.items()}


def rate(find: Finder, texts: Sequence[str]) -> float:
    """Texts a second of processor time on one core, the best of some repeats."""
    find(texts[:50])
    best = float("inf")
    for _ in range(REPEATS):
        before = time.process_time()
        find(texts)
        best = min(best, time.process_time() - before)
    return len(texts) / best


def measure(folder: Path) -> dict[str, Any]:
    data = rows(folder)
    texts = [row["text"] for row in data]
    model = installed()
    if model is None:
        raise SystemExit("no spaCy model of English is installed")
    arms: dict[str, Finder] = {"stock": by_stock(model), "ours": by_detector(), "patterns": by_patterns}
    result: dict[str, Any] = {"model": model, "arms": {}}
    for name, find in arms.items():
        found = find(texts)
        parts = {"whole": data, "held out": [row for row in data if not developed(row)]}
        parts["developed on"] = [row for row in data if developed(row)]
        kept = {part: {id(row) for row in some} for part, some in parts.items()}
        for part, some in parts.items():
            ones = [one for row, one in zip(data, found, strict=True) if id(row) in kept[part]]
            result["arms"].setdefault(name, {})[part] = {
                rule.__name__: count(some, ones, rule) for rule in (half, touching)
            }
        result["arms"][name]["texts per second"] = rate(find, texts)
    recognisers = by_recognisers()
    result["agreement"] = agreement(by_patterns(texts), recognisers(texts))
    result["recognisers per second"] = rate(recognisers, texts)
    return result


def shape(text: str) -> str:
    """A text with each letter as X or x and each figure as 0."""
    return re.sub(r"\d", "0", re.sub(r"[^\W\d_]", lambda c: "X" if c[0].isupper() else "x", text))


def excerpt(text: str, start: int, end: int, kind: str) -> str:
    """What stands around a find, and its shape."""
    before, after = text[max(0, start - 60) : start], text[end : end + 40]
    return " ".join(f"{before}[{kind} {shape(text[start:end])}]{after}".split())


def sets(folder: Path, out: Path) -> str:
    """What the audit's row check finds in sets without many people, as a table; samples go to a folder."""
    lines = [
        "| set | rows | rows with a find | finds | per 1,000 rows | types |",
        "|---|---|---|---|---|---|",
    ]
    for name in SETS:
        kinds, shown, count, flagged = Counter[str](), list[str](), 0, 0
        for row in rows_of(str(folder / name)):
            texts = {text.field: text.text for text in row.texts}
            spans = [hit.span for hit in check(row) if hit.span]
            kinds.update(span.type for span in spans)
            shown += [
                f"row {row.number} {span.field}: "
                + excerpt(texts.get(span.field, ""), span.start, span.end, span.type)
                for span in spans
            ]
            count, flagged = count + 1, flagged + bool(spans)
        sample = random.Random(SEED).sample(shown, min(READ, len(shown)))
        out.mkdir(parents=True, exist_ok=True)
        short = name.partition("/")[0]
        (out / f"privacy_{short}.txt").write_text("".join(f"{line}\n" for line in sample), encoding="utf-8")
        types = ", ".join(f"{kind} {n:,}" for kind, n in kinds.most_common())
        lines.append(
            f"| {short} | {count:,} | {flagged:,} | {len(shown):,} | {1000 * len(shown) / count:.1f} | {types} |"
        )
    return "\n".join(lines)


def markdown(result: dict[str, Any]) -> str:
    arms = result["arms"]
    lines = [
        f"874 texts, {arms['ours']['whole']['half']['spans']} spans; model {result['model']}. "
        "Recall by true type; a find of any type counts if it overlaps by at least half of the longer.",
        "",
        "| | spans | stock Presidio | ours | ours, held-out templates | ours, patterns only |",
        "|---|---|---|---|---|---|",
    ]
    whole = {name: arm["whole"]["half"] for name, arm in arms.items()}
    held = arms["ours"]["held out"]["half"]
    for kind, ours in whole["ours"]["types"].items():
        other = held["types"].get(kind)
        shown = f"{other['recall']:.2f} of {other['spans']}" if other else "none"
        stock, bare = whole["stock"]["types"][kind], whole["patterns"]["types"][kind]
        lines.append(
            f"| {kind} | {ours['spans']} | {stock['recall']:.2f} | {ours['recall']:.2f} | {shown} "
            f"| {bare['recall']:.2f} |"
        )
    for title, rule, name in (
        ("recall, all types", "half", "recall"),
        ("precision", "half", "precision"),
        ("recall, any overlap", "touching", "recall"),
        ("precision, any overlap", "touching", "precision"),
    ):
        cells = [arms[arm]["whole"][rule][name] for arm in ("stock", "ours")]
        cells += [arms["ours"]["held out"][rule][name], arms["patterns"]["whole"][rule][name]]
        lines.append(f"| **{title}** | | " + " | ".join(f"{cell:.3f}" for cell in cells) + " |")
    speeds = [arms[arm]["texts per second"] for arm in ("stock", "ours")]
    lines.append(
        f"| texts/s, one core | | {speeds[0]:,.0f} | {speeds[1]:,.0f} | | {arms['patterns']['texts per second']:,.0f} |"
    )
    lines += [
        "",
        "| precision by found type | stock finds | stock | our finds | ours |",
        "|---|---|---|---|---|",
    ]
    for kind in sorted(whole["stock"]["found"] | whole["ours"]["found"]):
        cells = []
        for arm in ("stock", "ours"):
            some = whole[arm]["found"].get(kind)
            cells.append(f"{some['finds']} | {some['precision']:.2f}" if some else "0 | ")
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    lines += [
        "",
        f"Presidio's six recognisers called directly: {result['recognisers per second']:,.0f} texts/s.",
        "",
        "| same find | stock | of these ours too | ours as another type | ours | of these stock too |",
        "|---|---|---|---|---|---|",
    ]
    for kind, n in result["agreement"].items():
        other = n["stock_also_ours_of_any_type"] - n["stock_also_ours"]
        lines.append(
            f"| {kind} | {n['stock']} | {n['stock_also_ours']} | {other} | {n['ours']} | {n['ours_also_stock']} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--json", type=Path, default=record.OUT / "privacy.json")
    parser.add_argument("--sets", action="store_true", help="count finds in sets that hold few people")
    options = parser.parse_args()
    if options.sets:
        print(sets(options.data, record.OUT))
        return
    result = measure(options.data)
    record.write(result, options.json)
    print(markdown(result))


if __name__ == "__main__":
    main()
