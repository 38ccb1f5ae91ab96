"""report.html, as the page that people get."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from itertools import pairwise
from pathlib import Path

import pytest

from tests.document import made
from trimtab.document import clouds, report, write_report
from trimtab.errors import RunError
from trimtab.records import Estimate, Example, Message, Output, Score, Verdict
from trimtab.run import RunFolder

INLINE = {"a", "b", "code", "data", "small", "span", "strong", "time"}
VOID = {"meta", "link", "br", "img", "hr", "input", "col", "wbr"}
HOSTILE = (
    "<script>alert('x')</script><img src=x onerror=alert(1)> & \" ' {{ 7 * 7 }} </style></details> \u202e"
)


class Page(HTMLParser):
    """Parses strictly: every element closed in order. Collects what the tests ask for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.numbers: list[tuple[float, str]] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], f"never closed: {self.open}"
        self.text = " ".join("".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.elements.append((tag, found))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "data":
            self.numbers.append((float(found["value"]), ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1:] == [tag], f"</{tag}> closes {self.open[-3:]} at {self.getpos()}"
        self.open.pop()
        if tag not in INLINE:
            self.words.append(" ")

    def handle_data(self, data: str) -> None:
        if "style" in self.open:
            return
        if self.open and self.open[-1] == "data":
            self.numbers[-1] = (self.numbers[-1][0], self.numbers[-1][1] + data)
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, Page]]:
    root = tmp_path_factory.mktemp("runs")
    made_of = {}
    for kind in made.KINDS:
        text = report(made.folder(root / kind.replace(" ", "-"), kind))
        made_of[kind] = (text, Page(text))
    return made_of


@pytest.mark.parametrize("kind", made.KINDS)
def test_the_page_is_whole_small_and_loads_nothing(pages: dict[str, tuple[str, Page]], kind: str) -> None:
    text, page = pages[kind]
    assert text.startswith("<!DOCTYPE html>")
    assert len(text.encode()) < 300_000
    assert not re.search(r"https?:|//[a-z]|@import|url\(|javascript:", text)
    assert not {"script", "link", "img", "iframe", "object", "form"} & {tag for tag, _ in page.elements}
    assert all(found["href"].startswith("#") for found in page.all("a"))
    assert "default-src 'none'" in text


