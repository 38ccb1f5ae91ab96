"""The base model that a recipe names: loaded here, or served elsewhere."""

from __future__ import annotations

from trimtab.errors import ModelError
from trimtab.model import remote
from trimtab.model.load import DTYPES, Base, load
from trimtab.model.remote import Remote
from trimtab.model.service import Options, served
from trimtab.run import RunFolder

AnyBase = Base | Remote


def find(name: str, service: Options | None = None, dtype: str = "auto") -> AnyBase:
    """A base model: `openai:<model>@<base_url>` is a service, every other name is loaded.

    Args:
        service: how a service is asked.
        dtype: as `load` takes it.

    Raises:
        ModelError: nothing readable under that name, or a service that does not answer.
        MissingPart: torch or transformers are not installed, for a model that is loaded.
    """
    return remote.connect(name, service or Options()) if served(name) else load(name, dtype=dtype)


def tuned_on(folder: RunFolder) -> AnyBase:
    """The base model of a run in the number type that the run had, whatever this machine would choose.

    Weights rounded otherwise are another base, and what was tuned on the one does not fit the other.

    Raises:
        ModelError, MissingPart: as `find`.
    """
    recipe = folder.recipe()
    return find(str(recipe["model"]), Options(**recipe.get("service", {})), dtype_of(folder))


def dtype_of(folder: RunFolder) -> str:
    """The number type that a run's base was loaded in; auto where the run names none that can be asked for."""
    model = folder.read("provenance.json").get("model", {}) if folder.has("provenance.json") else {}
    dtype = str(model.get("dtype", {}).get("value"))
    return dtype if dtype in DTYPES else "auto"


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
