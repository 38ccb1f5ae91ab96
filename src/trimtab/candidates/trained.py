"""Candidates that are trained: the rungs adapter and layers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from trimtab.candidates.candidate import Candidate
from trimtab.strict import Section


class Trained(Candidate):
    """A candidate that is trained."""

    blocks: tuple[int, ...] = Field(
        (), description="numbers of the blocks, negative from the end; all when not given"
    )
    epochs: float | None = Field(
        None, gt=0, le=100, description="passes over tune, instead of training.epochs"
    )
    learning_rate: float | None = Field(None, gt=0, le=1, description="instead of training.learning_rate")
    batch_size: int | None = Field(None, ge=1, le=4096, description="instead of training.batch_size")
    patience: int | None = Field(None, ge=0, description="instead of training.patience")
    replay: float | None = Field(None, ge=0, le=0.9, description="instead of training.replay")
    kl: float | None = Field(None, ge=0, le=1000, description="instead of training.kl")
    counterfactual: bool | None = Field(None, description="instead of training.counterfactual")
    balance: float | None = Field(None, ge=0, le=1000, description="instead of training.balance")
    seed: int | None = Field(
        None, ge=0, lt=2**31, description="of its training, instead of the recipe's seed"
    )
    augment: bool | None = Field(
        None,
        description="whether it learns the rows of the section augment; tried with and without them when not given",
    )
    loss: Literal["sft", "dpo", "kto"] = Field(
        "sft",
        description="what is lowered: sft, the likelihood's loss on the answers; dpo, kto: learn the chosen answer "
        "against the rejected one, from rows of prompt, chosen and rejected",
    )
    beta: float = Field(
        0.1,
        gt=0,
        le=100,
        description="dpo, kto: how strongly it is held to the base, per nat of an answer's log-ratio",
    )
    undesirable: float = Field(
        1.0, gt=0, le=100, description="kto: weight of a rejected answer where a chosen one weighs 1"
    )

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if self.loss != "sft" and self.augment:
            raise ValueError(f"augment: a changed row has no rejected answer for loss {self.loss}")
        return self


class Search(Section):
    """Settings to be found on a held-out share of tune; each range is [lowest, highest], and what has none stays."""

    trials: int = Field(ge=2, le=1000, description="settings to try, as many as the time of the rung allows")
    rank: tuple[int, int] | None = Field(None, description="range of rank, from 1 to 1024, by its logarithm")
    last_blocks: tuple[int, int] | None = Field(
        None, description="range of how many of the last blocks to adapt"
    )
    learning_rate: tuple[float, float] | None = Field(
        None, description="range of learning_rate, above 0 to 1, by its logarithm"
    )
    epochs: tuple[int, int] | None = Field(None, description="range of epochs, from 1 to 100")
    dropout: tuple[float, float] | None = Field(None, description="range of dropout, from 0 to below 1")
    batch_size: tuple[int, int] | None = Field(
        None, description="range of batch_size, from 1 to 4096, by its logarithm"
    )

    @model_validator(mode="after")
    def _in_bounds(self) -> Search:
        given = {name: getattr(self, name) for name in BOUNDS if getattr(self, name) is not None}
        if not given:
            raise ValueError(f"nothing to search: give a range of {', '.join(BOUNDS)}")
        for name, (low, high) in given.items():
            least, most = BOUNDS[name]
            if not least <= low < high <= most:
                raise ValueError(f"{name}: [{low:g}, {high:g}] is no range from {least:g} to {most:g}")
        return self

    def ranges(self) -> dict[str, tuple[float, float]]:
        """Each range that is searched, by the name of its setting."""
        return {name: getattr(self, name) for name in BOUNDS if getattr(self, name) is not None}


# What each range of a search must lie in.
BOUNDS: dict[str, tuple[float, float]] = {
    "rank": (1, 1024),
    "last_blocks": (1, 1000),
    "learning_rate": (1e-8, 1),
    "epochs": (1, 100),
    "dropout": (0, 0.99),
    "batch_size": (1, 4096),
}


class AdapterCandidate(Trained):
    """An adapter to try."""

    method: Literal["lora", "dora", "rslora", "ia3"] = Field("lora", description="kind of adapter")
    rank: int = Field(16, ge=1, le=1024, description="rank of a low-rank adapter")
    alpha: float | None = Field(
        None, gt=0, description="scale of a low-rank adapter; twice the rank when not given"
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="dropout on the adapter's input")
    modules: tuple[str, ...] = Field(
        (), description="names of the linear modules to adapt; all when not given"
    )
    heads: tuple[tuple[int, int], ...] = Field(
        (),
        description="attention heads to adapt, each [block, head]: their queries and outputs only, instead of blocks",
    )
    search: Search | None = Field(None, description="settings to be found instead of given")

    @model_validator(mode="after")
    def _places(self) -> AdapterCandidate:
        if self.heads and (self.blocks or (self.search and self.search.last_blocks)):
            raise ValueError("heads: given together with blocks; name the blocks in heads alone")
        if self.heads and self.method not in ("lora", "rslora"):
            raise ValueError(f"heads: method {self.method} changes whole matrices; use lora or rslora")
        if self.search and self.loss != "sft":
            raise ValueError(
                f"search: judges settings by likelihood, not by loss {self.loss}; give the settings"
            )
        return self

    def with_found(self, found: Mapping[str, float]) -> AdapterCandidate:
        """This candidate with settings that a search found, and no search."""
        own: dict[str, Any] = dict(found)
        if "last_blocks" in own:
            own["blocks"] = tuple(range(-int(own.pop("last_blocks")), 0))
        return self.model_copy(update=own | {"search": None})

    def largest(self) -> AdapterCandidate:
        """The candidate that takes the most time and memory of those that its search may try; itself without one."""
        if self.search is None:
            return self
        return self.with_found({name: high for name, (_, high) in self.search.ranges().items()})


class LayersCandidate(Trained):
    """Weights to train in full."""

    method: Literal["blocks", "norms", "head", "embeddings"] = Field("blocks", description="which weights")
