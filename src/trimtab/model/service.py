"""Where a model is served, how it is asked, and what that cost: an OpenAI-compatible service by its address."""

from __future__ import annotations

import ipaddress
import os
import threading
from dataclasses import dataclass
from urllib.parse import urlsplit

from trimtab.errors import ModelError

PREFIX = "openai:"
EXAMPLE = "openai:<model>@<base_url>, such as openai:llama-3.1-8b@http://localhost:8000/v1"
KEY = "OPENAI_API_KEY"
MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Address:
    """A model and the service that answers for it; `base_url` ends without a slash."""

    model: str
    base_url: str

    @property
    def name(self) -> str:
        """As a recipe names it."""
        return f"{PREFIX}{self.model}@{self.base_url}"

    @property
    def private(self) -> bool:
        """Whether nobody on the way can read what is sent: over TLS, or within this machine."""
        parts = urlsplit(self.base_url)
        host = parts.hostname or ""
        if parts.scheme == "https" or host == "localhost":
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False


@dataclass(frozen=True, slots=True)
class Options:
    """How a service is asked.

    Attributes:
        key: environment variable that holds the API key; OPENAI_API_KEY where empty.
        at_once: requests under way at once.
        per_minute: most requests a minute; 0 is no limit.
        seconds: longest wait for one answer.
        tries: times that a request is sent before giving up.
        price_prompt, price_answer: of a million tokens, in any one currency.
    """

    key: str = ""
    at_once: int = 4
    per_minute: float = 0.0
    seconds: float = 120.0
    tries: int = 6
    price_prompt: float = 0.0
    price_answer: float = 0.0

    def price(self, prompt_tokens: float, answer_tokens: float) -> float:
        """What tokens cost."""
        return (self.price_prompt * prompt_tokens + self.price_answer * answer_tokens) / MILLION


class Spent:
    """What a service was asked, counted by several threads.

    requests: sent, the repeated ones too. repeats: of them, those sent again. answers: received and kept.
    known: answers that were found on this disk and not asked for. uncounted: answers whose tokens the service did
    not tell. prompt_tokens, answer_tokens: as the service counts them, in the answers received.
    """

    COUNTS = ("requests", "repeats", "answers", "known", "uncounted", "prompt_tokens", "answer_tokens")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(self.COUNTS, 0)

    def add(self, **counts: int) -> None:
        """Count what has just happened."""
        with self._lock:
            for name, count in counts.items():
                self._counts[name] += count

    def counts(self) -> dict[str, int]:
        """All counts so far."""
        with self._lock:
            return dict(self._counts)


def served(name: str) -> bool:
    """Whether a model's name is that of a service."""
    return name.startswith(PREFIX)


def address(name: str) -> Address:
    """Read the name of a service, openai:<model>@<base_url>.

    Raises:
        ModelError: a part is missing, or the address holds what must not be recorded. It is not repeated then.
    """
    model, scheme, rest = _parted(name.removeprefix(PREFIX))
    if not model or not rest:
        raise ModelError(f"model {PREFIX}{model}: no model, or no address after it", f"write {EXAMPLE}")
    hint = f"write {EXAMPLE}; the key stays in an environment variable, named in service.key"
    try:
        parts = urlsplit(scheme + rest)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise ModelError(f"model {PREFIX}{model}: the address is not a URL: {error}", hint) from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        reason = "a user, a password or a query, which would be recorded"
        raise ModelError(f"model {PREFIX}{model}: the address holds {reason}", hint)
    if not host or any(letter.isspace() or not letter.isprintable() for letter in name):
        raise ModelError(f"model {PREFIX}{model}: the address is not a URL", hint)
    base_url = (scheme + rest).rstrip("/").removesuffix("/chat/completions")
    return Address(model, base_url)


def _parted(text: str) -> tuple[str, str, str]:
    """Model, scheme and the rest; names of models may hold an @ of their own."""
    for scheme in ("https://", "http://"):
        model, found, rest = text.rpartition(f"@{scheme}")
        if found:
            return model, scheme, rest
    return text.partition("@")[0], "", ""


def key(where: Address, variable: str) -> str:
    """The API key of a service; empty where it is asked without one.

    The variable that no recipe names is not sent where others could read it on the way.

    Raises:
        ModelError: the variable is named and not set, or does not hold a key. Its value is never repeated.
    """
    value = os.environ.get(variable or KEY, "").strip()
    if not variable and not where.private:
        return ""
    if variable and not value:
        raise ModelError(
            "service.key: the environment has no variable of that name, or it is empty",
            "name the variable that holds the key, not the key; export it before the run",
        )
    if not value.isascii() or any(letter.isspace() or not letter.isprintable() for letter in value):
        raise ModelError(
            f"{variable or KEY}: holds characters that no API key has",
            "export the key alone, without quotes or line breaks",
        )
    return value
