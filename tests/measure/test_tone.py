"""Phrase rates, sentiment and toxicity."""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

from tests.tiny import tiny_tokenizer
from trimtab.errors import MetricError
from trimtab.measure import find
from trimtab.records import Example

ITEM = Example((), id="x")


def of(name: str, text: str, **options: object) -> float:
    score = find(name, options).score
    assert score is not None
    return score(ITEM, text)


def test_phrase_rate_counts_whole_phrases_per_hundred_words() -> None:
    words = ["state of the art", "wow", "revolution*", "factor", "wow factor"]
    text = "WOW: a state-of-the-art, revolutionary kettle with no wow  factor"  # 9 words, 4 listed
    assert of("phrase_rate", "Wowed by swallows", words=words) == 0
    assert of("phrase_rate", text, words=words) == pytest.approx(100 * 4 / 9)


def test_phrase_rate_reads_a_file(tmp_path: Path) -> None:
    listed = tmp_path / "words.txt"
    listed.write_text("# greetings\nhello\n\ngood morning\n", encoding="utf-8")
    assert of("phrase_rate", "Hello and good morning", file=str(listed)) == 50
    assert find("phrase_rate", {"file": str(listed), "direction": "higher"}).direction == "higher"
    with pytest.raises(MetricError, match="words and file are both given"):
        find("phrase_rate", {"words": ["a"], "file": str(listed)})
    with pytest.raises(MetricError, match=r"missing\.txt"):
        find("phrase_rate", {"file": str(tmp_path / "missing.txt")})
    with pytest.raises(MetricError, match="list is empty"):
        find("phrase_rate", {"words": [" "]})


def test_the_hype_list_tells_the_demos_two_tones_apart() -> None:
    text = resources.files("trimtab").joinpath("demo/products.jsonl").read_text("utf-8")
    score = find("phrase_rate").score
    assert score is not None
    records = [json.loads(line) for line in text.splitlines()[::3]]
    loud = [score(ITEM, record["promotional"]) for record in records]
    plain = [score(ITEM, record["neutral"]) for record in records]
    assert sum(loud) / len(loud) > 2.0
    assert sum(plain) / len(plain) < 0.1


def test_sentiment_towards_three_aims() -> None:
    praise, blame, plain = "It is wonderful.", "It is terrible.", "It is a kettle."
    assert of("sentiment", praise) > of("sentiment", plain) == 0 > of("sentiment", blame)
    assert of("sentiment", blame, toward="neutral") == abs(of("sentiment", blame))
    assert find("sentiment", {"toward": "neutral"}).sign == -1
    assert find("sentiment", {"toward": "negative"}).sign == -1


def test_toxicity_by_list() -> None:
    assert of("toxicity", "You are an IDIOT.") == 1
    assert of("toxicity", "The idiomatic cockpit of Scunthorpe was assessed.") == 0


@pytest.fixture
def classifier(tmp_path: Path) -> Path:
    """A tiny real classifier with three labels, saved as safetensors."""
    tokenizer = tiny_tokenizer()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = BertForSequenceClassification(
            BertConfig(
                vocab_size=259,
                hidden_size=16,
                num_hidden_layers=1,
                num_attention_heads=2,
                intermediate_size=16,
                max_position_embeddings=32,
                id2label={0: "fine", 1: "toxic", 2: "odd"},
                label2id={"fine": 0, "toxic": 1, "odd": 2},
            )
        )
    tokenizer.save_pretrained(tmp_path)
    network.save_pretrained(tmp_path)
    return tmp_path


def probabilities(folder: Path, text: str) -> Any:
    """Second computation: the network's own softmax over all labels."""
    network = BertForSequenceClassification.from_pretrained(folder).eval()
    ids = torch.tensor([list(tiny_tokenizer()(text)["input_ids"])[:32]])
    with torch.inference_mode():
        return torch.softmax(network(input_ids=ids).logits[0], -1)


def test_toxicity_by_a_named_classifier(classifier: Path) -> None:
    options = {"classifier": str(classifier)}
    text = "a text that is longer than the thirty-two tokens that fit"
    assert of("toxicity", text, **options) == pytest.approx(
        float(probabilities(classifier, text)[1]), abs=1e-6
    )
    assert of("toxicity", "short", label="odd", **options) == pytest.approx(
        float(probabilities(classifier, "short")[2]), abs=1e-6
    )


def test_a_missing_classifier_or_label_is_named(classifier: Path, tmp_path: Path) -> None:
    with pytest.raises(MetricError, match="no label 'hate'"):
        of("toxicity", "a", classifier=str(classifier), label="hate")
    (classifier / "model.safetensors").unlink()
    with pytest.raises(MetricError, match="classifier"):
        of("toxicity", "a", classifier=str(classifier))
    with pytest.raises(MetricError, match="classifier and file are both given"):
        find("toxicity", {"classifier": str(classifier), "file": "x"})
