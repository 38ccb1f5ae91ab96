"""The base model that a recipe names: loaded here, or served elsewhere."""

from __future__ import annotations

from trimtab.errors import ModelError
from trimtab.model import remote
from trimtab.model.load import Base, load
from trimtab.model.remote import Remote
from trimtab.model.service import Options, served

AnyBase = Base | Remote


def find(name: str, service: Options | None = None) -> AnyBase:
    """A base model: `openai:<model>@<base_url>` is a service, every other name is loaded.

    Args:
        service: how a service is asked.

    Raises:
        ModelError: nothing readable under that name, or a service that does not answer.
        MissingPart: torch or transformers are not installed, for a model that is loaded.
    """
    return remote.connect(name, service or Options()) if served(name) else load(name)


def loaded(base: AnyBase) -> Base:
    """The base with its network and tokenizer.

    Raises:
        ModelError: it is a service, which keeps both.
    """
    if isinstance(base, Base):
        return base
    raise ModelError(
        f"{base.name}: a service, which keeps its network and its tokenizer",
        "use the rungs prompt, context, decoding and postprocess with it, or a model that is loaded here",
    )
