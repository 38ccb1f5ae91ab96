"""A review in real Chromium: two raters at once, one on a phone by keys alone; nothing says whose answers they read."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.serve import made
from tests.serve.made import LEFT_TEXT, STACKS, Scene, scene
from trimtab.review import people, reading
from trimtab.review.store import Store
from trimtab.serve import running
from trimtab.serve.app import application
from trimtab.serve.limits import Limits, Rate

CHROMIUM = shutil.which("chromium") or ""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
]
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
DESK: dict[str, Any] = {"viewport": {"width": 1280, "height": 900}}
# Keys count from then on, so that none meant for the pair before judges the next.
EARLY = 350
QUICK = Rate(10_000, 10_000)
# Words of the record that no page has a use of its own for.
UNSAID = {*STACKS, "stray", "smollm2", "adapter", "distinct-2", "estimate", "attention"}
Visit = Callable[[Browser, str], Awaitable[None]]


@pytest.fixture(autouse=True)
def chromium() -> None:
    if not CHROMIUM:
        reason = "Chromium is not installed: apt-get install chromium"
        if os.environ.get("TRIMTAB_CI"):
            pytest.fail(reason)
        pytest.skip(reason)


class Recorded:
    """An application, and all that it answers: statuses, headers and bodies as they go over the wire."""

    def __init__(self, app: ASGIApp) -> None:
        self.app, self.told = app, bytearray()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            for name, value in message.get("headers", ()):
                self.told += name + b": " + value + b"\n"
            self.told += message.get("body", b"")
            await send(message)

        await self.app(scope, receive, sent)


@contextmanager
def served(found: Scene) -> Iterator[tuple[str, Recorded]]:
    """The address of a scene's application, in a thread of this process, and what it answers."""
    listening = running.listen()
    recorded = Recorded(application(found.store, limits=Limits(QUICK, QUICK, QUICK)))
    server = running.server(recorded)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield running.address(listening), recorded
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
        found.store.close()


def visited(found: Scene, visit: Visit) -> bytes:
    """Visit a scene with a browser; returns all that it was answered."""

    async def with_browser(address: str) -> None:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            try:
                await visit(browser, address)
            finally:
                await browser.close()

    with served(found) as (address, recorded):
        asyncio.run(with_browser(address))
    return bytes(recorded.told)


def faults_of(context: BrowserContext) -> list[str]:
    """What goes wrong in a browser: refusals, errors of scripts, what the console says."""
    found: list[str] = []
    context.on("response", lambda r: found.append(f"{r.status} {r.url}") if r.status >= 400 else None)
    context.on("console", lambda message: found.append(message.text))
    context.on("weberror", lambda error: found.append(str(error.error)))
    return found


async def joined(browser: Browser, address: str, token: str, **device: Any) -> tuple[Page, list[str]]:
    """The first page of somebody who has opened their link and come in."""
    context = await browser.new_context(**device)
    faults = faults_of(context)
    page = await context.new_page()
    await page.goto(f"{address}/join/{token}")
    await page.keyboard.press("Tab")
    await page.get_by_role("main").get_by_role("button").focus()
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{address}/")
    return page, faults


async def next_page(page: Page, act: Awaitable[None]) -> None:
    """Do what leads to the next page, and wait until keys count on it."""
    async with page.expect_navigation():
        await act
    await page.wait_for_timeout(EARLY)


async def prefers_mild(page: Page) -> str:
    """The side of the answer that is about a mild tea, or that keeps the rule which is taught."""
    left = await page.locator("article", has=page.locator("#left-name")).inner_text()
    good = [text for rule in made.GUIDELINES["rules"] for text in rule["good"]]
    return "left" if LEFT_TEXT.split("\n")[0] in left or any(text in left for text in good) else "right"


async def judged_by_keys(page: Page, keys: dict[str, str]) -> int:
    """Judge all that comes with the keyboard alone; returns how many pairs that were."""
    count = 0
    await page.wait_for_timeout(EARLY)
    while True:
        if await page.locator("#judgement").count():
            await next_page(page, page.keyboard.press(keys[await prefers_mild(page)]))
            count += 1
        elif await page.locator(".feedback").count():
            await (
                page.get_by_role("link", name="Next")
                .or_(page.get_by_role("button", name="Next"))
                .first.focus()
            )
            await next_page(page, page.keyboard.press("Enter"))
        else:
            return count


