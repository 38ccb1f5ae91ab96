"""A review in a store of its own, its application, and people who use it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from trimtab.records import Message
from trimtab.review import people, sampling
from trimtab.review.sampling import Item, Plan, Review
from trimtab.review.store import Store
from trimtab.serve.app import application
from trimtab.serve.limits import Limits

# What no page may say: the hashes and names of what is compared, and how it was measured.
STACKS = ("b4se0000c0ffee01", "ad4pter0c0ffee02")
SECRETS = (
    *STACKS,
    "keeps",
    "breaks",
    "own",
    "stray",
    "smollm2",
    "adapter",
    "distinct-2",
    "estimate",
    "attention",
)
GUIDELINES: dict[str, Any] = {
    "version": "3",
    "date": None,
    "audience": "Buyers who compare teas.",
    "tone": "Plain and friendly; no hype.",
    "rules": [
        {
            "id": "no-superlatives",
            "text": "Do not call anything the best, the finest or unique.",
            "good": ["A mild green tea from Uji.", "A dark tea with a note of malt."],
            "bad": ["The finest green tea in the world!", "Simply the best breakfast tea."],
        },
        {
            "id": "steeping-time",
            "text": "Say how long to steep it.",
            "good": ["Steep for two minutes at 70 degrees."],
            "bad": ["Steep and enjoy."],
        },
    ],
}  # fmt: skip
LEFT_TEXT = "A mild tea.\n\n  Steep it for two minutes.\n\tThen pour."
HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(2)> {{ 7 * 7 }} \u202eevil & "quoted"'


def items(count: int) -> list[Item]:
    """Items with two answers each; the second's text is hostile."""
    return [
        Item(
            f"tea-{number}",
            (Message("system", "Describe the tea."), Message("user", f"Tea number {number}, from Uji")),
            {STACKS[0]: f"{LEFT_TEXT} ({number})", STACKS[1]: f"{HOSTILE} ({number})"},
        )
        for number in range(count)
    ]


@dataclass
class Scene:
    """A store with one review, and its application."""

    store: Store
    review: int
    limits: Limits
    now: float = 0.0

    def client(self, **options: Any) -> TestClient:
        """A browser without scripts, and not signed in."""
        app = application(self.store, limits=self.limits, clock=lambda: self.now)
        return TestClient(app, raise_server_exceptions=False, **options)

    def joined(self, name: str = "Ada", role: people.Role = "rater") -> TestClient:
        """The browser of someone who has come in by an invitation."""
        client = self.client()
        path = f"/join/{people.invite(self.store, name, role)}"
        answer = client.post(path, data={"seal": field(client.get(path).text, "seal")})
        assert answer.status_code == 200, answer.text
        return client


def scene(
    folder: Path,
    *,
    count: int = 3,
    purpose: sampling.Purpose = "learning",
    training: bool = False,
    **plan: Any,
) -> Scene:
    """A review of some items, with the training of its guidelines where it is asked for."""
    store = Store.open(f"sqlite:///{folder / 'people.db'}")
    settings = Plan(**{"again": 0.0, "attention": 0.0, **plan})
    review = Review("run-1", "Teas of spring", purpose, STACKS, GUIDELINES, settings)
    wanted = (sampling.training(GUIDELINES) if training else []) + items(count)
    return Scene(store, sampling.begin(store, review, wanted).id, Limits())


def field(page: str, name: str) -> str:
    """The value of a hidden field of a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, f"no field {name} in {page[:3000]}"
    return found[1]


def fields(page: str, **changed: str) -> dict[str, str]:
    """What the form of a judgement sends."""
    return {name: field(page, name) for name in ("seal", "task", "key")} | {"choice": "left", **changed}
