"""Whether a text carries a run's watermark: the detector, and what it finds in the run's own record."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trimtab import stats
from trimtab.adjust.stack import BASE
from trimtab.adjust.watermark import Watermark
from trimtab.errors import RunError, UserError
from trimtab.model import load
from trimtab.model.watermark import evidence
from trimtab.records import NAN
from trimtab.run import RunFolder
from trimtab.rungs import disclosed
from trimtab.stats.distributions import normal_tail

# Tokens that must count before anything is said, and characters of a text that are read.
LEAST, MOST = 16, 1_000_000
# From which p-value on the record's texts are called marked.
ALPHA = 0.01
FILE = "verified.json"
METHODS = {
    "green-list": "exact binomial test of green tokens, each pair of tokens counted once (Kirchenbauer et al. 2023)",
    "synthid": "z test of the weighted mean of won rounds, each context counted once (Dathathri et al. 2024)",
}


@dataclass(frozen=True, slots=True)
class Detection:
    """What a text shows of a watermark.

    Attributes:
        key: the name of the secret key.
        tokens: of the text; counted: those that the test rests on.
        value: mean of what counts; expected: what it is on average without the mark.
        z: distance from it in standard deviations; p_value: probability of this or more without the mark, one-sided.
        undefined: why there is no p-value.
    """

    scheme: str
    key: str
    tokens: int
    counted: int
    value: float
    expected: float
    z: float
    p_value: float
    method: str
    undefined: str = ""


def detect(watermark: Watermark, tokenizer: Any, text: str) -> Detection:
    """Look for a watermark in a text, which is cut into tokens anew.

    Raises:
        UserError: the text is too long.
    """
    if len(text) > MOST:
        raise UserError(f"the text has {len(text)} characters, at most {MOST} are read", "give a part of it")
    return of_tokens(watermark, tokenizer(text.strip(), add_special_tokens=False)["input_ids"])


def of_tokens(watermark: Watermark, tokens: Sequence[int]) -> Detection:
    """Look for a watermark in the tokens of a text."""
    seen, scheme = evidence(watermark.mark, tokens), watermark.mark.scheme
    n = len(seen.values)
    known = (scheme, watermark.key_name, len(tokens), n)
    if n < LEAST:
        why = f"{n} tokens count, at least {LEAST} are needed"
        return Detection(*known, NAN, seen.mean, NAN, NAN, METHODS[scheme], why)
    value = float(seen.values.mean())
    z = (value - seen.mean) / (seen.sd / n**0.5)
    exact = scheme == "green-list"
    p_value = stats.binomial_test(int(seen.values.sum()), n, seen.mean) if exact else normal_tail(z)
    return Detection(*known, value, seen.mean, z, p_value, METHODS[scheme])


def verify(folder: RunFolder, text: str) -> Detection:
    """Look for a run's watermark in a text; no weights are loaded.

    Raises:
        RunError: the run has no watermark. UserError: the text is too long.
    """
    watermark = disclosed.of(folder.path)
    return detect(watermark, load.tokenizer(folder.recipe()["model"])[0], text)


def record(folder: RunFolder) -> dict[str, Any]:
    """What the detector finds in a run's own record on select, kept as `verified.json`: counts, no texts.

    Marked are the answers of the stack that the verdict is about; unmarked the base model's answers, and the good
    answers that the rows came with. One of each an item.

    Raises:
        RunError: the run has no watermark, no verdict, or its verdict is about no stack.
    """
    watermark = disclosed.of(folder.path)
    stack = folder.verdict().stack
    if stack == BASE:
        raise RunError(f"{folder.path}: its verdict is about no stack", "give a text to verify")
    tokenizer = load.tokenizer(folder.recipe()["model"])[0]
    texts = {
        "answers": _answers(folder, stack),
        "base answers": _answers(folder, BASE),
        "references": [
            row["references"][0] for row in folder.rows("examples.jsonl") if row.get("references")
        ],
    }
    found = {
        "scheme": watermark.mark.scheme,
        "key": watermark.key_name,
        "stack": stack,
        "alpha": ALPHA,
        "least": LEAST,
        "method": METHODS[watermark.mark.scheme],
        "texts": {
            name: _counted(detect(watermark, tokenizer, t) for t in some) for name, some in texts.items()
        },
    }
    folder.write(FILE, found)
    return found


def _answers(folder: RunFolder, stack: str) -> list[str]:
    """The first answer to each item."""
    first: dict[str, str] = {}
    for row in folder.rows(f"trials/{stack}/outputs.jsonl"):
        first.setdefault(row["example"], row["text"])
    return list(first.values())


def _counted(found: Iterable[Detection]) -> dict[str, Any]:
    every = list(found)
    tested = [one for one in every if not one.undefined]
    below = sum(one.p_value < ALPHA for one in tested)
    return {
        "texts": len(every),
        "too_short": len(every) - len(tested),
        "found": stats.wilson(below, len(tested)),
        "counted": statistics.median(one.counted for one in tested) if tested else None,
    }


def text_of(source: str) -> str:
    """The text of a file where there is one of that name, else the words themselves.

    Raises:
        UserError: the file is no text, or too long.
    """
    try:
        path = Path(source)
        if len(source) > 4096 or not path.is_file():
            return source
        if path.stat().st_size > 4 * MOST:
            raise UserError(
                f"{source}: {path.stat().st_size} bytes, at most {4 * MOST} are read", "give a part of it"
            )
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise UserError(f"{source}: not a text in UTF-8", "give a text file") from None
    except (OSError, ValueError):
        # A text that can be no name of a file.
        return source
