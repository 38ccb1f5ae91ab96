"""The rung *embedding*."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence

from trimtab.adjust import embedding
from trimtab.adjust.loop import Settings
from trimtab.candidates import EmbeddingCandidate
from trimtab.errors import DataError
from trimtab.prepare import rows_of
from trimtab.rungs import contrasts, training
from trimtab.rungs.wording import over_represented
from trimtab.rungs.workshop import Fitted, Speed, Workshop

# Examples whose references and answers are compared for words.
COMPARED = 64


def defaults(shop: Workshop, speed: Speed, seconds: float) -> Sequence[EmbeddingCandidate]:
    """The words that references use more than the base model, trained: as they are read, and as they are said too.

    Where the head is apart from the embedding these are the same, and one is tried. Fewer passes where time is short.
    """
    pass_seconds = speed.epoch * training.UPDATE
    epochs = min(shop.prepared.recipe.training.epochs, max(0.25, seconds / pass_seconds))
    read = EmbeddingCandidate(epochs=round(epochs, 2))
    if not embedding.is_tied(shop.base.network) or 2 * epochs * pass_seconds > seconds:
        return [read]
    return [read, read.model_copy(update={"tied": "both"})]


def seconds(shop: Workshop, candidate: EmbeddingCandidate, speed: Speed) -> float:
    """Time that finding words and training is expected to take."""
    finding = 0.0
    if not candidate.words:
        longest = min(shop.prepared.sampling.max_new_tokens, contrasts.LONGEST)
        finding = min(COMPARED, len(shop.prepared.parts["tune"])) * longest * speed.sample
    if candidate.fit != "gradient":
        return finding
    epochs = candidate.epochs or shop.prepared.recipe.training.epochs
    return finding + epochs * training.UPDATE * speed.epoch


def fit(shop: Workshop, candidate: EmbeddingCandidate) -> Fitted:
    """Move the vectors of words: by where other words lie, or trained on tune.

    Raises:
        DataError: no words were given, and references use none more than the base model does.
    """
    started = time.monotonic()
    words = candidate.words or chosen_words(shop, candidate.most)
    shape = embedding.Shape(
        candidate.fit, words, candidate.towards, candidate.away, candidate.distance, candidate.tied
    )
    if candidate.fit != "gradient":
        moved = embedding.from_words(shop.base, shape).scaled(candidate.strength)
        return Fitted(moved, {"seconds": time.monotonic() - started, "words": list(words)})
    how = settings(shop, candidate)
    fitted, trained = embedding.fit(
        shop.base,
        rows_of(shop.prepared, shop.base, "tune"),
        shape,
        how,
        held_out=training.held_out(shop, how),
        folder=shop.folder,
        report=shop.report,
    )
    cost = training.cost(trained, {"words": list(words)}) | {"seconds": time.monotonic() - started}
    return Fitted(fitted.scaled(candidate.strength), cost, trained.history)


def settings(shop: Workshop, candidate: EmbeddingCandidate) -> Settings:
    """The training settings of a candidate; the penalty takes the place of weight decay and of all regularisers."""
    recipe = shop.prepared.recipe
    how = Settings(**recipe.training.model_dump(), seed=recipe.seed)
    return dataclasses.replace(
        how,
        epochs=candidate.epochs or how.epochs,
        learning_rate=candidate.learning_rate,
        weight_decay=0.0,
        replay=0.0,
        kl=0.0,
        counterfactual=False,
        balance=0.0,
        proximity=candidate.penalty,
    )


def chosen_words(shop: Workshop, most: int) -> tuple[str, ...]:
    """The words that references of tune use more than the base model's own answers to the same questions."""
    examples = shop.some(COMPARED)
    said = contrasts.own_answers(shop, examples)
    found = over_represented([example.references[0] for example in examples], said, most)
    if not found:
        raise DataError(
            f"embedding: in {len(examples)} examples of tune the references use no word clearly more often than the "
            "base model does",
            "name words in candidates.embedding, or leave embedding out of the ladder",
        )
    return found
