"""The sentence encoder: what its vectors mean, and what it refuses."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from trimtab.errors import ModelError
from trimtab.model.sentences import Encoder, encoder_folder
from trimtab.run import file_hash


def test_embeddings_tell_meanings_apart_and_leave_random_numbers_alone() -> None:
    import torch

    torch.manual_seed(1)
    expected = torch.rand(1)
    torch.manual_seed(1)
    encoder = Encoder()
    near = encoder.cosine("A man is eating food.", "A man eats something.")
    far = encoder.cosine("A man is eating food.", "The stock market fell today.")
    assert torch.rand(1) == expected
    assert near > 0.7 > 0.2 > far
    assert encoder.embed("A man is eating food.").shape == (384,)
    assert encoder.cosine("a", "") == 0.0
    # These pin tokenizer, weights, pooling and scaling: the first token's vector alone gives other figures.
    known = {
        "That is a happy dog": 0.695,
        "That is a very happy person": 0.943,
        "Today is a sunny day": 0.257,
    }
    for text, cosine in known.items():
        assert encoder.cosine("That is a happy person", text) == pytest.approx(cosine, abs=0.001)


def test_a_folder_without_an_encoder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model\.safetensors there"):
        encoder_folder(str(tmp_path))


def test_an_encoder_is_known_by_its_weights() -> None:
    assert Encoder().fingerprint == file_hash(encoder_folder() / "model.safetensors")


def test_passages_read_together_have_the_vectors_that_they_have_alone() -> None:
    encoder = Encoder()
    texts = ("A cat sat.", "", "The tax office closes at noon.", "A dog sat.", "word " * 400, " ")
    together = encoder.embed_all(texts)
    alone = np.stack([encoder.embed(text) for text in texts])
    assert together.dtype == np.float32
    np.testing.assert_allclose(together, alone, atol=1e-6)
    assert not together[1].any()