def test_two_raters_at_once_finish_a_review_and_learn_nothing_of_whose_answers_they_read(
    tmp_path: Path,
) -> None:
    found = scene(tmp_path, count=6, training=True, again=0.3, attention=0.3)
    tokens = [people.invite(found.store, name, "rater") for name in ("Ada", "Ben")]

    async def rate(
        browser: Browser, address: str, token: str, device: dict[str, Any], keys: dict[str, str]
    ) -> None:
        page, faults = await joined(browser, address, token, **device)
        await page.get_by_role("link", name="Begin").focus()
        await next_page(page, page.keyboard.press("Enter"))
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert await judged_by_keys(page, keys) >= 6
        assert faults == []

    async def visit(browser: Browser, address: str) -> None:
        await asyncio.gather(
            rate(browser, address, tokens[0], PHONE, {"left": "ArrowLeft", "right": "ArrowRight"}),
            rate(browser, address, tokens[1], DESK, {"left": "1", "right": "3"}),
        )

    told = visited(found, visit)
    assert len(told) > 50_000
    for secret in made.SECRETS:
        assert secret not in UNSAID or secret.encode() not in told, secret
    real = [vote for vote in scene_votes(tmp_path) if vote.share == "estimate" and not vote.again]
    assert {vote.rater for vote in real} == {"1", "2"}
    assert len(real) == 12
    assert all(vote.won == STACKS[0] for vote in real)
    assert all(vote.seconds > 0 for vote in real)


def scene_votes(folder: Path) -> list[Any]:
    """The votes of the scene in a folder."""

    store = Store.open(f"sqlite:///{folder / 'people.db'}")
    try:
        return reading.votes(store, 1)
    finally:
        store.close()


def test_undo_a_field_that_is_written_in_and_another_device(tmp_path: Path) -> None:
    found = scene(tmp_path, count=3)
    token = people.invite(found.store, "Ada", "rater")

    async def visit(browser: Browser, address: str) -> None:
        page, faults = await joined(browser, address, token, **DESK)
        await next_page(page, page.get_by_role("link", name="Begin").click())
        first = await page.locator(".turn.user").inner_text()
        await next_page(page, page.keyboard.press("2"))
        assert await page.locator(".turn.user").inner_text() != first
        await next_page(page, page.keyboard.press("u"))
        assert await page.locator(".turn.user").inner_text() == first
        # What is typed into a field judges nothing.
        await page.get_by_text("Say more").click()
        await page.get_by_label("Reason").fill("")
        await page.get_by_label("Reason").press_sequentially("1 s 3 u 4")
        await page.get_by_label("Write it better").fill("A green tea.\nTwo minutes.")
        await next_page(page, page.get_by_role("button", name="Both bad").click())
        second = await page.locator(".turn.user").inner_text()
        phone, _ = await joined(browser, address, token, **PHONE)
        await next_page(phone, phone.get_by_role("link", name="Go on").tap())
        assert await phone.locator(".turn.user").inner_text() == second
        assert faults == []

    visited(found, visit)
    (vote,) = scene_votes(tmp_path)
    assert vote.choice == "bad"


def test_without_scripts_everything_is_there_but_the_keys(tmp_path: Path) -> None:
    found = scene(tmp_path, count=2)
    token = people.invite(found.store, "Ada", "rater")

    async def visit(browser: Browser, address: str) -> None:
        page, _ = await joined(browser, address, token, java_script_enabled=False, **DESK)
        await page.get_by_role("link", name="Begin").click()
        for _ in range(2):
            async with page.expect_navigation():
                await page.get_by_role("button", name="Right better").click()
        assert await page.locator("#judgement").count() == 0

    visited(found, visit)
    assert [vote.choice for vote in scene_votes(tmp_path)] == ["right", "right"]


def test_an_author_sees_how_it_goes_and_lets_somebody_in(tmp_path: Path) -> None:
    found = scene(tmp_path, count=2, purpose="verdict")
    token = people.invite(found.store, "Dora", "author")

    async def visit(browser: Browser, address: str) -> None:
        page, faults = await joined(browser, address, token, **PHONE)
        await page.goto(f"{address}/people")
        await page.get_by_label("Name or pseudonym").fill("Eve")
        async with page.expect_navigation():
            await page.get_by_role("button", name="Make a link").tap()
        link = await page.locator("code").inner_text()
        assert link.startswith(f"{address}/join/")
        other, _ = await joined(browser, address, link.rpartition("/")[2], **DESK)
        assert await other.get_by_role("link", name="Begin").count() == 1
        await page.goto(f"{address}/reviews/1/author")
        assert "Who judges" in await page.locator("main").inner_text()
        assert "mild tea" not in await page.content()
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        async with page.expect_navigation():
            await page.get_by_role("button", name="End the review").tap()
        assert "closed" in await page.locator("main").inner_text()
        assert faults == []

    visited(found, visit)
