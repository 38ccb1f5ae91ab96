"""The rung *context*."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from trimtab.adjust import context
from trimtab.adjust.retrieval import Retrieval
from trimtab.candidates import ContextCandidate
from trimtab.data.documents import passages
from trimtab.data.split import cluster_keys
from trimtab.measure.ranking import mean_share, recall_at, reciprocal_rank
from trimtab.model.sentences import encoder_installed
from trimtab.records import Document, Example
from trimtab.rungs.workshop import CHARACTERS_PER_TOKEN, Fitted, Speed, Workshop, in_time

# Numbers of passages to try, and how deep a ranking is read for the reciprocal rank.
PASSAGES, DEPTH = (1, 3, 5), 20
# Seconds that the encoder takes for one text, roughly, on one core; there is no need to know better.
ENCODING = 0.02
# Names of the fields of an example that may say which documents hold its answer.
FIELDS = ("documents", "document")


def defaults(shop: Workshop, speed: Speed, seconds: float) -> Sequence[ContextCandidate]:
    """One, three and five passages: as many as can be measured on select in time."""
    method = ContextCandidate().method if encoder_installed() else "bm25"
    wanted = [ContextCandidate(passages=count, method=method) for count in PASSAGES]
    return in_time(wanted, lambda candidate: _on_select(shop, candidate, speed), seconds)


def seconds(shop: Workshop, candidate: ContextCandidate, speed: Speed) -> float:
    """Time that reading the passages and tune's questions with the sentence encoder takes."""
    if candidate.method == "bm25":
        return 1.0
    texts = len(_passages(shop, candidate)) + len(shop.prepared.parts["tune"])
    return 1.0 + ENCODING * texts


def fit(shop: Workshop, candidate: ContextCandidate) -> Fitted:
    """Index the documents; how well the search does on tune is recorded before any answer is judged."""
    started = time.monotonic()
    prepared = shop.prepared
    tune, found = prepared.parts["tune"], _passages(shop, candidate)
    framing = prepared.recipe.data.instruction
    fitted = context.fit(
        shop.model,
        found,
        [example.prompt for example in tune],
        context.Placing(candidate.passages, candidate.template, framing),
        method=candidate.method,
        reach=candidate.reach,
        answer=prepared.recipe.sampling.max_new_tokens,
    )
    measured = quality(fitted.retrieval, prepared.documents, tune, candidate.passages, framing)
    return Fitted(fitted, {"seconds": time.monotonic() - started, "indexed": len(found), **measured})


def quality(
    retrieval: Retrieval,
    documents: Sequence[Document],
    examples: Sequence[Example],
    k: int,
    framing: str = "",
) -> dict[str, Any]:
    """How often the search finds the documents that examples name, whatever a model makes of them.

    Args:
        examples: those that name a document that is there are measured; it is named by fields["document"],
            fields["documents"] (a list), or `source`, as the document's source or title.
        k: passages read for the recall.
        framing: text before each question that is not searched for.

    Returns:
        `recall` (Estimate of recall@k), `reciprocal_rank` (Estimate, over the first 20 passages), `k`, and
        `questions`, how many were measured; a note alone where no example names a document.
    """
    titles = {document.title: document.source for document in documents if document.title}
    names = titles | {document.source: document.source for document in documents}
    asked = [(example, named(example, names)) for example in examples]
    asked = [(example, right) for example, right in asked if right]
    if not asked:
        return {"retrieval": {"note": "no example of tune names a document, so the search was not measured"}}
    keys = cluster_keys([example for example, _ in asked])
    sought = [right for _, right in asked]
    found = [
        [
            retrieval.passages[hit.position].source
            for hit in retrieval.search(context.searched(example.prompt, framing), max(k, DEPTH))
        ]
        for example, _ in asked
    ]
    return {
        "retrieval": {
            "k": k,
            "questions": len(asked),
            "recall": mean_share(recall_at(found, sought, k), keys),
            "reciprocal_rank": mean_share(reciprocal_rank(found, sought), keys),
        }
    }


def named(example: Example, names: dict[str, str]) -> list[str]:
    """Sources of the documents that an example names, without those that are not there."""
    given: list[Any] = [example.source]
    for field in FIELDS:
        value = example.fields.get(field)
        given += value if isinstance(value, list | tuple) else [value]
    return sorted({names[str(name)] for name in given if str(name) in names})


def shown(shop: Workshop, candidate: ContextCandidate) -> float:
    """Tokens of the passages before a question, at most."""
    longest = max((len(document.text) for document in shop.prepared.documents), default=0)
    return candidate.passages * min(longest, 6 * candidate.words) / CHARACTERS_PER_TOKEN


def _passages(shop: Workshop, candidate: ContextCandidate) -> list[Any]:
    return passages(shop.prepared.documents, words=candidate.words, overlap=candidate.overlap)


def _on_select(shop: Workshop, candidate: ContextCandidate, speed: Speed) -> float:
    """Seconds to measure a candidate on the target's items of select."""
    prepared = shop.prepared
    drawn = prepared.recipe.sampling.max_new_tokens * len(prepared.seeds)
    read = shown(shop, candidate) * speed.read
    return len(prepared.parts["select"]) * (read + drawn * speed.sample)
