"""Topics: groups that were made are found again, named by their words, and thin ones are told."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

from tests.audit.meaning.vectors import around
from trimtab.audit.meaning import topics

WORDS = ("card lost stolen", "loan rate interest", "pin forgotten changed", "app crash screen")


def texts(groups: np.ndarray) -> list[str]:
    return [f"please help with {WORDS[group]} item{number}" for number, group in enumerate(groups.tolist())]


def test_groups_are_found_again_and_named_by_their_words() -> None:
    vectors, groups = around((200, 100, 80, 60), 0.7)
    found = topics.topics(vectors, texts(groups))
    assert adjusted_rand_score(groups, found.codes) == 1
    assert found.sizes.tolist() == [200, 100, 80, 60]
    assert [set(name.split()) for name in found.names] == [set(words.split()) for words in WORDS]
    shares = found.sizes / 440
    assert found.evenness == pytest.approx(-(shares * np.log(shares)).sum() / math.log(4))
    assert np.array_equal(topics.topics(vectors, texts(groups)).codes, found.codes)


def test_clusters_are_as_tight_as_those_of_scikit_learn() -> None:
    vectors, _ = around((50,) * 12, 1.6, seed=4)
    other = KMeans(12, n_init=10, random_state=0).fit(vectors)
    loss = min(
        float((2 - 2 * (vectors @ topics.centres(vectors, 12, seed).T).max(axis=1)).sum())
        for seed in range(5)
    )
    middles = np.stack([vectors[other.labels_ == one].mean(axis=0) for one in range(12)])
    middles /= np.linalg.norm(middles, axis=1, keepdims=True)
    assert loss <= 1.05 * float((2 - 2 * (vectors @ middles.T).max(axis=1)).sum())


def test_copies_of_one_vector_leave_no_cluster_undefined() -> None:
    vectors = np.repeat(around((1, 1), 0)[0], 60, axis=0)
    found = topics.topics(vectors, ["same word"] * 120)
    assert found.sizes.tolist() == [60, 60]


def test_silhouette_is_that_of_its_definition() -> None:
    vectors, _ = around((20, 20, 20), 0.8, seed=2)
    middles = topics.centres(vectors, 3)
    each = []
    for vector in vectors:
        near, next_one, _ = sorted(1 - float(vector @ middle) for middle in middles)
        each.append((next_one - near) / max(near, next_one))
    np.testing.assert_allclose(topics.silhouettes(vectors, middles), each, atol=1e-5)


def test_names_follow_the_formula_and_hold_no_address() -> None:
    said = ["alpha beta"] * 6 + ["alpha gamma"] * 6
    codes = np.repeat([0, 1], 6)
    assert topics.names(said, codes) == ("beta", "gamma")
    # In seven texts of twelve each, so that the words that fewer other texts have come first.
    rare = ["red apple pear"] * 7 + ["red"] * 5 + ["red blue"] * 3 + ["blue plum"] * 9
    counts, every, mean = {"red": 12, "apple": 7, "pear": 7}, {"red": 15, "apple": 7, "pear": 7}, 50 / 2
    weight = {word: count * math.log(1 + mean / every[word]) for word, count in counts.items()}
    assert topics.names(rare, np.repeat([0, 1], 12))[0].split() == sorted(
        weight, key=lambda one: (-weight[one], one)
    )
    mails = [
        f"write to anna@example.org or https://anna.example.org soon{'' if n else 'er'}" for n in range(12)
    ]
    assert "anna" not in " ".join(topics.names([*mails, *said], np.repeat([0, 1], 12)))
    assert topics.names(["Maria Miller asks"] * 2 + ["x"] * 9, np.array([0, 0] + [1] * 9))[0].startswith(
        "(no"
    )


def test_a_thin_topic_is_told_with_its_rows() -> None:
    vectors, groups = around((200, 200, 190, 12), 0.7)
    rows = np.arange(602) + 1000
    found = topics.thin(topics.topics(vectors, texts(groups)), rows)
    assert found
    assert found.rows == tuple(range(1590, 1602))
    assert found.notes[1590] == "app crash screen: 12 rows, an even share is 150"
    assert topics.thin(topics.topics(vectors[:590], texts(groups[:590])), rows[:590]) is None


def test_the_section_holds_all_topics_and_shows_some() -> None:
    found = topics.Topics(np.repeat(np.arange(30), 10), np.full(30, 10), ("a b",) * 30, np.full(30, 0.4), 0.4)
    section = topics.section(found)
    assert len(section.tables[0].rows) == 20
    assert len(section.data["topics"]) == 30
    assert section.data["evenness"] == pytest.approx(1)
