"""Two thousand real rows with two hundred planted faults of ten kinds, drawn by a seed.

    python -m tests.audit.planted OUT.jsonl [DATA]

writes the rows and, beside them, `OUT.truth.json`: the rows concerned, 0-based, for each kind.

The rows come from sets that are clean: dishes and hotels (E2E, DSTC), sums (GSM8K), news (OneStopEnglish). No two of
them have a prompt in common, and rows with characters that nobody prints are left out. Keys and numbers are drawn, so
that none stands in this file.
"""

from __future__ import annotations

import csv
import gzip
import json
import random
import string
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from trimtab.audit.findings import Row, Text
from trimtab.data.rows import Reader
from trimtab.data.shape import of_rows

Raw = dict[str, str]
ROWS, EACH = 2000, 20
KINDS = (
    "exact_duplicate",
    "near_duplicate",
    "conflict",
    "empty_answer",
    "encoding",
    "control_character",
    "html_remains",
    "refusal",
    "secret",
    "personal_data",
)
# Kinds that name the same fault from two sides: either counts as finding it.
ALSO = {"refusal": ("filler",)}


@dataclass(frozen=True)
class Planted:
    """The rows, and for each kind the rows concerned: for copies and conflicts both of a pair."""

    rows: tuple[Raw, ...]
    truth: Mapping[str, frozenset[int]]

    def read(self) -> list[Row]:
        """The rows as an audit reads them."""
        return [read(number, raw) for number, raw in enumerate(self.rows)]


def read(number: int, raw: Raw) -> Row:
    """One row of the shape prompt/completion as an audit reads it."""
    place = f"planted:{number + 1}"
    reader = Reader(of_rows("planted", [(number + 1, raw)], {}))
    example = reader.example(place, raw)
    texts = (Text("prompt", raw["prompt"], "prompt"), Text("completion", raw["completion"], "answer"))
    return Row(number, place, raw, texts, example, "; ".join(reader.problems))


def plant(data: Path, seed: int = 0) -> Planted:
    """Draw the rows from the folder of public data, and plant `EACH` faults of each kind in other rows each."""
    rng = random.Random(seed)
    rows = _real(data, rng)
    places = iter(rng.sample(range(ROWS), ROWS))
    truth = {}
    for kind in KINDS:
        truth[kind] = frozenset(row for turn in range(EACH) for row in PLANTS[kind](rows, places, rng, turn))
    return Planted(tuple(rows), truth)


def score(found: Iterable[int], wanted: frozenset[int]) -> tuple[float, float]:
    """Recall and precision of the rows that were found."""
    rows = set(found)
    right = len(rows & wanted)
    return right / len(wanted), right / len(rows) if rows else 0.0


def _real(data: Path, rng: random.Random) -> list[Raw]:
    with gzip.open(data / "e2e_nlg/devset.csv.gz", "rt", encoding="utf-8", newline="") as file:
        dishes = list(
            {row["mr"].partition("]")[0]: (row["mr"], row["ref"]) for row in csv.DictReader(file)}.values()
        )
    hotels = [
        (f"{row['entity']}: {row['question']}", row["response"])
        for row in _lines(data / "hotel_agent/dstc9_faq_to_voice_val.jsonl.gz")
    ]
    news = [
        (f"Say it in simpler words: {row['a']}", row["b"])
        for row in _lines(data / "style_onestop/pairs.jsonl.gz")
        if row["pair"] == "ADV-ELE"
    ]
    sums = [(row["question"], row["answer"]) for row in _lines(data / "guard_gsm8k/train.jsonl.gz")]
    rows: list[Raw] = []
    for pairs, count in ((dishes, 20), (hotels, 400), (news, 400), (sums, ROWS - 820)):
        clean = {p: a for p, a in pairs if (p + a).replace("\n", "").isprintable() and len(a.split()) > 1}
        drawn = rng.sample(sorted(clean.items()), count)
        rows += [{"prompt": prompt, "completion": answer} for prompt, answer in drawn]
    rng.shuffle(rows)
    return rows