@pytest.mark.parametrize("kind", made.KINDS)
def test_it_can_be_used_by_keyboard_and_read_aloud(pages: dict[str, tuple[str, Page]], kind: str) -> None:
    _, page = pages[kind]
    tags = [tag for tag, _ in page.elements]
    ids = [found["id"] for _, found in page.elements if "id" in found]
    assert len(ids) == len(set(ids))
    assert page.all("html")[0]["lang"] == "en-GB"
    assert [tags.count(tag) for tag in ("h1", "main", "header", "footer", "nav")] == [1, 1, 1, 1, 1]
    levels = [int(tag[1]) for tag in tags if re.fullmatch(r"h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    drawings = [found for found in page.all("svg") if found.get("class") == "drawing"]
    assert drawings
    for drawing in drawings:
        assert drawing["role"] == "img"
        assert set(drawing["aria-labelledby"].split()) <= set(ids)
    for _, found in page.elements:
        assert set(found.get("aria-labelledby", "").split()) <= set(ids)
    for link in page.all("a"):
        assert link["href"][1:] in ids
    assert all(
        "tabindex" in found and found["aria-label"]
        for found in page.all("div")
        if found.get("class") == "scroll"
    )
    assert all(found["scope"] in ("col", "row") for found in page.all("th"))
    regions = [found["aria-label"] for _, found in page.elements if found.get("role") == "region"]
    assert len(regions) == len(set(regions)), "a screen reader lists regions by their names"
    bars = [found for found in page.all("span") if found.get("class") == "bar"]
    assert bars
    assert all(found["aria-label"].endswith("%") and found["role"] == "img" for found in bars)


@pytest.mark.parametrize(
    ("kind", "opening"),
    [
        (
            "ship",
            "Ship. chrF rose from 31.2 to 62.4, shown to be more than the smallest gain worth having (2)",
        ),
        ("breached", "Hold. chrF rose from 31.2 to 62.4, but general-english got worse"),
        ("small", "Hold. chrF gained +0.71 (−0.18 to +1.61), shown not to be above"),
        ("inconclusive", "Inconclusive. chrF gained +3.1 (+0.6 to +5.6)"),
        ("explored", "Explored, not decided. No look at confirm was taken; on select, chrF rose"),
        (
            "undefined",
            "Inconclusive. The change of chrF is undefined (1 items; an interval needs at least 2)",
        ),
    ],
)
def test_the_verdict_comes_first(pages: dict[str, tuple[str, Page]], kind: str, opening: str) -> None:
    text = pages[kind][1].text
    assert opening in text
    assert text.index(opening) < text.index("Next step") < text.index("Did it get better?")


def test_every_number_is_that_of_the_record(tmp_path: Path) -> None:
    folder = made.folder(tmp_path, seeds=2)
    page = Page(report(folder))
    paths = [*folder.path.glob("*.json"), *folder.path.glob("trials/*/stack.json")]
    recorded = set().union(*(made.numbers(folder.read(str(path.relative_to(folder.path)))) for path in paths))
    recorded |= made.numbers(folder.rows(f"trials/{made.STACK}/training.jsonl"))
    recorded |= {-number for number in made.numbers(made.verdict("ship").guards)}
    recorded.add(len(folder.read("certificate.json")["rows"]))
    means = [_item_means(folder, stack) for stack in ("base", made.STACK)]
    recorded |= {v for mean in means for v in mean.values()} | {means[1][k] - means[0][k] for k in means[0]}
    assert len(page.numbers) > 150
    for value, text in page.numbers:
        assert any(math.isclose(value, number, abs_tol=1e-12) for number in recorded), (value, text)
        shown = re.fullmatch(r"[+−]?[\d,]+(\.\d+)?", text)
        if shown:
            decimals = len((shown[1] or ".")[1:])
            assert abs(float(text.replace(",", "").replace("−", "-")) - value) <= 0.5001 * 10**-decimals, (
                value,
                text,
            )


def _item_means(folder: RunFolder, stack: str) -> dict[str, float]:
    values: dict[str, list[float]] = {}
    for row in folder.rows(f"trials/{stack}/scores.jsonl"):
        values.setdefault(row["example"], []).append(row["value"])
    return {name: sum(found) / len(found) for name, found in values.items()}


def test_a_product_manager_finds_the_whole_story(pages: dict[str, tuple[str, Page]]) -> None:
    text = pages["ship"][1].text
    for said in (
        "base model 31.2 tuned model 62.4 difference, plus is better +31.2 (+28.9 to +33.6)",
        "Every interval has level 96.5%, so that each of its ends is wrong at most 1.75% of the time.",
        "This was look number 1 at this confirm set",
        "Confirm was sealed",
        "Items: 123 in tune, 49 in select, 74 in confirm.",
        "10 best",
        "10 worst",
        "2 candidates were fitted on tune and compared with the base model on select. "
        "Chosen: lora rank 16, all blocks, learning rate 0.0005, the one that did best there.",
        "Rung adapter: passed; one look at confirm at level 96.5%",
        "Time in all: 6 min 47 s (planned: 7 min 30 s). Tokens trained on, all candidates together: 189,440. "
        "Memory at most: 1.89 GB (planned: 2.1 GB).",
        "tokens learned from (the answers) 7,034",
        "'<|im_end|>' in 122 rows",
        "What the plan expected (joint power 86.9%)",
        "No person has judged the answers",
        "The model was trained once, from one seed.",
        "The model is small (135 million parameters)",
        "Rewards shared letters, not shared meaning",
        "model, dtype bfloat16 (the processor computes it natively)",
        "torch 2.13.0, transformers 5.2.0",
        "14 March 2026, 09:19 UTC",
        "Base model 3.1042, tuned model 3.1166 nats per token; 128 items.",
    ):
        assert said in text, said


def test_a_race_says_who_was_dropped_and_what_it_saved(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    folder.write("ladder.json", made.raced())
    text, page = report(folder), Page(report(folder))
    assert page.text.count("dropped after 12 of 49 items") == 1
    assert "2. lora rank 8, all blocks, learning rate 0.0002 dropped after 12 of 49 items" in page.text
    assert (
        "In the race on select 1 of 3 candidates was dropped early, which saved about 3,080 of 12,200 tokens on "
        "select (of answers; what the dropped ones would have needed is estimated from what they did need). A race "
        "drops the candidate that is best on the goal at most 5% of the time" in page.text
    )
    assert "2, dropped: " in text
    assert "1, chosen: " in text


def test_a_race_that_dropped_nobody_says_so_and_no_race_says_nothing(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    content = made.raced()
    content["rungs"][0]["candidates"][1]["dropped"] = None
    content["rungs"][0]["race"] |= {"tokens_saved": 0}
    folder.write("ladder.json", content)
    assert "none of 3 candidates was dropped early, so no tokens were saved" in Page(report(folder)).text
    content["rungs"][0]["race"] |= {"looks": [49], "reason": "there is one candidate only"}
    folder.write("ladder.json", content)
    assert "race on select" not in Page(report(folder)).text


def test_guards_say_how_they_fared(pages: dict[str, tuple[str, Page]], tmp_path: Path) -> None:
    assert "All 3 guards held." in pages["ship"][1].text
    assert (
        "general-english negative log-likelihood breached At best a loss of 0.115"
        in pages["breached"][1].text
    )
    assert "general-english negative log-likelihood inconclusive The interval" in pages["open guard"][1].text
    folder = made.folder(tmp_path)
    folder.write(
        "verdict.json", replace(made.verdict("ship"), guards=(made.guard("held", by_construction=True),))
    )
    assert (
        "negative log-likelihood held by construction This kind of adjustment cannot touch it"
        in Page(report(folder)).text
    )


def test_an_explored_run_proves_nothing(pages: dict[str, tuple[str, Page]]) -> None:
    text = pages["explored"][1].text
    assert "No look at confirm was taken, so nothing is proven yet" in text
    assert "These items also chose the candidate, so this is an indication and no proof." in text
    assert "Rung adapter: passed; no look at confirm" in text
    assert "Confirm was sealed" not in text
    assert "on 49 items of select" in text


def test_undefined_prints_its_reason_and_no_number(pages: dict[str, tuple[str, Page]]) -> None:
    text, page = pages["undefined"]
    assert "undefined (1 items; an interval needs at least 2)" in page.text
    assert "nan" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL).lower().split()
    assert 'id="target-title"' in text
    assert "target-drawing-title" not in text
    assert "loss-drawing-title" in text


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    items = [
        Example((Message("system", HOSTILE), Message("user", HOSTILE)), (HOSTILE,), f"id{i}{HOSTILE}")
        for i in range(4)
    ]
    folder = made.folder(tmp_path, items=items)
    for stack in ("base", made.STACK):
        folder.write_trial(
            stack,
            [Output(item.id, 0, HOSTILE) for item in items],
            [Score(item.id, "chrf", 0, float(i) * (stack != "base")) for i, item in enumerate(items)],
        )
    ladder = made.ladder("ship")
    ladder["rungs"][0]["rung"] = ladder["rungs"][0]["candidates"][0]["name"] = HOSTILE
    folder.write("ladder.json", ladder)
    facts = made.provenance() | {"command": HOSTILE, HOSTILE: HOSTILE}
    facts["goal"] |= {
        "metric": f"/x/{HOSTILE}.py:{HOSTILE}",
        "unit": HOSTILE,
        "question": HOSTILE,
        "limits": HOSTILE,
    }
    facts["costs"] = {HOSTILE: 1.0}
    folder.write("provenance.json", facts)
    folder.write("certificate.json", made.certificate() | {"stop_tokens": {HOSTILE: 3}})
    folder.write("verdict.json", replace(made.verdict("ship"), reasons=(HOSTILE,)))
    folder.write_text("recipe.yaml", f"model: |\n  {HOSTILE}\n")
    text = report(folder)
    page = Page(text)
    assert not {"script", "img"} & {tag for tag, _ in page.elements}
    assert "<script" not in text.lower()
    assert text.count("</style>") == 1
    assert "{{ 7 * 7 }}" in page.text
    assert not any(name.startswith("on") for _, found in page.elements for name in found)


def test_personal_data_is_masked(tmp_path: Path) -> None:
    private = (
        "Ask jane.doe@mail.example or +44 20 7946 0018, card 4111 1111 1111 1111, for the 2200 W kettle."
    )
    items = [
        Example((Message("system", private), Message("user", private)), (private,), f"item{i}")
        for i in range(3)
    ]
    folder = made.folder(tmp_path, items=items)
    for stack in ("base", made.STACK):
        folder.write_trial(
            stack, [Output(i.id, 0, private) for i in items], [Score(i.id, "chrf", 0, 1.0) for i in items]
        )
    text = report(folder)
    assert "jane.doe" not in text
    assert "20 7946" not in text
    assert "4111 1111" not in text
    assert (
        text.count("Ask [e-mail address] or [telephone number], card [card number], for the 2200 W kettle.")
        >= 13
    )


def test_long_texts_are_folded_and_the_page_stays_small(tmp_path: Path) -> None:
    long = "\"<>&'" * 4000
    items = [Example((Message("user", long),), (long,), f"item{i}") for i in range(24)]
    folder = made.folder(tmp_path, items=items, steps=5000)
    for stack in ("base", made.STACK):
        folder.write_trial(
            stack, [Output(i.id, 0, long) for i in items], [Score(i.id, "chrf", 0, 1.0) for i in items]
        )
    text = report(folder)
    assert len(text.encode()) < 1_000_000
    assert "characters are left out here; the run folder holds them all." in Page(text).text


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("certificate.json", "The mask certificate was not recorded."),
        (f"trials/{made.STACK}/training.jsonl", "The training record was not recorded."),
        ("ladder.json", "The ladder was not recorded."),
        ("provenance.json", "Provenance was not recorded."),
        ("recipe.yaml", "The recipe was not recorded."),
        ("examples.jsonl", "10 best"),
        ("plan.json", "Items: 123 in tune, 49 in select, 74 in confirm."),
        (f"trials/{made.STACK}/stack.json", "What was tried"),
        ("trials/base/scores.jsonl", "No outputs and scores on select were recorded for this run."),
    ],
)
def test_a_missing_file_leaves_a_sentence(tmp_path: Path, missing: str, said: str) -> None:
    folder = made.folder(tmp_path)
    (folder.path / missing).unlink()
    assert said in Page(report(folder)).text


def test_a_verdict_alone_makes_a_page(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "alone")
    folder.write("verdict.json", made.verdict("ship"))
    page = Page(report(folder))
    assert page.text.count("not recorded") >= 6
    assert "Ship. The target metric rose from 31.2 to 62.4" in page.text


def test_without_a_verdict_there_is_no_page(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no verdict yet"):
        report(RunFolder.create(tmp_path, "unfinished"))


def test_a_loss_that_was_never_a_number_is_left_out(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    folder.write_rows(
        f"trials/{made.STACK}/training.jsonl", [{"step": s, "loss": math.nan} for s in range(1, 4)]
    )
    page = Page(report(folder))
    assert "3 of 3 recorded steps" in page.text
    assert not any(
        found.get("aria-labelledby") == "loss-drawing-title loss-drawing-desc" for found in page.all("svg")
    )


def test_where_no_look_was_taken_at_confirm(pages: dict[str, tuple[str, Page]]) -> None:
    text = pages["no look"][1].text
    assert "Inconclusive. On select, chrF rose from 30.9 to 31.8, which is not enough to take a look" in text
    assert "from 49 items of select. These items also chose the candidate" in text
    assert "The guard held on select, which is an indication and no proof." in text
    assert "no look at the confirm part was taken: not better on select" in text
    assert "more items would decide" not in text
    assert "Confirm was sealed" not in text
    assert "This was look number" not in text


def test_a_run_that_had_nothing_to_judge(tmp_path: Path) -> None:
    folder = RunFolder.create(tmp_path, "nothing")
    nothing = Estimate(math.nan, math.nan, math.nan, 0.965, 0, "none", "no rung had a candidate")
    folder.write("verdict.json", Verdict("inconclusive", "", nothing, (), ("no rung had a candidate",), None))
    text = Page(report(folder)).text
    assert "Inconclusive. No rung had a candidate." in text
    assert "No candidate was compared with the base model." in text


def test_write_report_writes_it_into_the_folder(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    write_report(folder)
    assert (folder.path / "report.html").read_text(encoding="utf-8") == report(folder)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
def test_contrast_of_text_is_at_least_4_5_and_of_marks_3(scheme: int) -> None:
    css = files("trimtab").joinpath("document/templates/theme.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", css, flags=re.DOTALL)
    assert len(blocks) == 3
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[scheme]))
    pairs = [
        (text, ground)
        for text in ("ink", "soft", "link", "good", "bad", "open", "plain")
        for ground in ("paper", "card", "sunk")
    ]
    pairs += [(text, f"{tone}-wash") for tone in ("good", "bad", "open", "plain") for text in (tone, "ink")]
    least = dict.fromkeys(pairs, 4.5) | {(f"kind-{number}", "card"): 3.0 for number in range(clouds.KINDS)}
    for (mark, ground), ratio in least.items():
        first, second = sorted((_luminance(colours[mark]), _luminance(colours[ground])))
        assert (second + 0.05) / (first + 0.05) >= ratio, (mark, ground)


def test_it_needs_no_torch() -> None:
    code = "import sys, trimtab.document; sys.exit(bool({'torch', 'transformers'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
