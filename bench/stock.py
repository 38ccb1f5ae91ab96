"""The same model as a user of transformers loads it, with nothing of Trimtab's own around it."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import torch

from trimtab.model import embedded
from trimtab.model.load import Base, quiet, wrap
from trimtab.model.memory import keep_freed_memory


def opened(job: dict[str, Any]) -> Base:
    """The embedded model, once unpacked, in the same dtype, on the same device, with as many threads.

    Where the job says `keep_memory`, with the one thing of ours that anyone could set from outside: the C library keeps
    what is freed.
    """
    import transformers

    torch.set_num_threads(job["threads"])
    if job.get("keep_memory"):
        keep_freed_memory()
    with silent():
        folder = embedded.unpacked_folder()
        network = transformers.AutoModelForCausalLM.from_pretrained(
            folder, dtype=getattr(torch, job["dtype"])
        )
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    return wrap(network.to(job["device"]).eval(), tokenizer)


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """No advice from TRL and transformers."""
    with warnings.catch_warnings(), quiet():
        warnings.simplefilter("ignore")
        yield
