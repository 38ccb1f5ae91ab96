"""Every error that Trimtab raises on purpose.

TrimtabError                  exit code 1, our fault unless a subclass says otherwise
|-- UserError                 2, the user can mend it; printed as one message and one hint
|   |-- RecipeError           the recipe: unknown key, wrong type, value out of range
|   |-- GuidelinesError       guidelines.yaml: the same, or rules that contradict one another
|   |-- DataError             a data file: missing, broken line, unknown shape, empty answer
|   |-- MaskError             what would be trained on is not what was meant
|   |-- ModelError            a model that cannot be found, read or trusted
|   |-- MetricError           a metric or suite that cannot be computed on these items
|   |-- RunError              a run folder: missing, damaged, in use, disk full
|   |-- ReviewError           a review, an invitation or a judgement that cannot be taken as it is
|   |-- ProfileError          a profile of a served model: unknown key, no such stack, nothing to learn from
|   |-- TaintedError          an adjustment that learned from rows which were erased since
|   `-- StatisticsError       arguments for which no honest number exists
|-- Overloaded                1, a server that cannot answer now
|-- MissingPart               3, an optional part of the installation is needed
`-- TrainingDiverged          1, the loss stopped being a number
"""

from collections.abc import Sequence


class TrimtabError(Exception):
    """A message that names the thing and what was received, and a hint: the next step."""

    exit_code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UserError(TrimtabError):
    """A mistake that the user can mend: no trace is shown."""

    exit_code = 2


class RecipeError(UserError):
    """The recipe cannot be used as written."""


class GuidelinesError(UserError):
    """The guidelines cannot be used as written."""


class DataError(UserError):
    """A data file cannot be used as written."""


class MaskError(UserError):
    """Rows whose loss mask would teach nothing, or teach never to stop."""


class ModelError(UserError):
    """A model that cannot be found, read or trusted."""


class MetricError(UserError):
    """A metric or suite that cannot be computed on these items."""


class RunError(UserError):
    """A run folder that cannot be read or written."""


class ReviewError(UserError):
    """A review, an invitation or a judgement that cannot be taken as it is."""


class StoreError(ReviewError):
    """A store of judgements that cannot be reached or written: no fault of what was sent."""


class ProfileError(UserError):
    """A profile that cannot be used as written, or cannot be changed as asked."""


class TaintedError(UserError):
    """An adjustment that may not be used, because rows that it learned from were erased."""


class StatisticsError(UserError):
    """Arguments for which no honest number exists."""


class Overloaded(TrimtabError):
    """A server has more to do than it can, or is about to end: the same request may be sent again."""


class MissingPart(TrimtabError):
    """An optional part of the installation is needed for what was asked."""

    exit_code = 3


class TrainingDiverged(TrimtabError):
    """The training loss is no longer a finite number."""


def several(problems: Sequence[str], *, limit: int = 20) -> str:
    """Join all problems of a file into one message, the first `limit` of them in full."""
    shown = [f"- {problem}" for problem in problems[:limit]]
    if len(problems) > limit:
        shown.append(f"- and {len(problems) - limit} more")
    return "\n".join(shown)
