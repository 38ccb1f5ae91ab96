"""How people are addressed and what they do: honorifics before a name, and job titles."""

from __future__ import annotations

import re
from collections.abc import Iterator

from trimtab.language.personal.found import Found
from trimtab.language.personal.people import CAPITAL, TITLE

_HONORIFIC = re.compile(rf"\b{TITLE}\b\.?(?=[ \u00a0][{CAPITAL}])")
_BRIEF = re.compile(
    r"(?<![\w.&-])(?:C[EFTIOMP]O|CISO|[SE]?VP|MD|PhD|Ph\.D\.|M\.D\.|MBA|Esq\.?|DDS|D\.D\.S\.|DVM)(?![\w&])"
)
_RANK = (
    "senior|junior|chief|principal|lead|head|deputy|assistant|associate|executive|managing|general|regional|national|"
    "vice|interim|acting|staff|corporate|global|international"
)
_WORK = (
    "accountant|administrator|adviser|advisor|agent|analyst|architect|assistant|attorney|auditor|broker|buyer|"
    "carpenter|chairman|chairwoman|chairperson|chemist|clerk|coach|consultant|coordinator|counsel|counselor|dentist|"
    "designer|developer|director|economist|editor|electrician|engineer|executive|inspector|instructor|investigator|"
    "journalist|lawyer|lecturer|librarian|manager|mechanic|midwife|nurse|officer|operator|paralegal|paramedic|"
    "pharmacist|photographer|physician|physicist|planner|plumber|president|producer|programmer|psychologist|"
    "receptionist|recruiter|representative|researcher|salesperson|scientist|secretary|specialist|strategist|"
    "superintendent|supervisor|surgeon|surveyor|teacher|technician|technologist|therapist|translator|treasurer|trainer|"
    "veterinarian|writer"
)
_JOB_END = re.compile(rf"(?<![\w-])(?:{_WORK})(?:-(?:elect|at-large))?(?![\w-])", re.I)
_BEFORE = re.compile(rf"(?:(?:[{CAPITAL}][\w&/'’-]*|of|and) ){{1,4}}$")
_SMALL_BEFORE = re.compile(
    rf"\b(?:as an?|am an?|is an?|was an?|job(?: title)? ?:|position ?:|occupation ?:|profession ?:|role of|post of"
    rf"|job as) (?P<job>(?:(?:{_RANK})[ -])?(?:[\w-]{{3,15}} ){{0,2}})$",
    re.I,
)
_OPENS = re.compile(r"(?:^|[.!?:;\n>]\s*)$")
_SCORE = 0.42
_MOST = 48  # characters of what stands before the last word of a job title


def titles(text: str) -> Iterator[Found]:
    """Honorifics before a name, degrees and offices in capitals, and job titles: all `TITLE`, all below `SURE`.

    A job title is written with capitals inside a sentence ("Vice President", "Senior Tax Adviser"), or follows a word
    that says so ("works as a nurse").
    """
    for pattern in (_HONORIFIC, _BRIEF):
        for match in pattern.finditer(text):
            yield Found(*match.span(), "TITLE", _SCORE)
    for match in _JOB_END.finditer(text):
        head = text[max(0, match.start() - _MOST) : match.start()]
        if match[0][0].isupper():
            before = _BEFORE.search(head)
            length = len(before[0].removeprefix("of ").removeprefix("and ")) if before else 0
            if length or not _OPENS.search(head):
                yield Found(match.start() - length, match.end(), "TITLE", _SCORE)
        elif said := _SMALL_BEFORE.search(head):
            yield Found(match.start() - len(said["job"]), match.end(), "TITLE", _SCORE)
