"""Alarms told by a webhook: what changed, when, and by how much evidence; never a text of the traffic."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2

from trimtab.errors import UserError
from trimtab.model.service import Address
from trimtab.records import plain

# An address may hold a secret, which has no place on a command line.
VARIABLE = "TRIMTAB_WEBHOOK"
# Seconds for one try, and before each further one.
PATIENCE, PAUSES = 10.0, (1.0, 5.0)
# What may be otherwise another time; every other refusal stays one.
BUSY = (408, 425, 429)


@dataclass(frozen=True)
class Webhook:
    """Where alarms are sent. Its address is never shown beyond the host: the path may be a secret.

    Raises:
        UserError: an address that others could read on the way.
    """

    url: str
    pauses: tuple[float, ...] = PAUSES
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or not Address("", self.url).private:
            raise UserError(
                f"webhook at {self.host or 'no host'}: expected an https address, or http on this machine",
                f"give webhook=https://..., or set {VARIABLE}",
            )

    @property
    def host(self) -> str:
        """Whom it reaches."""
        return urlsplit(self.url).hostname or ""

    def send(self, content: Mapping[str, Any]) -> str:
        """Post JSON; why it failed after all tries, empty where it arrived. A redirect is not followed."""
        problem = ""
        with httpx2.Client(timeout=PATIENCE, follow_redirects=False) as client:
            for pause in (0.0, *self.pauses):
                self.sleep(pause)
                try:
                    status = client.post(self.url, json=plain(content)).status_code
                except httpx2.RequestError as error:
                    problem = type(error).__name__
                    continue
                if 200 <= status < 300:
                    return ""
                problem = f"status {status}"
                if status < 500 and status not in BUSY:
                    break
        return f"the webhook at {self.host} did not take it: {problem}"


def named(url: str = "") -> Webhook | None:
    """The webhook with this address, else the one that the environment names; None where there is none.

    Raises:
        UserError: as for `Webhook`.
    """
    url = url or os.environ.get(VARIABLE, "")
    return Webhook(url) if url else None
