"""Rows made from tune by the recipe's section `augment`, and which candidates learn them.

What is reworded is checked against its parent: the same numbers, units, names and denials, and a cosine of sentence
vectors above a bound. Back-and-forth rewriting is back-translation (Sennrich et al. 2016) by the base itself.
"""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trimtab.candidates import Augmentation, Candidate, Trained
from trimtab.data import augment
from trimtab.data.split import prompt_key
from trimtab.errors import RecipeError
from trimtab.model.embedded import cache_folder
from trimtab.model.kept import item_key
from trimtab.model.load import Base
from trimtab.model.sampler import sample
from trimtab.model.sentences import default_encoder
from trimtab.recipe import Recipe
from trimtab.records import Example, Message, Progress, Report, Sampling, content_hash
from trimtab.run import write_atomic
from trimtab.rungs.workshop import CHARACTERS_PER_TOKEN, Speed, Workshop

REWRITE = "Write this in other words. Keep every number and every name. Give only the new text.\n\n{text}"
AWAY = "Translate this from {language} into {through}. Give only the translation.\n\n{text}"
BACK = "Translate this from {through} into {language}. Give only the translation.\n\n{text}"
# Least cosine, where the recipe gives none. One word exchanged by one that means the same moves a sentence little:
# on questions to a bank what lay below 0.9 was mostly wrong.
NEAR = {"synonyms": 0.9, "paraphrase": 0.8, "roundtrip": 0.8}
ASKED = {"paraphrase": (REWRITE,), "roundtrip": (AWAY, BACK)}
DRAWN = Sampling(max_new_tokens=256, temperature=0.7, top_p=0.95)
# Prompts that are rewritten in one go; an interrupted run asks at most so many again.
AT_ONCE = 64
FOLDER = "augment"
# The rungs whose candidates may learn augmented rows.
LEARN = ("adapter", "layers")


@dataclass(frozen=True, slots=True)
class Made:
    """Augmented rows, and what the record says of them."""

    examples: Sequence[Example] = ()
    told: dict[str, Any] = field(default_factory=dict)


def learned_by(recipe: Recipe, candidate: Candidate) -> bool:
    """Whether a candidate learns augmented rows."""
    return (
        bool(recipe.augment)
        and isinstance(candidate, Trained)
        and candidate.augment is not False
        # A changed row has no rejected answer.
        and candidate.loss == "sft"
    )


def both_ways(recipe: Recipe, candidates: Iterable[Candidate]) -> list[Candidate]:
    """Candidates, those that leave it open whether they learn augmented rows with them and without."""
    found: list[Candidate] = []
    for one in candidates:
        left_open = learned_by(recipe, one) and isinstance(one, Trained) and one.augment is None
        tried = [one.model_copy(update={"augment": on}) for on in (True, False)] if left_open else [one]
        found += [each for each in tried if each not in found or not left_open]
    return found


def pairs(candidates: Sequence[Candidate]) -> list[list[tuple[int, int]]]:
    """Numbers of the candidates that differ in nothing but augmented rows: with them, without.

    Pairs that differ in nothing but the seed of their training stand together.
    """
    found: list[tuple[Candidate, list[tuple[int, int]]]] = []
    for number, one in enumerate(candidates):
        plain = one.model_copy(update={"augment": False})
        if not (isinstance(one, Trained) and one.augment and plain in candidates):
            continue
        same = one.model_copy(update={"seed": None})
        together = next((group for known, group in found if known == same), None)
        if together is None:
            together = []
            found.append((same, together))
        together.append((number, candidates.index(plain)))
    return [group for _, group in found]


def rows(shop: Workshop, examples: Sequence[Example]) -> Made:
    """What the recipe's augmentations make of these rows of tune, without repeats.

    A row that asks what select or confirm asks is dropped, so that nothing measured is learned.

    Raises:
        MissingPart: WordNet or the sentence encoder is not installed.
        RecipeError: the augmentations make no row at all.
    """
    return shop.once(["augmented", [example.id for example in examples]], lambda: _rows(shop, examples))


def longer(recipe: Recipe) -> float:
    """How much longer rows are on average, at most, than those of tune: mixed ones hold two."""
    count = 1 + sum(how.most for how in recipe.augment)
    return 1 + sum(how.most for how in recipe.augment if how.kind == "mixing") / count


def seconds(shop: Workshop, speed: Speed) -> float:
    """Time that the base model's rewriting takes, which is done once for all candidates."""
    tokens = (
        sum(len(augment.asked(example)) for example in shop.prepared.parts["tune"]) / CHARACTERS_PER_TOKEN
    )
    passes = sum(how.most * len(ASKED.get(how.kind, ())) for how in shop.prepared.recipe.augment)
    return passes * tokens * (speed.read + speed.sample)


