from __future__ import annotations

import pytest

from tests.audit.planted import read
from trimtab.audit.checks import markup


def of(check: object, answer: str, prompt: str = "What is new?") -> list[tuple[str, str]]:
    found = check(read(0, {"prompt": prompt, "completion": answer}))  # type: ignore[operator]
    return [(answer[hit.span.start : hit.span.end], hit.span.type) for hit in found if hit.span]


@pytest.mark.parametrize(
    ("text", "clean", "marks"),
    [
        ("It is <b>new</b>.", "It is new.", ["<b>", "</b>"]),
        ("One.<br/>Two.", "One.\nTwo.", ["<br/>"]),
        ("<p>One &amp; two</p>", "One & two", ["<p>", "</p>", "&amp;"]),
        ('See <a href="/x?a=1">here</a>&nbsp;now', "See here now", ['<a href="/x?a=1">', "</a>", "&nbsp;"]),
        ("<script>var a = 1</script>Text", "Text", ["<script>", "</script>"]),
        ("It&#39;s &lt;fine&gt;", "It's <fine>", ["&#39;", "&lt;", "&gt;"]),
        ("Use `<b>` for bold, as in\n```html\n<p>&amp;</p>\n```", None, []),
        ("So <b>it</b> is:\n```\n<b>\n```\nDone", "So it is:\n```\n<b>\n```\nDone", ["<b>", "</b>"]),
        ("&lt;p&gt;One&lt;/p&gt;", "One", ["&lt;", "&gt;", "&lt;", "&gt;"]),
        ("x < 3 and y > 2, AT&T; a<b", None, []),
        ("List<String> and Map<K, V>; if a <b and c> d", None, []),
        ("Dear <name>, your <title> at <address>", None, []),
        ("R&D; Q&A;", None, []),
    ],
)
def test_tags_and_entities(text: str, clean: str | None, marks: list[str]) -> None:
    assert [piece for piece, _ in of(markup.remains, text)] == marks
    assert markup.without_markup(text) == (text if clean is None else clean)


def test_a_row_about_markup_is_left_alone() -> None:
    assert of(markup.remains, "<b>new</b>", "Write HTML for a bold word") == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("We use cookies to make this better.", [("We use cookies", "notice")]),
        ("Good hotel. Click here to book.", [("Click here", "notice")]),
        ("Home | About | Contact | Log in\nThe news", [("Home | About | Contact | Log in", "menu")]),
        ("Rice | Beans | Corn | Peas", []),
        ("She clicked the door shut; the cookies were here.", []),
    ],
)
def test_notices_and_menus(text: str, found: list[tuple[str, str]]) -> None:
    assert of(markup.boilerplate, text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Yes.<|im_end|>\n<|im_start|>user", ["<|im_end|>", "<|im_start|>"]),
        ("[INST] hello [/INST]", ["[INST]", "[/INST]"]),
        ("### Response:\nYes", ["### Response:"]),
        ("Yes.\n\nHuman: and now?", ["\n\nHuman: "]),
        ("The user: a person. [1] <s> alone", ["<s>"]),
        ("## Response times\nAll good", []),
    ],
)
def test_markers_of_templates(text: str, found: list[str]) -> None:
    assert [piece for piece, _ in of(markup.turns, text)] == found
