"""Second implementations of BLEU, chrF and ROUGE-L, written from the papers and from NIST's description."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction


def nist_tokens(text: str) -> list[str]:
    """Tokens as NIST's mteval-v13a makes them of plain Western text, lower-cased (its default)."""
    kept = ""
    text = f" {text} "
    for place, sign in enumerate(text):
        before, after = text[place - 1 : place], text[place + 1 : place + 2]
        if sign.isalnum() or sign.isspace() or ord(sign) > 127 or sign == "'":
            kept += sign
        elif sign in ".,":
            kept += sign if before.isdigit() and after.isdigit() else f" {sign} "
        elif sign == "-":
            kept += " - " if before.isdigit() else sign
        else:
            kept += f" {sign} "
    return kept.lower().split()


def nist_bleu(answers: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """Corpus BLEU-4 in points with the closest reference length (the shorter of two), no smoothing."""
    matches, counts = [0] * 4, [0] * 4
    length = wanted = 0
    for answer, good in zip(answers, references, strict=True):
        ours, theirs = nist_tokens(answer), [nist_tokens(text) for text in good]
        length += len(ours)
        wanted += min((abs(len(tokens) - len(ours)), len(tokens)) for tokens in theirs)[1]
        for order in range(1, 5):
            most: Counter[tuple[str, ...]] = Counter()
            for tokens in theirs:
                most |= Counter(zip(*(tokens[i:] for i in range(order)), strict=False))
            found = Counter(zip(*(ours[i:] for i in range(order)), strict=False))
            matches[order - 1] += sum(min(count, most[gram]) for gram, count in found.items())
            counts[order - 1] += sum(found.values())
    precision = math.prod(m / c for m, c in zip(matches, counts, strict=True)) ** 0.25
    return 100 * precision * (1.0 if length > wanted else math.exp(1 - wanted / length))


def chrf2(answer: str, reference: str) -> float:
    """Sentence chrF2 in points, exact fractions, over the orders that both texts have."""
    ours, theirs = re.sub(r"\s", "", answer), re.sub(r"\s", "", reference)
    precision: list[Fraction] = []
    recall: list[Fraction] = []
    for order in range(1, 7):
        a = [ours[i : i + order] for i in range(len(ours) - order + 1)]
        b = [theirs[i : i + order] for i in range(len(theirs) - order + 1)]
        if a and b:
            shared = sum(min(a.count(gram), b.count(gram)) for gram in set(a))
            precision.append(Fraction(shared, len(a)))
            recall.append(Fraction(shared, len(b)))
    p, r = sum(precision) / len(precision), sum(recall) / len(recall)
    return float(100 * 5 * p * r / (4 * p + r)) if p + r else 0.0


def rouge_l(answer: str, reference: str) -> float:
    """ROUGE-L F1 in points: longest common subsequence by plain recursion over prefixes."""
    ours, theirs = (re.findall(r"[a-z0-9]+", text.lower()) for text in (answer, reference))
    rows = [[0] * (len(theirs) + 1) for _ in range(len(ours) + 1)]
    for i, word in enumerate(ours, 1):
        for j, other in enumerate(theirs, 1):
            rows[i][j] = rows[i - 1][j - 1] + 1 if word == other else max(rows[i - 1][j], rows[i][j - 1])
    longest = rows[-1][-1]
    return 200.0 * longest / (len(ours) + len(theirs)) if longest else 0.0
