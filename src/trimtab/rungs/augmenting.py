"""Rows made from tune by the recipe's section `augment`, and what the record says of them.

What a model rewrites is checked against its parent: the same numbers, units and names, and a cosine of sentence
vectors above a bound. Back-and-forth rewriting is back-translation (Sennrich et al. 2016) by the base model itself.
"""

from __future__ import annotations

import functools
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trimtab.data import augment
from trimtab.data.split import prompt_key
from trimtab.errors import RecipeError
from trimtab.model.embedded import cache_folder
from trimtab.model.load import Base
from trimtab.model.sampler import sample
from trimtab.model.sentences import default_encoder
from trimtab.recipe import Augmentation
from trimtab.records import Example, Message, Sampling, content_hash
from trimtab.run import write_atomic
from trimtab.rungs.workshop import Workshop

REWRITE = "Write this in other words. Keep every number and every name. Give only the new text.\n\n{text}"
AWAY = "Translate this into {through}. Give only the translation.\n\n{text}"
BACK = "Translate this from {through} into English. Give only the translation.\n\n{text}"
DRAWN = Sampling(max_new_tokens=256, temperature=0.7, top_p=0.95)
SHOWN = 5


@dataclass(frozen=True, slots=True)
class Made:
    """Augmented rows, and what the record says of them."""

    examples: list[Example]
    told: dict[str, Any]


def rows(shop: Workshop, examples: Sequence[Example]) -> Made:
    """What the recipe's augmentations make of these rows of tune, without repeats.

    A row that asks what select or confirm asks is dropped, so that nothing measured is learned.

    Raises:
        MissingPart: WordNet or the sentence encoder is not installed.
        RecipeError: the augmentations make no row at all.
    """
    recipe = shop.prepared.recipe
    measured = {prompt_key(e) for part in ("select", "confirm") for e in shop.prepared.parts[part]}
    found: dict[str, Example] = {}
    dropped, licences = 0, []
    for how in recipe.augment:
        for row in _made(shop, examples, how, recipe.seed):
            overlaps = prompt_key(row) in measured
            dropped += overlaps
            if not overlaps:
                found.setdefault(row.id, row)
        licences += [_net(how.file).licence] if how.kind == "synonyms" else []
    if not found:
        raise RecipeError(
            f"augment: {', '.join(how.kind for how in recipe.augment)} made no row of {len(examples)} of tune",
            "raise most or rate, lower similarity, or leave augment out",
        )
    made = list(found.values())
    told = {
        "rows": len(made),
        "parents": len({row.fields["parent"] for row in made}),
        "by_kind": dict(Counter(row.fields["augmented"] for row in made)),
        "dropped": dropped,
        "licences": list(dict.fromkeys(licences)),
        "sample": made[:SHOWN],
    }
    return Made(made, {"augmented": told})


def at_most(recipe_augment: Sequence[Augmentation]) -> int:
    """The most rows that augmentations make of one row."""
    return sum(how.most for how in recipe_augment)


def _made(shop: Workshop, examples: Sequence[Example], how: Augmentation, seed: int) -> list[Example]:
    if how.kind == "mixing":
        return augment.mixed(examples, most=how.most, seed=seed)
    if how.kind == "balance":
        return augment.balanced(examples, by=how.by, most=how.most)
    if how.kind in ("paraphrase", "roundtrip"):
        return rewritten(shop.base, examples, how, seed)
    pairs = [(example, number) for example in examples for number in range(how.most)]
    if how.kind == "noise":
        tried = [augment.noisy(e, rate=how.rate, seed=seed, number=n) for e, n in pairs]
    else:
        net = _net(how.file)
        tried = [augment.synonyms(e, net, rate=how.rate, seed=seed, number=n) for e, n in pairs]
    return _apart([row for row in tried if row])


def rewritten(base: Base, examples: Sequence[Example], how: Augmentation, seed: int) -> list[Example]:
    """Rows whose last user turn the base model has put in other words, of those that pass both checks."""
    asked = [example for example in examples if example.prompt]
    seeds = [seed + number for number in range(how.most)]
    texts = [example.prompt for example in asked for _ in seeds]
    for prompt in (REWRITE,) if how.kind == "paraphrase" else (AWAY, BACK):
        filled = [prompt.format(text=text, through=how.through) for text in texts]
        texts = _answers(base, filled, [s for _ in asked for s in seeds])
    encoder = default_encoder()
    found = []
    for place, text in enumerate(texts):
        parent, number = asked[place // len(seeds)], place % len(seeds)
        row = augment.reworded(parent, text.strip(), how.kind, number)
        if row and encoder.cosine(parent.prompt, text) >= how.similarity:
            found.append(row)
    return _apart(found)


def _answers(base: Base, prompts: Sequence[str], seeds: Sequence[int]) -> list[str]:
    """What the base answers to each prompt under its seed; from the cache when it was asked before."""
    key = content_hash([base.fingerprint, prompts, seeds, DRAWN])
    path = cache_folder() / "augment" / f"{key}.json"
    if path.is_file():
        known: list[str] = json.loads(path.read_text(encoding="utf-8"))
        return known
    texts = [""] * len(prompts)
    for seed in sorted(set(seeds)):
        places = [place for place, own in enumerate(seeds) if own == seed]
        asked = [Example((Message("user", prompts[place]),), id=str(place)) for place in places]
        for place, output in zip(places, sample(base, asked, DRAWN, (seed,)), strict=True):
            # A text that was cut off lacks what its end said.
            texts[place] = output.text if output.finish == "stop" else ""
    write_atomic(path, json.dumps(texts, ensure_ascii=False))
    return texts


def _apart(made: Sequence[Example]) -> list[Example]:
    """Rows in their order, those of one parent that say the same given once."""
    found = {(str(row.fields["parent"]), row.messages): row for row in reversed(made)}
    return list(reversed(found.values()))


@functools.cache
def _net(folder: str) -> augment.WordNet:
    return augment.WordNet(folder)
