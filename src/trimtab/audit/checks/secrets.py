"""Keys, tokens and passwords in a text.

Formats are those that the services themselves document, most with a fixed beginning. What has none is a secret only
where it is called one (`api_key = "..."`) and looks drawn at random.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from trimtab.audit.checks.spans import hits
from trimtab.audit.findings import Hit, Row
from trimtab.language.text import replaced

# type: (what must stand in the text as it is, the pattern). Each pattern has an end to every repeat.
_FORMATS: dict[str, tuple[tuple[str, ...], re.Pattern[str]]] = {
    "private_key": (
        ("PRIVATE KEY",),
        re.compile(
            r"-----BEGIN (?:[A-Z]{2,10} ){0,2}PRIVATE KEY(?: BLOCK)?-----(?:[^-]{1,8000}-----END [A-Z ]{3,40}-----)?"
        ),
    ),
    "aws_access_key": (
        ("AKIA", "ASIA", "ABIA", "ACCA"),
        re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])"),
    ),
    "github_token": (
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        re.compile(r"(?<!\w)(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255})"),
    ),
    "gitlab_token": (("glpat-",), re.compile(r"(?<!\w)glpat-[\w-]{20,64}")),
    "slack_token": (("xox", "xapp-"), re.compile(r"(?<!\w)(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,250}")),
    "slack_webhook": (
        ("hooks.slack.com",),
        re.compile(r"hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9+/]{30,90}"),
    ),
    "google_api_key": (("AIza",), re.compile(r"(?<!\w)AIza[\w-]{35}(?![\w-])")),
    "google_oauth": (
        ("ya29.", "GOCSPX-"),
        re.compile(r"(?<!\w)(?:ya29\.[\w-]{20,250}|GOCSPX-[\w-]{20,60})"),
    ),
    "stripe_key": (
        ("k_live_", "k_test_", "whsec_"),
        re.compile(r"(?<!\w)(?:[sr]k_(?:live|test)_[A-Za-z0-9]{16,250}|whsec_[A-Za-z0-9+/]{24,100})"),
    ),
    "openai_key": (("sk-",), re.compile(r"(?<![\w-])sk-(?!ant-)(?:[a-z]{2,12}-)?[A-Za-z0-9_-]{32,250}")),
    "anthropic_key": (("sk-ant-",), re.compile(r"(?<![\w-])sk-ant-[\w-]{20,250}")),
    "huggingface_token": (("hf_",), re.compile(r"(?<!\w)hf_[A-Za-z0-9]{30,60}(?!\w)")),
    "npm_token": (("npm_",), re.compile(r"(?<!\w)npm_[A-Za-z0-9]{36}(?!\w)")),
    "pypi_token": (("pypi-AgE",), re.compile(r"(?<!\w)pypi-AgE[\w-]{50,500}")),
    "sendgrid_key": (("SG.",), re.compile(r"(?<!\w)SG\.[\w-]{16,32}\.[\w-]{32,64}")),
    "twilio_key": (("AC", "SK"), re.compile(r"(?<!\w)(?:AC|SK)[0-9a-f]{32}(?!\w)")),
    "telegram_token": ((":AA",), re.compile(r"(?<!\w)\d{8,10}:AA[\w-]{32,34}(?![\w-])")),
    "jwt": (
        ("eyJ",),
        re.compile(r"(?<![\w-])eyJ[\w-]{8,4000}\.eyJ[\w-]{8,8000}\.[\w-]{16,2000}"),
    ),
    "password_in_url": (
        ("://",),
        re.compile(r"(?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{1,14}://[^\s/:@\"'<>]{0,80}:([^\s/:@\"'<>]{3,120})@[\w.\[-]"),
    ),
}  # fmt: skip
# All others are one word of at least so many characters, which most texts lack.
_SPACED = ("private_key", "password_in_url")
_SHORTEST = 16
# What values are called, in any case and with any mark between the words.
_CALLED = re.compile(
    r"(?P<name>(?:api|secret|access|private|auth|account)[_\- ]?key"
    r"|(?:access|auth|bearer|refresh|api|secret)[_\- ]?token|(?:client|app)[_\- ]?secret|secret|token|password|passwd"
    r"|passphrase|pwd)"
    r"[\"']?(?:\s{0,3}(?:=>|:=|=|:)\s{0,3}| is:? )(?P<quote>[\"'`]?)(?P<value>[^\s\"'`,;<>(){}\[\]]{6,200})",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\bBearer\s{1,3}([A-Za-z0-9._~+/-]{20,2000}={0,2})")
_HINTS = ("secret", "token", "passw", "passphrase", "pwd")
_KEYS = ("api", "access", "private", "auth", "account")
_STANDS_FOR = re.compile(
    r"your|example|placeholder|changeme|change_me|dummy|redacted|\.\.\.|xxxx|\*{3}|<|\$\{|\{\{|^\$|^%|^env|process\.env|os\.environ",
    re.IGNORECASE,
)
_PASSWORD = re.compile(r"passw|pwd|passphrase", re.IGNORECASE)
# Bits a character: hexadecimal digits drawn at random have 4 at most, English words of this length below 3.
_RANDOM_BITS = 3.0
_RANDOM_LENGTH = 16


def secrets(row: Row) -> Iterator[Hit]:
    """`secret`: the type of a span names the service, or says `password` or `key`."""
    for text in row.texts:
        places = list(found(text.text))
        if places:
            yield from hits("secret", row, text, places)


def found(text: str) -> list[tuple[int, int, str]]:
    """Places (start, end, type) of secrets in a text, in order, those that overlap left to the first."""
    long = len(max(text.split(), key=len, default="")) >= _SHORTEST
    places = [
        (*(match.span(1) if pattern.groups else match.span()), name)
        for name, (marks, pattern) in _FORMATS.items()
        if (long or name in _SPACED) and any(mark in text for mark in marks)
        for match in pattern.finditer(text)
        if name != "password_in_url" or not _STANDS_FOR.search(match.group(1))
    ]
    lower = text.lower()
    if any(hint in lower for hint in _HINTS) or ("key" in lower and any(kind in lower for kind in _KEYS)):
        places += _named(text)
    if "bearer" in lower:
        places += [
            (*match.span(1), "bearer_token") for match in _BEARER.finditer(text) if random(match.group(1))
        ]
    return _apart(places) if places else places


def masked(text: str) -> str:
    """A text in which each secret is replaced by its type in square brackets."""
    return replaced(text, ((start, end, f"[{what}]") for start, end, what in found(text)))


def entropy(text: str) -> float:
    """Shannon entropy of the characters of a text, in bits a character; 0 for an empty one."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


def random(value: str) -> bool:
    """Whether a value looks drawn at random: long, of letters and digits, with a high entropy."""
    mixed = any(sign.isdigit() for sign in value) and any(sign.isalpha() for sign in value)
    return mixed and len(value) >= _RANDOM_LENGTH and entropy(value) >= _RANDOM_BITS


def _named(text: str) -> Iterator[tuple[int, int, str]]:
    for match in _CALLED.finditer(text):
        value = match.group("value").rstrip(".:!?")
        if len(value) < 6 or _STANDS_FOR.search(value):
            continue
        start = match.start("value")
        if _PASSWORD.search(match.group("name")):
            # In prose a word follows; a password is quoted, or holds more than letters.
            if match.group("quote") or any(sign.isdigit() for sign in value):
                yield start, start + len(value), "password"
        elif random(value):
            yield start, start + len(value), "key"


def _apart(places: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    kept: list[tuple[int, int, str]] = []
    for place in sorted(places, key=lambda place: (place[0], -place[1])):
        if not kept or place[0] >= kept[-1][1]:
            kept.append(place)
    return kept
