"""What the audit says of groups of people in real data, where it is known what is in it; and what it costs.

    python bench/groups.py            under a minute on one core
    python bench/groups.py --rows N   processor time of the count for N synthetic rows of bench/audit.py

WinoBias pairs forty occupations with he or she: by stereotype in its *pro* sentences, against it in its *anti* ones.
Each sentence holds two occupations, one stereotyped as a woman's and one as a man's; brackets tell whom the pronoun is
of. So it is read several ways: as it is, where each occupation stands beside both pronouns equally often by design and
nothing may be found; with the other occupation taken out, where the planted associations must show; pro and anti
together, where they must cancel. An occupation's stereotype is read from the brackets of the pro sentences.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import audit as synthetic
import record
from rows import SHARED
from trimtab.audit import audit
from trimtab.audit.groups import Groups
from trimtab.audit.rows import opened
from trimtab.groups.axes import attributed, attributes, words_of

BRACKETS = re.compile(r"\[([^\]]*)\]")
WOMEN = {"she", "her", "hers", "herself"}


def winobias() -> list[dict[str, Any]]:
    """The rows, as they lie there."""
    with gzip.open(SHARED / "bias_winobias" / "dev.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def occupation(text: str) -> str:
    """The entry of attributes.txt that a text holds, "" for none."""
    bits = attributed(words_of(text))
    return next((one.name for place, one in enumerate(attributes()) if bits >> place & 1), "")


def alone(text: str, jobs: Iterable[str]) -> str:
    """A sentence without the occupation that the pronoun is not of."""
    own = occupation(BRACKETS.findall(text)[0])
    for job in jobs:
        if job != own:
            text = re.sub(rf"\b[Tt]he {job}( worker)?\b", "somebody", text, flags=re.IGNORECASE)
    return text


def sections(texts: list[str]) -> dict[str, Any]:
    """What the audit says of some texts."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.jsonl")
        plain = (BRACKETS.sub(r"\1", text) for text in texts)
        path.write_text("".join(json.dumps({"text": text}) + "\n" for text in plain), encoding="utf-8")
        found = audit(str(path), workers=1)
    (section,) = (one for one in found.sections if one.name == "groups")
    return {**section.data, "findings": {one.kind: one.count for one in found.findings}}


def signs(data: dict[str, Any], truth: dict[str, str]) -> dict[str, int]:
    """Of the occupations: how many were compared, have the stereotype's sign, and an interval that excludes 0."""
    kept = {
        one["attribute"]: one
        for one in data["associations"]
        if one["groups"] == ["women", "men"] and one["attribute"] in truth
    }
    right = [
        one for job, one in kept.items() if one["value"] and (one["value"] > 0) == (truth[job] == "women")
    ]
    beyond = [one for one in kept.values() if one["low"] > 0 or one["high"] < 0]
    return {
        "compared": len(kept),
        "right sign": len(right),
        "right sign, interval without 0": sum(one in right for one in beyond),
        "interval without 0": len(beyond),
        "one_sided": sum(one["one_sided"] for one in kept.values()),
    }


def known() -> dict[str, Any]:
    """WinoBias, three ways."""
    rows = winobias()
    met: dict[str, Counter[str]] = {}
    for row in rows:
        if row["stereotype"] == "pro":
            whose, pronoun = BRACKETS.findall(row["text"])[:2]
            side = "women" if pronoun.lower() in WOMEN else "men"
            met.setdefault(occupation(whose), Counter())[side] += 1
    met.pop("", None)
    truth = {job: counts.most_common(1)[0][0] for job, counts in met.items()}
    by = {kind: [row["text"] for row in rows if row["stereotype"] == kind] for kind in ("pro", "anti")}
    ways = {
        "pro, as it is": by["pro"],
        "pro, its own occupation only": [alone(text, truth) for text in by["pro"]],
        "anti, its own occupation only": [alone(text, truth) for text in by["anti"]],
        "pro and anti, its own occupation only": [alone(text, truth) for kind in by for text in by[kind]],
    }
    found = {"occupations": len(truth)}
    return found | {
        way: {"sentences": len(texts), **signs(sections(texts), truth)} for way, texts in ways.items()
    }


def real(source: str, columns: dict[str, str] | None = None) -> dict[str, Any]:
    """Groups with their rows, share and sentiment, and the surest associations, of a source."""
    from trimtab.audit import Asked

    found = audit(source, Asked(columns=columns or {}), workers=1)
    said = next(
        (one.data for one in found.sections if one.name == "groups"), {"axes": {}, "associations": []}
    )
    groups = {
        name: {
            "answers": figures["answers"]["rows"],
            "share": figures["answers"]["value"],
            "sentiment": figures.get("sentiment"),
        }
        for axis in said["axes"].values()
        for name, figures in axis.items()
        if figures["answers"]["rows"]
    }
    strong = [one for one in said["associations"] if one["one_sided"]]
    return {
        "rows": found.rows,
        "findings": {
            one.kind: one.count for one in found.findings if one.kind in ("one_sided", "group_share")
        },
        "groups": groups,
        "associations": [
            f"{one['attribute']}: {' / '.join(one['groups'])} {one['value']:+.2f}" for one in strong
        ],
    }


def cost(count: int) -> dict[str, float]:
    """Processor time of the count, in parts as an audit has them, and of what is said at the end."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.jsonl")
        synthetic.write(path, synthetic.draw(count))
        read = opened(str(path))
        rows = [read.maker.row(number, one) for number, one in enumerate(read.records)]
    began = time.process_time()
    whole = Groups()
    for start in range(0, len(rows), 1000):
        part = Groups()
        for row in rows[start : start + 1000]:
            part.add(row)
        whole.join(part)
    counted = time.process_time()
    whole.findings()
    whole.sections()
    return {"rows": count, "count": counted - began, "figures": time.process_time() - counted}


def main() -> int:
    """Print the figures and write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=0)
    options = parser.parse_args()
    if options.rows:
        print(json.dumps(cost(options.rows)))
        return 0
    result = {"winobias": known()}
    result["bold"] = real(str(SHARED / "bias_bold" / "prompts.jsonl.gz"), {"text": "prompt"})
    result["e2e"] = real(str(SHARED / "e2e_nlg" / "lora_train.txt.gz"))
    result["hotel"] = real(str(SHARED / "hotel_agent" / "dstc9_faq_to_voice_val.jsonl.gz"))
    print(json.dumps(result, indent=1))
    record.write(result, record.OUT / "groups.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
