"""How answers are drawn: settings laid over the base's own, and the best of several draws.

Nothing is trained and no weight is touched. The strength goes from the base's own settings, 0, to these, 1
(`overlay.between`), and the number of draws with it.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from trimtab.adjust.contract import Adjustment, Description, Hook, Setting
from trimtab.adjust.draws import By, chosen_from, draws, score
from trimtab.adjust.overlay import UNITS, Laid, Layer, lay
from trimtab.errors import RunError
from trimtab.records import SETTINGS, Model, Output, Question, Report, Sampling, content_hash
from trimtab.run import read_json, write_json

FILE = "decoding.json"
MOST = 64  # draws for one answer


@dataclass(frozen=True)
class Decoding(Adjustment):
    """Settings of sampling, and the best of several answers.

    Attributes:
        settings: by their names in `Sampling`; what is not there stays as it was asked for.
        best_of: answers drawn for each that is given, 1 to 64.
        by: what the best is chosen by (`draws.score`); the first drawn of several equally good ones.
    """

    kind: ClassVar[str] = "decoding"
    hooks: ClassVar[frozenset[Hook]] = frozenset({"sampling"})
    settings: Mapping[str, Any] = field(default_factory=dict)
    best_of: int = 1
    by: By = "likelihood"
    strength: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is no setting.

        Raises:
            RunError: an unknown setting, or a number of draws out of range.
        """
        unknown = sorted(set(self.settings) - set(SETTINGS))
        if unknown or not 1 <= self.best_of <= MOST:
            received = ", ".join(unknown) if unknown else f"best_of {self.best_of}"
            raise RunError(
                f"decoding: {received}: not allowed",
                f"settings: {', '.join(SETTINGS)}; best_of from 1 to {MOST}",
            )

    @functools.cached_property
    def hash(self) -> str:
        """Identity by content."""
        chosen = [self.best_of, self.by] if self.best_of > 1 else []
        return content_hash([self.kind, self.settings, chosen, self.strength])

    @property
    def draws(self) -> int:
        """Answers drawn for each that is given, at this strength: 1 + strength (best_of - 1), rounded."""
        return min(MOST, max(1, round(1 + self.strength * (self.best_of - 1))))

    def scaled(self, factor: float) -> Decoding:
        """The same settings, `factor` times as far from the base's."""
        return dataclasses.replace(self, strength=self.strength * factor)

    def sampling(self, sampling: Sampling) -> Sampling:
        """These settings at their strength, below those that a later adjustment has set."""
        return lay(sampling, Layer(self.settings, self.strength)) if self.strength else sampling

    def answers(self, model: Model, asked: Sequence[Question], report: Report | None = None) -> list[Output]:
        """One answer to each question, the best of its draws; all draws are asked for at once.

        Raises:
            ModelError: the best is chosen by what the model does not give.
        """
        wanted = [dataclasses.replace(q, sampling=self.sampling(q.sampling)) for q in asked]
        drawn = [draws(q, self.draws) if self._chooses(q) else [q] for q in wanted]
        answers = iter(model.answer([q for some in drawn for q in some], report))
        found = [[next(answers) for _ in some] for some in drawn]
        several = [number for number, some in enumerate(found) if len(some) > 1]
        best = [some[0] for some in found]
        if not several:
            return best
        scores = score(model, self.by, [wanted[n] for n in several], [found[n] for n in several], report)
        for number, values in zip(several, scores, strict=True):
            chosen = found[number][values.index(max(values))]
            best[number] = dataclasses.replace(chosen_from(chosen, found[number]), seed=asked[number].seed)
        return best

    def _chooses(self, question: Question) -> bool:
        later = isinstance(question.sampling, Laid) and question.sampling.chosen
        return self.draws > 1 and not later

    def save(self, folder: Path) -> None:
        """Write `decoding.json`."""
        write_json(folder / FILE, self._record())

    @classmethod
    def load(cls, folder: Path) -> Decoding:
        """Read what `save` wrote."""
        record = read_json(folder / FILE)
        settings = {n: tuple(v) if isinstance(v, list) else v for n, v in record["settings"].items()}
        return cls(settings, record["best_of"], record["by"], record["strength"])

    def describe(self) -> Description:
        """The settings that it changes, as fitted."""
        told = {name: Setting(self.settings[name], UNITS[name]) for name in SETTINGS if name in self.settings}
        if self.best_of > 1:
            told |= {"best_of": Setting(self.best_of, "answers drawn for one"), "by": Setting(self.by)}
        return Description(self.kind, self.strength, told, 0, 0)

    def _record(self) -> dict[str, Any]:
        return {
            "settings": dict(self.settings),
            "best_of": self.best_of,
            "by": self.by,
            "strength": self.strength,
        }
