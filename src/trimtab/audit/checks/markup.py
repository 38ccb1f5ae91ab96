"""What web pages and chat templates leave in a text: tags, entities, navigation, notices, turn markers.

Fences and code in backticks are what somebody wrote about, as are tags in a row that speaks of markup.
"""

from __future__ import annotations

import functools
import html
import re
from collections.abc import Iterator
from html.entities import html5

from trimtab.audit.checks.spans import answers, asked, hits, matches
from trimtab.audit.checks.wording import Wording, listed
from trimtab.audit.findings import Hit, Row

_NAMES = (
    "a|abbr|article|aside|b|big|blockquote|body|br|canvas|center|dd|del|div|dl|dt|em|embed|fieldset|figcaption|font"
    "|form|h[1-6]|head|hr|html|i|iframe|img|input|ins|kbd|li|meta|nav|noscript|ol|optgroup|p|pre|q|s|samp|script"
    "|select|span|strike|strong|style|sub|sup|table|tbody|td|textarea|tfoot|th|thead|tr|tt|u|ul|wbr"
)
# Also what people write for a thing to fill in; a tag only with an attribute or as an end.
_WORDS = (
    "address|audio|button|caption|cite|code|col|colgroup|details|figure|footer|header|label|legend|link|main|map"
    "|object|option|param|section|small|source|summary|template|time|title|var|video"
)
_ATTRIBUTES = r"\s[^<>=]{0,100}=[^<>]{0,400}"
_TAG = re.compile(
    rf"</?(?:{_NAMES})(?:{_ATTRIBUTES})?\s{{0,4}}/?>|</(?:{_WORDS})>|<(?:{_WORDS}){_ATTRIBUTES}>"
    r"|<!--|-->|<!DOCTYPE\b[^<>]{0,100}>?|<!\[CDATA\[",
    re.IGNORECASE,
)
_ENTITY = re.compile(r"&(?:([A-Za-z][A-Za-z0-9]{1,30})|#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});")
_BREAK = re.compile(r"</?(?:br|p|div|li|tr|h[1-6]|ul|ol|table|section)\b[^<>]{0,400}>", re.IGNORECASE)
_DROPPED = re.compile(r"<(script|style)\b[^<>]{0,400}>[^<]{0,20000}</\1>|<!--[^<>]{0,2000}-->", re.IGNORECASE)
_CODE = re.compile(r"```[^`]{0,20000}(?:```|\Z)|`[^`\n]{1,500}`")
_ABOUT = re.compile(
    r"\b(?:html5?|xml|css|svg|jsx|tags?|markup|web ?pages?|websites?|javascript|react|template)\b",
    re.IGNORECASE,
)
_LINES = re.compile(r"\n{3,}")
# Tags stand behind entities, and behind those of entities, in pages that were made safe more than once.
_PASSES = 8
_TURNS = re.compile(
    r"<\|[a-z_]{2,30}\|>|\[/?INST\]|<</?SYS>>|</?s>(?!\w)|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>"
    r"|^###? ?(?:Instruction|Response|Human|Assistant|User):",
    re.IGNORECASE | re.MULTILINE,
)  # fmt: skip
_SPOKEN = re.compile(r"\n[ \t]{0,8}\n?(?:Human|User|Assistant|AI): ")
_MENU = re.compile(r"(?<!\w)(?:[A-Z][\w&' ]{1,24}[|»›·•>] ?){2,30}[A-Z][\w&' ]{1,24}")
_MENU_WORD = re.compile(
    r"\b(?:home|about|contact|log ?in|sign (?:in|up)|register|menu|search|privacy|faqs?|blog|shop|products|news"
    r"|help|cart)\b",
    re.IGNORECASE,
)


def remains(row: Row) -> Iterator[Hit]:
    """`html_remains`: tags and entities, outside code, in a row that does not speak of markup."""
    about: bool | None = None
    for text in row.texts:
        if text.side == "other" or ("<" not in text.text and "&" not in text.text):
            continue
        places = list(_marks(text.text))
        if not places:
            continue
        if about is None:
            about = bool(_ABOUT.search(asked(row)))
        if about:
            return
        yield from hits("html_remains", row, text, places)


def boilerplate(row: Row) -> Iterator[Hit]:
    """`boilerplate`: cookie notices, calls to click, share or subscribe, menus."""
    for text in row.texts:
        if text.side == "other":
            continue
        notices = _listed().find(text.text)
        if notices:
            yield from hits("boilerplate", row, text, ((start, end, "notice") for start, end in notices))
        if any(sign in text.text for sign in "|»›·•>"):
            yield from hits("boilerplate", row, text, _menus(text.text))


def turns(row: Row) -> Iterator[Hit]:
    """`template_remains`: special tokens and headings of chat templates, and an answer that goes on as the user."""
    for text in row.texts:
        if text.side == "other":
            continue
        if "<" in text.text or "[" in text.text or "##" in text.text:
            yield from hits("template_remains", row, text, matches(_TURNS, text.text, "marker"))
    for text in answers(row):
        if ": " in text.text and "\n" in text.text:
            yield from hits("template_remains", row, text, matches(_SPOKEN, text.text, "turn"))


def without_markup(text: str) -> str:
    """A text without tags, and with entities as the characters they stand for; code stays as it is.

    Ends of paragraphs become line breaks; scripts, styles and comments go with what is in them.
    """
    for _ in range(_PASSES):
        if not next(_marks(text), None):
            break
        kept, at = [], 0
        for match in _CODE.finditer(text):
            kept += [_stripped(text[at : match.start()]), match.group()]
            at = match.end()
        text = "".join([*kept, _stripped(text[at:])]).strip("\n")
    return text


def _stripped(text: str) -> str:
    text = _TAG.sub("", _BREAK.sub("\n", _DROPPED.sub("", text)))
    # What was made safe twice, &amp;amp;lt;, is what it was before both.
    text = _ENTITY.sub(_character, re.sub(r"&(?:amp;)+", "&amp;", text))
    return _LINES.sub("\n\n", text)


def _character(entity: re.Match[str]) -> str:
    return html.unescape(entity.group()).replace("\xa0", " ") if _known(entity) else entity.group()


def _marks(text: str) -> Iterator[tuple[int, int, str]]:
    if "`" in text:
        # No tag holds a <, so that none reaches over code.
        text = _CODE.sub(lambda code: "<" * (len(code.group()) - 1) + " ", text)
    if "<" in text:
        yield from matches(_TAG, text, "tag")
    if "&" in text:
        yield from ((m.start(), m.end(), "entity") for m in _ENTITY.finditer(text) if _known(m))


def _menus(text: str) -> Iterator[tuple[int, int, str]]:
    """Rows of links, of which two at least are usual ones, which columns of a table are not."""
    found = (match for match in _MENU.finditer(text) if len(_MENU_WORD.findall(match.group())) > 1)
    return ((match.start(), match.end(), "menu") for match in found)


def _known(match: re.Match[str]) -> bool:
    return match.group(1) is None or f"{match.group(1)};" in html5


@functools.cache
def _listed() -> Wording:
    return Wording(listed("boilerplate"))