def _rows(shop: Workshop, examples: Sequence[Example]) -> Made:
    recipe = shop.prepared.recipe
    measured = {prompt_key(e) for part in ("select", "confirm") for e in shop.prepared.parts[part]}
    found: dict[str, Example] = {}
    overlaps, licences = 0, []
    for how in recipe.augment:
        for row in _made(shop, examples, how):
            if prompt_key(row) in measured:
                overlaps += 1
            else:
                found.setdefault(row.id, row)
        licences += [_net(how.wordnet).licence] if how.kind == "synonyms" else []
    if not found:
        raise RecipeError(
            f"augment: {', '.join(how.kind for how in recipe.augment)} made no row of {len(examples)} of tune",
            "lower similarity, name another field in by, or leave augment out: docs/recipe.md",
        )
    return Made(list(found.values()), {"overlaps": overlaps, "licences": list(dict.fromkeys(licences))})


def counted(made: Sequence[Example]) -> dict[str, Any]:
    """How many rows, of how many parents, by kind."""
    return {
        "rows": len(made),
        "parents": len({row.fields["parent"] for row in made}),
        "by_kind": dict(Counter(row.fields["augmented"] for row in made)),
    }


def _made(shop: Workshop, examples: Sequence[Example], how: Augmentation) -> list[Example]:
    seed = shop.prepared.recipe.seed
    if how.kind == "mixing":
        return augment.mixed(examples, most=how.most, seed=seed)
    if how.kind == "balance":
        return augment.balanced(examples, by=how.by, most=how.most)
    if how.kind in ASKED:
        return rewritten(shop.base, examples, how, seed, shop.report)
    pairs_of = [(example, number) for example in examples for number in range(how.most)]
    if how.kind == "noise":
        return _apart([augment.noisy(e, rate=how.rate, seed=seed, number=n) for e, n in pairs_of])
    net = _net(how.wordnet)
    tried = [(e, augment.synonyms(e, net, rate=how.rate, seed=seed, number=n)) for e, n in pairs_of]
    return _near(tried, how)


def rewritten(
    base: Base, examples: Sequence[Example], how: Augmentation, seed: int, report: Report | None = None
) -> list[Example]:
    """Rows whose last user turn the base model has put in other words, of those that pass both checks."""
    parents = [example for example in examples if augment.asked(example) for _ in range(how.most)]
    seeds = [seed + place % how.most for place in range(len(parents))]
    texts = [augment.asked(parent) for parent in parents]
    for prompt in ASKED[how.kind]:
        filled = [prompt.format(text=text, through=how.through, language=how.language) for text in texts]
        texts = _answers(base, [p.id for p in parents], filled, seeds, report)
    pairs_of = enumerate(zip(parents, texts, strict=True))
    tried = [
        (parent, augment.reworded(parent, text.strip(), how.kind, place % how.most))
        for place, (parent, text) in pairs_of
    ]
    return _near(tried, how)


def _near(tried: Sequence[tuple[Example, Example | None]], how: Augmentation) -> list[Example]:
    """Rows made of parents, those that say nearly the same."""
    least, encoder = NEAR[how.kind] if how.similarity is None else how.similarity, default_encoder()
    return _apart(
        [
            row
            for parent, row in tried
            if row and encoder.cosine(augment.asked(parent), augment.asked(row)) >= least
        ]
    )


def _answers(
    base: Base, items: Sequence[str], prompts: Sequence[str], seeds: Sequence[int], report: Report | None
) -> list[str]:
    """What the base answers to each prompt under its seed; from the cache when it was asked before.

    A kept answer names the hash of its item, so that those to a person's rows are found when they are to be erased.
    """
    asked = zip(items, prompts, seeds, strict=True)
    paths = [_path(content_hash([base.fingerprint, *one, DRAWN])) for one in asked]
    missing = [place for place, path in enumerate(paths) if not path.is_file()]
    for start in range(0, len(missing), AT_ONCE):
        if report:
            report(Progress("rewriting", start, len(missing)))
        _ask(base, [(paths[p], items[p], prompts[p], seeds[p]) for p in missing[start : start + AT_ONCE]])
    return [str(json.loads(path.read_text(encoding="utf-8"))["text"]) for path in paths]


def _ask(base: Base, wanted: Sequence[tuple[Path, str, str, int]]) -> None:
    for seed in sorted({seed for *_, seed in wanted}):
        own = [one for one in wanted if one[3] == seed]
        asked = [Example((Message("user", prompt),), id=str(n)) for n, (_, _, prompt, _) in enumerate(own)]
        for (path, item, _, _), output in zip(own, sample(base, asked, DRAWN, (seed,)), strict=True):
            # A text that was cut off lacks what its end said.
            text = output.text if output.finish == "stop" else ""
            write_atomic(path, json.dumps({"text": text, "item": item_key(item)}, ensure_ascii=False))


def _path(key: str) -> Path:
    return cache_folder() / FOLDER / key[:2] / f"{key}.json"


def _apart(made: Sequence[Example | None]) -> list[Example]:
    """Rows in their order, those of one parent that say the same given once."""
    found = {(str(row.fields["parent"]), row.messages): row for row in reversed(made) if row}
    return list(reversed(found.values()))


@functools.cache
def _net(folder: str) -> augment.WordNet:
    return augment.WordNet(folder)
