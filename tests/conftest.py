"""Fixtures shared by all tests: the tiny tokenizer and network of `tests.tiny`, and the real public data."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import settings

from tests import tiny

# Stores of judgements, for all that keep something there.
pytest_plugins = ("tests.stores", "tests.finished")

# A shell starts what runs in the background without an ear for Ctrl-C, which some tests press.
signal.signal(signal.SIGINT, signal.default_int_handler)

# Tests compute little: a second thread mostly waits, and takes the core of the tests that run beside these. Where a
# model is loaded, and in processes that are started, the variable says so.
os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)

settings.register_profile("trimtab", deadline=None, derandomize=True, max_examples=50, database=None)
settings.load_profile("trimtab")


@pytest.fixture
def tokenizer() -> Any:
    """A fresh byte-level tokenizer with a ChatML template."""
    return tiny.tiny_tokenizer()


@pytest.fixture
def model() -> Any:
    """A fresh Llama with two blocks that fits the tokenizer."""
    return tiny.tiny_model()


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The folder of real public data beside the repository; the test is skipped where it is absent."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real public data is not present at {folder}")
    return folder


@pytest.fixture(scope="session")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the tiny network and its tokenizer, as save_pretrained writes it."""
    folder = tmp_path_factory.mktemp("network")
    tiny.tiny_model(blocks=2).save_pretrained(folder)
    tiny.tiny_tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of the test's own."""
    monkeypatch.setenv("TRIMTAB_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"
