"""Days written in figures, whatever they are of: a fact that may single a person out beside others."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trimtab.language.personal.found import Found

_DAY = re.compile(
    r"(?<![\d/.-])(?:(?P<first>\d{1,2})(?P<sign>[/.-])(?P<second>\d{1,2})(?P=sign)(?:19|20)\d\d"
    r"|(?:19|20)\d\d(?P<mark>[/.-])(?P<month>\d{1,2})(?P=mark)(?P<day>\d{1,2}))(?![\d/-]|\.\d)"
)
_SCORE = 0.45


def dates(text: str) -> Iterator[Found]:
    """Days such as 5/5/1937, 05.05.1937 and 1937-05-05, with a year of the last or this century, below `SURE`."""
    for match in _DAY.finditer(text):
        one, other = (match["first"], match["second"]) if match["first"] else (match["month"], match["day"])
        if 1 <= min(int(one), int(other)) <= 12 and max(int(one), int(other)) <= 31:
            yield Found(*match.span(), "DATE_TIME", _SCORE)
