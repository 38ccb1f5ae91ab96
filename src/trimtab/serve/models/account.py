"""What is known of one request while it is served, for the log and the counts: never a word of its content."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from fastapi import Request

from trimtab.live.keys import Key
from trimtab.serve.models import answering


@dataclass
class Account:
    """One request.

    Attributes:
        id: the response's, once there is one.
        key: with which it came; None where none was asked for.
        model: the name that was asked for, once it is known to be one.
        arm: what a profile chose for it.
        code: why it was refused. fault: where it failed, on our side.
    """

    route: str = ""
    method: str = ""
    id: str = field(default_factory=lambda: f"req-{secrets.token_hex(12)}")
    key: Key | None = None
    model: str = ""
    arm: str = ""
    status: int = 0
    code: str = ""
    fault: str = ""
    rules: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)
    answers: answering.Request | None = None

    @property
    def owner(self) -> str:
        """Under what answers are kept."""
        return self.key.id if self.key else ""

    @property
    def first(self) -> float | None:
        """Seconds until the first token; None before it."""
        at = self.answers.first if self.answers else None
        return None if at is None else max(0.0, at - self.began)

    @property
    def tokens(self) -> tuple[int, int]:
        """Those of the prompt, and those that were drawn so far."""
        return (self.answers.prompt, self.answers.spent) if self.answers else (0, 0)

    @property
    def seconds(self) -> float:
        """Since it came."""
        return time.monotonic() - self.began

    def line(self) -> dict[str, Any]:
        """What the log says of it; the key by its id, which leads to nobody once its holder was forgotten."""
        prompt, drawn = self.tokens
        content = {
            "time": time.time(),
            "id": self.id,
            "key": self.owner,
            "method": self.method,
            "route": self.route,
            "model": self.model,
            "stack": self.answers.served.stack.hash if self.answers else "",
            "status": self.status,
            "prompt_tokens": prompt,
            "answer_tokens": drawn,
            "first_token": None if self.first is None else round(self.first, 6),
            "seconds": round(self.seconds, 6),
        }
        return content | {name: value for name in ("code", "fault") if (value := getattr(self, name))}


def account_of(request: Request) -> Account:
    """The account of a request; an empty one where nobody keeps any."""
    found: Account | None = getattr(request.state, "account", None)
    return found or Account()
