"""An exported folder read again as its users read it: transformers for weights and GGUF, PEFT for an adapter."""

from __future__ import annotations

import contextlib
import dataclasses
import warnings
from collections.abc import Iterator
from pathlib import Path

from trimtab.errors import ModelError
from trimtab.export.gguf_file import NAME
from trimtab.export.wanted import Form
from trimtab.model.load import Base, load


@contextlib.contextmanager
def reread(form: Form, folder: Path, base: Base) -> Iterator[Base]:
    """What lies in a folder, computing as the base does now (type, device, threads), also where weights were quantised.

    An adapter is put on the base's own network for as long as the context lasts.

    Raises:
        ModelError: it cannot be read.
    """
    if form == "peft":
        with _adapted(folder, base) as found:
            yield found
        return
    name = folder / NAME if form == "gguf" else folder
    threads = int(base.threads.value)
    dtype = str(base.network.dtype).removeprefix("torch.")
    yield load(str(name.resolve()), dtype=dtype, device=base.device.value, threads=threads)


@contextlib.contextmanager
def _adapted(folder: Path, base: Base) -> Iterator[Base]:
    from peft import PeftModel

    network = base.network
    wants = {name: p.requires_grad for name, p in network.named_parameters()}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            model = PeftModel.from_pretrained(network, str(folder))
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ModelError(
            f"{folder}: PEFT cannot read it: {str(error).splitlines()[0]}", "export again"
        ) from error
    try:
        yield dataclasses.replace(base, network=model.get_base_model(), trunk=None)
    finally:
        model.unload()
        for name, parameter in network.named_parameters():
            parameter.requires_grad_(wants[name])
        if hasattr(network, "peft_config"):
            del network.peft_config
