"""The pages of runs in real Chromium, on a phone: a ladder that grows by itself, and two dials."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.serve.runs.made import Place
from tests.serve.runs.test_live import unfinished
from tests.serve.test_browser import CHROMIUM, FLAGS, PHONE, chromium, faults_of
from trimtab.records import Progress
from trimtab.review import people
from trimtab.run import RunFolder
from trimtab.serve import running
from trimtab.tracking import FILE

__all__ = ["chromium"]

pytestmark = pytest.mark.usefixtures("cache")
Visit = Callable[[Page, str], Awaitable[None]]
FITS = "document.documentElement.scrollWidth <= innerWidth"


def visited(place: Place, visit: Visit, **device: Any) -> None:
    """Come in as the author, with a browser that says of nothing that it went wrong."""
    token = people.invite(place.store, "Ada", "author")

    async def with_browser(address: str) -> None:
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            context = await browser.new_context(**(PHONE | device))
            faults = faults_of(context)
            page = await context.new_page()
            await page.goto(f"{address}/join/{token}")
            await page.get_by_role("button", name="Begin").click()
            await page.wait_for_url(f"{address}/runs")
            assert await page.evaluate(FITS)
            await visit(page, address)
            assert faults == []
            await browser.close()

    listening = running.listen()
    server = running.server(place.app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        asyncio.run(with_browser(running.address(listening)))
    finally:
        place.project.leave()
        server.should_exit = True
        thread.join()
        listening.close()


def test_a_ladder_grows_by_itself_until_the_verdict(place: Place, run: RunFolder) -> None:
    verdict, ladder = run.read("verdict.json"), run.read("ladder.json")
    unfinished(run)
    run.write(FILE, Progress("fitting layers-0", 3, 10, {"loss": 1.5}))

    async def visit(page: Page, address: str) -> None:
        with run.locked():
            await page.goto(f"{address}/runs/{run.path.name}")
            await expect(page.locator("#progress")).to_contain_text("fitting layers-0", timeout=20_000)
            await page.evaluate("window.same = true")
            run.write(FILE, Progress("measuring layers-0", 9, 10))
            await expect(page.locator("#progress")).to_contain_text("measuring layers-0", timeout=20_000)
            assert "being tried" in await page.locator("#climb").inner_text()
            run.write("ladder.json", ladder)
            await expect(page.locator("#climb")).to_contain_text("passed", timeout=20_000)
            assert await page.evaluate("window.same && " + FITS)
            run.write("verdict.json", verdict)
        await expect(page.locator("h1")).to_contain_text("Ship", timeout=20_000)
        assert await page.evaluate("!window.same && " + FITS)

    visited(place, visit)


def test_a_dial_says_its_number_and_two_stacks_answer(place: Place, run: RunFolder) -> None:
    async def visit(page: Page, address: str) -> None:
        await page.goto(f"{address}/runs/{run.path.name}")
        await page.get_by_role("link", name="Try it").tap()
        left, right = (page.get_by_label("Strength").nth(number) for number in (0, 1))
        await right.focus()
        await page.keyboard.press("End")
        assert await page.locator("output").nth(1).inner_text() == "1.50"
        await page.keyboard.press("ArrowLeft")
        assert await page.locator("output").nth(1).inner_text() == "1.45"
        assert await left.input_value() == "1"
        assert await page.evaluate(FITS)
        await page.get_by_label("Question").fill("item 1")
        await page.get_by_role("button", name="Ask both").tap()
        await expect(page.locator("article").nth(1)).to_contain_text("ok", timeout=120_000)
        assert f"{run.path.name} at strength 1.45" in await page.locator("main").inner_text()
        assert await page.evaluate(FITS)
        # The dials stand where they were left.
        assert await page.locator("output").nth(1).inner_text() == "1.45"

    visited(place, visit)


def test_without_scripts_the_answers_come_as_well(place: Place, run: RunFolder) -> None:
    async def visit(page: Page, address: str) -> None:
        await page.goto(f"{address}/runs/{run.path.name}/try")
        await page.get_by_label("Question").fill("item 1")
        await page.get_by_role("button", name="Ask both").click()
        await expect(page.locator("article").nth(1)).to_contain_text("ok", timeout=120_000)

    visited(place, visit, java_script_enabled=False)
