"""The memory estimate against what a training really takes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.tiny import tiny_model
from trimtab.model.memory import peak_bytes, training_bytes

MEASURE = """
import torch
from tests.adjust import made
from tests.tiny import tiny_model
from trimtab.adjust.loop import Settings, train
from trimtab.model.memory import peak_bytes, training_bytes
torch.set_num_threads(1)
train(tiny_model(), dict(tiny_model().named_parameters()), made.rows(2), Settings(epochs=1, batch_size=2))
before = peak_bytes()
network = tiny_model(
    blocks=4, hidden_size=512, intermediate_size=1536, vocab_size=8192, max_position_embeddings=1024
)
parameters = dict(network.named_parameters())
trainable = sum(p.numel() for p in parameters.values())
train(network, parameters, made.rows(2, length=256), Settings(epochs=1, batch_size=2, micro_tokens=512))
print(peak_bytes() - before, training_bytes(network, trainable=trainable, tokens=512))
"""


def test_the_estimate_is_within_a_factor_of_three() -> None:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE], capture_output=True, text=True, check=True, cwd=root
    )
    measured, estimated = map(int, done.stdout.split())
    assert measured > 200e6
    assert 1 / 3 < estimated / measured < 3


def test_it_grows_with_what_is_trained_and_read() -> None:
    network = tiny_model()
    base = training_bytes(network, trainable=1000, tokens=100)
    assert training_bytes(network, trainable=2000, tokens=100) == base + 1000 * 16
    assert training_bytes(network, trainable=1000, tokens=200) > base
    assert peak_bytes() > 1e7
