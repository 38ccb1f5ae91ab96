"""The fields of a judgement, as a form sends them, checked and bounded."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError
from starlette.datastructures import FormData

from trimtab.review.judging import LONGEST, SIDES, SLOWEST, Answer, Choice, Flag
from trimtab.serve.pages import Refused

FLAGS: tuple[Flag, ...] = get_args(Flag)


def lines(text: str) -> str:
    """A text with the line ends that it had before a form made two characters of each; NUL no database keeps."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def _measured(given: Any) -> float:
    """Seconds as a page measured them, which may be nothing or nonsense: a judgement is not lost over that."""
    try:
        seconds = float(given)
    except (TypeError, ValueError):
        return 0.0
    return min(max(seconds, 0.0), SLOWEST) if math.isfinite(seconds) else 0.0


Text = Annotated[str, AfterValidator(lines)]


class Judged(BaseModel):
    """What every judgement has; ratings and flags have a field for each rule and side."""

    task: str = Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")
    key: str = Field(pattern=r"^[A-Za-z0-9_-]{8,32}$")
    choice: Choice
    # Twice, because a form sends two characters for the end of a line.
    reason: Text = Field("", max_length=2 * LONGEST)
    correction: Text = Field("", max_length=2 * LONGEST)
    seconds: Annotated[float, BeforeValidator(_measured)] = 0.0


def answer_of(fields: FormData, rules: Sequence[str]) -> Answer:
    """The judgement that a form says.

    Args:
        rules: ids of the guidelines' rules; what the form says of others is not read.

    Raises:
        Refused: 422, the form is not one of a judgement, or a text is too long.
    """
    try:
        judged = Judged.model_validate({name: fields[name] for name in Judged.model_fields if name in fields})
    except ValidationError as error:
        wrong = sorted({str(one["loc"][0]) for one in error.errors()})
        raise Refused(422, f"Not as the page makes them: {', '.join(wrong)}.") from None
    return Answer(
        judged.task,
        judged.key,
        judged.choice,
        {rule: said for rule in rules if (said := _rated(fields, rule))},
        judged.reason,
        judged.correction,
        {side: found for side in SIDES if (found := _flagged(fields, side))},
        judged.seconds,
    )


def _rated(fields: FormData, rule: str) -> dict[str, bool]:
    given = {side: fields.get(f"{side} keeps {rule}") for side in SIDES}
    return {side: value == "yes" for side, value in given.items() if value in ("yes", "no")}


def _flagged(fields: FormData, side: str) -> tuple[Flag, ...]:
    given = fields.getlist(f"{side} is")
    return tuple(flag for flag in FLAGS if flag in given)
