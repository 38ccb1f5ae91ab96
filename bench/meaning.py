"""What the audit by meaning finds in real data whose truth is known, and how fast it reads on one core.

    python bench/meaning.py [speed|alike|topics|outliers|labels ...] [--data FOLDER] [--keep FOLDER] [--json FILE]

Truth is of others, or planted by a seed: banking77's intents say which questions mean the same and what their topics
are; style_onestop holds sentences at two levels of difficulty; MedQuAD says what a question is about and of which type;
5% of banking77's labels are flipped; twenty sentences of one set are put among a thousand of another. Vectors are kept
in --keep, so that a second run does not read the texts again. Times are of the processor, with one thread.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import record
from trimtab.audit.meaning import alike, labels, outliers, topics
from trimtab.audit.shingles import plain
from trimtab.model.sentences import default_encoder

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
LEASTS = (0.8, 0.85, 0.9, 0.95)
SEEDS = range(5)


class Sets:
    """The sets that are looked at, and their vectors."""

    def __init__(self, data: Path, keep: Path | None) -> None:
        self.data, self.keep = data, keep

    def banking(self) -> tuple[list[str], list[str]]:
        """Questions and intents."""
        with gzip.open(self.data / "banking77" / "train.csv.gz", "rt", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return [row["text"] for row in rows], [row["category"] for row in rows]

    def onestop(self) -> list[dict[str, str]]:
        """Sentences a and b, one the simpler wording of the other."""
        return self._lines("style_onestop/pairs.jsonl.gz")

    def medquad(self, count: int = 400) -> list[dict[str, str]]:
        """Some questions and answers, drawn by a seed."""
        rows = self._lines("medquad_small/qa.jsonl.gz")
        return [rows[place] for place in sorted(np.random.default_rng(0).permutation(len(rows))[:count])]

    def _lines(self, name: str) -> list[dict[str, str]]:
        with gzip.open(self.data / name, "rt", encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def vectors(self, name: str, texts: list[str]) -> np.ndarray:
        path = self.keep / f"{name}.npy" if self.keep else None
        if path and path.is_file():
            kept: np.ndarray = np.load(path)
            return kept
        said = [plain(text)[:2000] for text in texts]
        order = sorted(range(len(said)), key=lambda place: len(said[place]))
        parts = [order[at : at + 256] for at in range(0, len(order), 256)]
        found = np.zeros((len(said), 384), dtype=np.float32)
        for part in parts:
            found[part] = default_encoder().embed_all(tuple(said[place] for place in part))
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            np.save(path, found)
        return found


def speed(sets: Sets) -> dict[str, Any]:
    """Texts a second of the processor, of short and of long texts."""
    drawn = np.random.default_rng(0)
    asked, _ = sets.banking()
    told = [row["answer"] for row in sets.medquad()]
    default_encoder().embed("warm up")
    found = {}
    for name, texts, count in (("questions", asked, 400), ("long answers", told, 60)):
        chosen = [texts[place] for place in drawn.permutation(len(texts))[:count]]
        began = time.process_time()
        Sets(sets.data, None).vectors(name, chosen)
        seconds = time.process_time() - began
        found[name] = {"texts": count, "seconds": seconds, "texts/s": count / seconds}
    return found


def pairs(vectors: np.ndarray, keys: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    bits = alike.near([vectors], keys, least)
    one, other = [], []
    for place, row in enumerate(bits):
        found = np.flatnonzero(np.unpackbits(row, count=len(bits)))
        found = found[found > place]
        one.append(np.full(len(found), place))
        other.append(found)
    return np.concatenate(one), np.concatenate(other)


def paraphrases(sets: Sets) -> dict[str, Any]:
    """How many pairs above a threshold are paraphrases, and how many paraphrases are above it."""
    asked, intents = sets.banking()
    vectors, intent = sets.vectors("banking77", asked), np.array(intents)
    keys = alike.numbers([("", text) for text in asked])
    found: dict[str, Any] = {
        "banking77": {},
        "style_onestop": {},
        "medquad questions": {},
        "medquad rows": {},
    }
    for least in LEASTS:
        one, other = pairs(vectors, keys, least)
        same = float((intent[one] == intent[other]).mean())
        found["banking77"][least] = {"pairs": len(one), "same intent": same}
    rows = sets.onestop()
    both = sets.vectors("onestop", [text for row in rows for text in (row["a"], row["b"])])
    changed = np.array([plain(row["a"]) != plain(row["b"]) for row in rows])
    near, chance = (
        (both[::2] * both[1::2]).sum(axis=1)[changed],
        (both[::2][1:] * both[1::2][:-1]).sum(axis=1),
    )
    for least in LEASTS:
        found["style_onestop"][least] = {
            "pairs": len(near),
            "found": float((near >= least).mean()),
            "neighbours in the file": float((chance >= least).mean()),
        }
    rows = sets.medquad()
    about = np.array([f"{row['focus']} {row['qtype']}" for row in rows])
    sides = [sets.vectors(f"medquad-{side}", [row[side] for row in rows]) for side in ("question", "answer")]
    nothing, said = np.zeros(len(rows)), np.array([plain(row["question"]) for row in rows])
    for least in LEASTS:
        one, other = pairs(sides[0], nothing, least)
        apart = said[one] != said[other]
        one, other = one[apart], other[apart]
        right = about[one] == about[other]
        found["medquad questions"][least] = {"pairs": len(one), "same subject and type": int(right.sum())}
        closer = (sides[1][one] * sides[1][other]).sum(axis=1) >= least
        found["medquad rows"][least] = {
            "pairs": int(closer.sum()),
            "same subject and type": int((right & closer).sum()),
        }
    return found


def clusters(sets: Sets) -> dict[str, Any]:
    """Agreement of topics with intents, by scikit-learn's measures, and its own clusters beside them."""
    from sklearn.cluster import KMeans
    from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

    asked, intents = sets.banking()
    vectors = sets.vectors("banking77", asked)
    began = time.process_time()
    found = topics.topics(vectors, [plain(text) for text in asked])
    seconds = time.process_time() - began
    other = KMeans(77, n_init=1, random_state=0).fit_predict(vectors)
    return {
        "topics": len(found.sizes),
        "seconds": seconds,
        "evenness": found.evenness,
        "silhouette": found.silhouette,
        "mutual information": normalized_mutual_info_score(intents, found.codes),
        "rand": adjusted_rand_score(intents, found.codes),
        "scikit-learn, 77 clusters": normalized_mutual_info_score(intents, other),
        "largest": found.names[:5],
    }