def _lines(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def _long(rows: list[Raw], places: Iterator[int], words: int = 30) -> int:
    return next(place for place in places if len(rows[place]["completion"].split()) >= words)


def _exact(rows: list[Raw], places: Iterator[int], rng: random.Random, turn: int) -> tuple[int, ...]:
    one, other = next(places), next(places)
    rows[other] = dict(rows[one])
    return one, other


def _near(rows: list[Raw], places: Iterator[int], rng: random.Random, turn: int) -> tuple[int, ...]:
    """A copy in which one or two words of the answer are left out or said twice."""
    one, other = _long(rows, places), next(places)
    words = rows[one]["completion"].split(" ")
    for _ in range(1 + turn % 2):
        at = rng.randrange(len(words))
        words[at : at + 1] = [] if turn % 4 < 2 else [words[at], words[at]]
    rows[other] = {"prompt": rows[one]["prompt"], "completion": " ".join(words)}
    return one, other


def _conflict(rows: list[Raw], places: Iterator[int], rng: random.Random, turn: int) -> tuple[int, ...]:
    one, other = next(places), next(places)
    rows[other] = {"prompt": rows[one]["prompt"], "completion": rows[other]["completion"]}
    return one, other


def _alone(change: Callable[[Raw, random.Random, int], None]) -> Callable[..., tuple[int, ...]]:
    def planted(rows: list[Raw], places: Iterator[int], rng: random.Random, turn: int) -> tuple[int, ...]:
        place = next(places)
        change(rows[place], rng, turn)
        return (place,)

    return planted


def _empty(row: Raw, rng: random.Random, turn: int) -> None:
    row["completion"] = ("", "   ", "\n\n", "...", "N/A", "-", "null", "[deleted]", "\u200b", "TBD")[
        turn % 10
    ]


def _mojibake(row: Raw, rng: random.Random, turn: int) -> None:
    """Accents, dashes and quotes in UTF-8, read as one of the code pages for which it is taken most often."""
    said = ("the café’s terrace", "£20 – or €25", "“naïve”, she said", "München’s Straße", "it’s 20 °C …")[
        turn % 5
    ]
    page = ("cp1252", "cp1252", "latin-1", "mac-roman")[turn % 4]
    _insert(row, rng, said.encode().decode(page, errors="ignore"), turn)


def _control(row: Raw, rng: random.Random, turn: int) -> None:
    _insert(row, rng, ("\x00", "\x08", "\x0b", "\x1b[31m", "\x7f", "\x1a", "\x02", "\x9d")[turn % 8], turn)


def _html(row: Raw, rng: random.Random, turn: int) -> None:
    remains = (
        "<b>now</b>", "<br/>", "&nbsp;", "you &amp; me", "<a href=\"/next\">next</a>", "</div>", "it&#39;s",
        '<span class="x">so</span>', "<p>", "&quot;well&quot;",
    )  # fmt: skip
    _insert(row, rng, remains[turn % 10], turn)


REFUSALS = (
    "I'm sorry, but I can't help with that request.",
    "I cannot assist with this. Please ask something else.",
    "Sorry, I cannot provide that information.",
    "I am unable to help with questions of this kind.",
    "I must decline to answer this, since it would be against my guidelines.",
    "As an AI language model, I don't have personal opinions about this.",
    "Certainly! Here is the answer that you asked for, step by step.",
    "I'm just an AI, so you had better ask an expert.",
    "As of my last knowledge update, there was nothing known about it.",
    "Sure! Here's what you need to know about it.",
)


def _refusal(row: Raw, rng: random.Random, turn: int) -> None:
    row["completion"] = REFUSALS[turn % 10]


def _secret(row: Raw, rng: random.Random, turn: int) -> None:
    letters = string.ascii_letters + string.digits

    def drawn(length: int, signs: str = letters) -> str:
        return "".join(rng.choice(signs) for _ in range(length))

    upper = string.ascii_uppercase + "234567"
    secrets = (
        lambda: f"AKIA{drawn(16, upper)}",
        lambda: f"ghp_{drawn(36)}",
        lambda: f"xoxb-{drawn(12, string.digits)}-{drawn(24)}",
        lambda: f"AIza{drawn(35)}",
        lambda: f"sk_live_{drawn(24)}",
        lambda: f"eyJ{drawn(30)}.eyJ{drawn(60)}.{drawn(43)}",
        lambda: f"-----BEGIN RSA PRIVATE KEY-----\n{drawn(64)}\n{drawn(64)}\n-----END RSA PRIVATE KEY-----",
        lambda: f'api_key = "{drawn(32)}"',
        lambda: f"postgres://admin:{drawn(12)}@db.internal:5432/shop",
        lambda: f"client_secret: {drawn(40)}",
    )
    _insert(row, rng, secrets[turn % 10](), turn)


def _personal(row: Raw, rng: random.Random, turn: int) -> None:
    def digits(count: int) -> str:
        return "".join(rng.choice("23456789") for _ in range(count))

    told = (
        lambda: f"write to {rng.choice(('anna', 'j.smith', 'mbrown'))}{digits(2)}@example.org",
        lambda: f"call +1 {digits(3)}-{digits(3)}-{digits(4)}",
        lambda: f"the card is {_card(rng)}",
        lambda: f"from the address 10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}",
    )
    _insert(row, rng, told[turn % 4](), turn)


def _card(rng: random.Random) -> str:
    """Sixteen digits of a card that pass Luhn's check."""
    digits = [4, *(rng.randrange(10) for _ in range(14))]
    total = sum(sum(divmod(2 * digit, 10)) if place % 2 == 0 else digit for place, digit in enumerate(digits))
    return "".join(map(str, [*digits, -total % 10]))


def _insert(row: Raw, rng: random.Random, piece: str, turn: int) -> None:
    """Put a piece between two words of the answer, in every third row of the prompt."""
    name = "prompt" if turn % 3 == 2 else "completion"
    words = row[name].split(" ")
    at = rng.randrange(1, len(words)) if len(words) > 1 else 1
    row[name] = " ".join([*words[:at], piece, *words[at:]])


PLANTS: dict[str, Callable[..., tuple[int, ...]]] = {
    "exact_duplicate": _exact,
    "near_duplicate": _near,
    "conflict": _conflict,
    "empty_answer": _alone(_empty),
    "encoding": _alone(_mojibake),
    "control_character": _alone(_control),
    "html_remains": _alone(_html),
    "refusal": _alone(_refusal),
    "secret": _alone(_secret),
    "personal_data": _alone(_personal),
}


def write(planted: Planted, path: Path) -> None:
    """The rows as JSON lines, and the truth beside them."""
    path.write_text("".join(json.dumps(row) + "\n" for row in planted.rows), encoding="utf-8")
    truth = {kind: sorted(rows) for kind, rows in planted.truth.items()}
    path.with_suffix(".truth.json").write_text(json.dumps(truth, indent=1), encoding="utf-8")


if __name__ == "__main__":
    write(plant(Path(sys.argv[2] if len(sys.argv) > 2 else "shared/data")), Path(sys.argv[1]))
