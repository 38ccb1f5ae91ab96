"""A mark in every answer that machines can find, as Article 50(2) of Regulation (EU) 2024/1689 asks for.

Nothing is trained and no weight is touched: transformers' own processors move the chances of tokens by a secret key
(`model.watermark`). The strength scales the bias of a green list; synthid is on or off.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import math
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from trimtab.adjust.contract import Adjustment, Description, Hook, Setting
from trimtab.adjust.stack import taken_apart
from trimtab.errors import ModelError, RunError
from trimtab.model.load import Base
from trimtab.model.local import Local
from trimtab.model.mixed import Changes
from trimtab.records import Mark, Model, Sampling, content_hash
from trimtab.run import read_json, write_json

FILE = "watermark.json"
Scheme = Literal["green-list", "synthid"]
SCHEMES: tuple[Scheme, ...] = ("green-list", "synthid")


@dataclass(frozen=True)
class Watermark(Adjustment):
    """A watermark with its key; of two in a stack the later one counts.

    Attributes:
        mark: as fitted, with the secret key, which stands in `watermark.json` and nowhere else.
    """

    kind: ClassVar[str] = "watermark"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"sampling"})
    mark: Mark
    strength: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what no mark can be made of.

        Raises:
            RunError: an unknown scheme, or a number out of range.
        """
        mark = self.mark
        known = mark.scheme in SCHEMES and len(mark.key) == 32 and set(mark.key) <= set("0123456789abcdef")
        numbers = mark.vocabulary > 1 and 0 < mark.bias < math.inf and mark.share * mark.vocabulary >= 1
        if not (known and numbers and mark.share < 1 and 2 <= mark.ngram <= 16 and 1 <= mark.depth <= 64):
            raise RunError(
                f"watermark: {mark}: not allowed",
                f"scheme {' or '.join(SCHEMES)}, a key of 32 hexadecimal digits, bias above 0, share between 0 and 1, "
                "ngram from 2 to 16, depth from 1 to 64",
            )

    @functools.cached_property
    def hash(self) -> str:
        """Identity by content."""
        return content_hash([self.kind, self._record()])

    @property
    def key_name(self) -> str:
        """Which key it is, told without telling the key: 8 digits of its SHA-256."""
        return hashlib.sha256(f"name of {self.mark.key}".encode()).hexdigest()[:8]

    def scaled(self, factor: float) -> Watermark:
        """A green list with a bias `factor` times as large; synthid as it is, off where the factor is 0."""
        if self.mark.scheme == "green-list":
            return dataclasses.replace(self, strength=self.strength * factor)
        return dataclasses.replace(self, strength=1.0 if self.strength and factor else 0.0)

    def check(self, model: Model) -> None:
        """Refuse a model whose next tokens are not drawn here, or that has other tokens.

        Raises:
            ModelError: naming it.
        """
        under, _ = taken_apart(model)
        if not isinstance(under, Local):
            raise ModelError(
                f"watermark: {under.name} is a service that draws its tokens itself",
                "mark answers of a model that is loaded here, or have the service mark them",
            )
        self.changes(under.base)

    def changes(self, base: Base) -> Changes:
        """Nothing: no module is touched.

        Raises:
            ModelError: the base has other tokens.
        """
        size = vocabulary(base)
        if size != self.mark.vocabulary:
            raise ModelError(
                f"watermark: made for a vocabulary of {self.mark.vocabulary} tokens, and {base.name} has {size}",
                "draw a watermark for this model",
            )
        return {}

    def sampling(self, sampling: Sampling) -> Sampling:
        """The same settings with the mark, unless a later adjustment has set one."""
        if self.strength == 0 or sampling.mark is not None:
            return sampling
        return dataclasses.replace(
            sampling, mark=dataclasses.replace(self.mark, bias=self.mark.bias * self.strength)
        )

    def save(self, folder: Path) -> None:
        """Write `watermark.json`, which its owner alone may read: it holds the key."""
        write_json(folder / FILE, self._record())
        (folder / FILE).chmod(0o600)

    @classmethod
    def load(cls, folder: Path) -> Watermark:
        """Read what `save` wrote."""
        record = read_json(folder / FILE)
        names = [f.name for f in dataclasses.fields(Mark)]
        return cls(Mark(**{name: record[name] for name in names}), record["strength"])

    def describe(self) -> Description:
        """Every setting but the key."""
        told = {"scheme": Setting(self.mark.scheme), "key": Setting(self.key_name, "name of the secret key")}
        if self.mark.scheme == "green-list":
            told |= {
                "bias": Setting(self.mark.bias, "added to a green token's logit"),
                "share": Setting(self.mark.share, "of the vocabulary is green"),
            }
        else:
            told |= {
                "ngram": Setting(self.mark.ngram, "tokens that decide together"),
                "depth": Setting(self.mark.depth, "rounds of the tournament"),
            }
        return Description(self.kind, self.strength, told, 0, 0)

    def _record(self) -> dict[str, Any]:
        return {f.name: getattr(self.mark, f.name) for f in dataclasses.fields(Mark)} | {
            "strength": self.strength
        }


def drawn(base: Base, scheme: Scheme, secret: str = "", **settings: Any) -> Watermark:
    """A watermark for a base model.

    Args:
        secret: what the key is made of; a new one is drawn where none is given.
        settings: others of `Mark`.

    Raises:
        RunError: a setting is out of range.
    """
    key = hashlib.sha256(secret.encode()).hexdigest()[:32] if secret else secrets.token_hex(16)
    return Watermark(Mark(scheme, key, vocabulary(base), **settings))


def vocabulary(base: Base) -> int:
    """Tokens that the network gives logits for."""
    return int(base.network.config.get_text_config().vocab_size)