def planted(sets: Sets) -> dict[str, Any]:
    """Twenty sentences of one set among a thousand of another: how many are found, how many others are named."""
    asked, _ = sets.banking()
    rows = sets.onestop()
    held = {
        "questions": sets.vectors("banking77", asked),
        "news": sets.vectors("onestop", [text for row in rows for text in (row["a"], row["b"])])[::2],
    }
    found = {}
    for usual, strange in (("questions", "news"), ("news", "questions")):
        counts = []
        for seed in SEEDS:
            rng = np.random.default_rng(seed)
            parts = [
                held[name][rng.choice(len(held[name]), count, replace=False)]
                for name, count in ((usual, 1000), (strange, 20))
            ]
            named = {hit.row for hit in outliers.outliers(np.arange(1020), np.concatenate(parts))}
            counts.append((sum(row >= 1000 for row in named), sum(row < 1000 for row in named)))
        found[f"20 of {strange} among 1,000 {usual}"] = {
            "found": [one for one, _ in counts],
            "others named": [other for _, other in counts],
        }
    return found


def flipped(sets: Sets) -> dict[str, Any]:
    """5% of banking77's intents flipped by a seed: how many are found, how many of those found were flipped."""
    asked, intents = sets.banking()
    vectors = sets.vectors("banking77", asked)
    names = tuple(sorted(set(intents)))
    places = {name: place for place, name in enumerate(names)}
    truth = np.array([places[intent] for intent in intents])
    rng = np.random.default_rng(7)
    chosen = rng.choice(len(truth), len(truth) // 20, replace=False)
    given = truth.copy()
    given[chosen] = (given[chosen] + rng.integers(1, len(names), len(chosen))) % len(names)
    began = time.process_time()
    named = {hit.row for hit in labels.noisy(np.arange(len(truth)), vectors, given, names)}
    seconds = time.process_time() - began
    right = named & set(chosen.tolist())
    return {
        "rows": len(truth),
        "flipped": len(chosen),
        "named": len(named),
        "recall": len(right) / len(chosen),
        "precision": len(right) / len(named),
        "seconds": seconds,
    }


PARTS: dict[str, Callable[[Sets], dict[str, Any]]] = {
    "speed": speed,
    "alike": paraphrases,
    "topics": clusters,
    "outliers": planted,
    "labels": flipped,
}


def main() -> None:
    import torch

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--json", type=Path, default=record.OUT / "meaning.json")
    arguments = parser.parse_args()
    unknown = set(arguments.parts) - set(PARTS)
    if unknown:
        parser.error(f"expected parts among {', '.join(PARTS)}, received {', '.join(sorted(unknown))}")
    torch.set_num_threads(1)
    sets = Sets(arguments.data, arguments.keep)
    found = {}
    for name in arguments.parts or PARTS:
        found[name] = PARTS[name](sets)
        print(name, json.dumps(found[name], indent=1, default=str), flush=True)
    record.write(found, arguments.json)


if __name__ == "__main__":
    main()
