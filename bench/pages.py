"""Whether pages can be used by everyone: axe-core, sideways scrolling, size and loads, in headless Chromium.

Each page is seen at 360 and 1280 pixels, light and dark, with its folds closed and then open. axe judges no text in
drawings; `drawn.js` does. Exit code 1 on a violation that is serious or critical, on a page that scrolls sideways, has
3 MB or more, loads anything, or has something that the Tab key does not reach or show.
Needs `chromium` and, for the first fetch of axe-core, `npm`.
"""

from __future__ import annotations

import argparse
import itertools
import re
import subprocess
import sys
import tarfile
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from browser import Broken, Browser, View, chromium
from record import OUT, write

AXE = "4.14.1"
MOST_BYTES = 3_000_000
WIDTHS = (360, 1280)
SCHEMES = ("light", "dark")
WINDOWS = len(WIDTHS) * len(SCHEMES)
LOADING = ("src", "srcset", "href", "xlink:href", "data", "poster", "background")
FAILING = ("serious", "critical")
DRAWN = Path(__file__).with_name("drawn.js")
# 24 by 24 pixels for what is tapped (WCAG 2.2, 2.5.8) is off in axe unless asked for.
RUN_AXE = """axe.run(document, {rules: {"target-size": {enabled: true}}}).then(found => {
  const plain = rules => rules.map(rule => ({rule: rule.id, impact: rule.impact, help: rule.help, url: rule.helpUrl,
    nodes: rule.nodes.map(node => ({target: node.target.join(" "), html: node.html, fix: node.failureSummary}))}));
  return {violations: plain(found.violations), unsure: plain(found.incomplete), passed: found.passes.length};
})"""

# Which element reaches furthest to the right, for those who have to mend it.
WIDEST = """(() => {
  const all = [...document.body.querySelectorAll("*")].filter(one => !one.closest(".scroll table"));
  const far = all.sort((a, b) => b.getBoundingClientRect().right - a.getBoundingClientRect().right)[0];
  return far.outerHTML.slice(0, 160);
})()"""

# What the Tab key must come to, and what it came to; the focus must be seen.
FOCUS = """(() => {
  const all = "a[href], summary, button, input, select, textarea, [tabindex='0']";
  window.left = new Set([...document.querySelectorAll(all)].filter(one => one.checkVisibility()));
  window.faint = new Set();
  document.activeElement.blur();
  return left.size;
})()"""
STOP = """(() => {
  const style = getComputedStyle(document.activeElement);
  left.delete(document.activeElement);
  if (style.outlineStyle === "none" && style.boxShadow === "none") faint.add(document.activeElement);
})()"""
UNREACHED = """[...[...left].map(one => "not reached by Tab: " + one.outerHTML.slice(0, 160)),
  ...[...faint].filter(one => one !== document.body).map(one => "focus not seen: " + one.outerHTML.slice(0, 160))]"""


class Loads(HTMLParser):
    """What a page's source loads from the network: every address but those of links to follow."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._styled = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at the attributes that load."""
        self._styled = tag == "style"
        for name, value in attrs:
            if name == "style":
                self._css(value or "")
            elif name in LOADING and tag not in ("a", "area") and not (value or "").startswith("data:"):
                parts = re.split(r"[\s,]+", value or "")
                self.found += [
                    f"<{tag} {name}> {part}" for part in parts if re.match(r"(?:https?:)?//", part)
                ]

    def handle_endtag(self, tag: str) -> None:
        """A style sheet ends here."""
        self._styled = False

    def handle_data(self, data: str) -> None:
        """Look at style sheets."""
        if self._styled:
            self._css(data)

    def _css(self, text: str) -> None:
        addresses = re.findall(r"""(?:url\(|@import)\s*["']?((?:https?:)?//[^\s"')]+)""", text)
        self.found += [f"css {address}" for address in addresses]


def axe() -> str:
    """The script of axe-core, fetched with npm the first time."""
    folder = OUT / "node"
    packed = folder / f"axe-core-{AXE}.tgz"
    if not packed.exists():
        folder.mkdir(parents=True, exist_ok=True)
        fetch = ["npm", "pack", f"axe-core@{AXE}", "--silent", "--pack-destination", str(folder)]
        subprocess.run(fetch, check=True, stdout=subprocess.DEVNULL)
    with tarfile.open(packed) as archive:
        script = archive.extractfile("package/axe.min.js")
        if script is None:
            raise Broken(f"{packed} has no package/axe.min.js")
        return script.read().decode()


def check(browser: Browser, page: Path, script: str, shots: Path | None) -> dict[str, Any]:
    """What is wrong with one page: violations with the views that have them, sideways scrolling, loads, keys, size.

    Of each view the folds are opened after they were looked at closed, so that what lies in them is seen too.
    """
    text = page.read_text(encoding="utf-8")
    loads, keys, sideways = set(Loads(text).found), set[str](), list[str]()
    violations: dict[str, dict[str, Any]] = {}
    unsure: dict[str, dict[str, Any]] = {}
    for width, scheme, opened in itertools.product(WIDTHS, SCHEMES, (False, True)):
        view = View(width, scheme, opened)
        if not opened:
            browser.open(page, view)
            browser.evaluate(script)
        else:
            browser.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
        wide = browser.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            sideways.append(f"{view}: {wide} px wide, {browser.evaluate(WIDEST)}")
        result = browser.evaluate(RUN_AXE)
        if not result["passed"]:
            raise Broken(f"axe found nothing to look at in {page}")
        join(violations, result["violations"] + browser.evaluate(DRAWN.read_text(encoding="utf-8")), view)
        join(unsure, result["unsure"], view)
        if shots:
            name = f"{page.parent.name}-{page.stem}-{width}-{scheme}{'-open' if opened else ''}.png"
            (shots / name).write_bytes(browser.picture(view))
        if opened and scheme == SCHEMES[0]:
            keys |= set(keyboard(browser))
        loads |= set(browser.requests())
    return {
        "page": str(page),
        "bytes": len(text.encode()),
        "violations": list(violations.values()),
        "sideways": sideways,
        "keys": sorted(keys),
        "loads": sorted(loads),
        # What axe cannot judge at one width, such as text that a table scrolls out of sight, it judges at another.
        "unsure": [
            one for one in unsure.values() if len({view.split(",")[0] for view in one["views"]}) == WINDOWS
        ],
    }


def join(seen: dict[str, dict[str, Any]], rules: list[dict[str, Any]], view: View) -> None:
    """Add what one view showed to what was seen before: one entry for each rule and element."""
    for rule in rules:
        for node in rule.pop("nodes"):
            entry = seen.setdefault(f"{rule['rule']} {node['target']}", {**rule, **node, "views": []})
            entry["views"].append(str(view))


def keyboard(browser: Browser) -> list[str]:
    """What the Tab key does not come to, or does not mark."""
    for _ in range(browser.evaluate(FOCUS) + 1):
        browser.press("Tab", 9)
        browser.evaluate(STOP)
    return list(browser.evaluate(UNREACHED))


def failures(found: dict[str, Any]) -> int:
    """How many things of a page make it fail."""
    grave: int = sum(one["impact"] in FAILING for one in found["violations"])
    return (
        grave
        + len(found["loads"])
        + len(found["sideways"])
        + len(found["keys"])
        + int(found["bytes"] >= MOST_BYTES)
    )


def show(found: dict[str, Any]) -> None:
    """Print what was found on a page, the gravest first."""
    impacts = Counter(one["impact"] for one in found["violations"])
    said = ", ".join(f"{count} {impact}" for impact, count in impacts.items()) or "no violation"
    print(f"{'FAIL' if failures(found) else 'ok  '} {found['page']}: {said}; {found['bytes']:,} bytes")
    for one in sorted(found["violations"], key=lambda one: (one["impact"] not in FAILING, one["rule"])):
        views = "all views" if len(one["views"]) == 2 * WINDOWS else "; ".join(one["views"])
        print(
            f"  {one['impact']} {one['rule']}: {one['help']} ({views})\n    {one['target']}\n    {one['html'][:200]}"
        )
        print("    " + one["fix"].replace("\n", "\n    "))
    for line in found["sideways"]:
        print(f"  scrolls sideways: {line}")
    for line in found["keys"]:
        print(f"  {line}")
    for line in found["loads"]:
        print(f"  loads: {line}")
    unsure = Counter(one["rule"] for one in found["unsure"])
    if unsure:
        print("  axe could not tell: " + ", ".join(f"{rule} of {count}" for rule, count in unsure.items()))


def main() -> int:
    """Check the pages named on the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pages", nargs="+", type=Path)
    parser.add_argument("--shots", type=Path, metavar="DIR", help="keep a picture of every view here")
    parser.add_argument("--chromium", default="chromium", metavar="COMMAND")
    parser.add_argument("--json", type=Path, default=OUT / "pages.json", metavar="FILE")
    options = parser.parse_args()
    if options.shots:
        options.shots.mkdir(parents=True, exist_ok=True)
    script, results = axe(), []
    with chromium(options.chromium) as browser:
        for page in options.pages:
            results.append(check(browser, page, script, options.shots))
            show(results[-1])
    write({"axe": AXE, "pages": results}, options.json)
    failed = sum(failures(found) > 0 for found in results)
    print(
        f"{len(results)} pages, {failed} failed; axe-core {AXE}, 360 and 1280 px, light and dark, folds closed and open"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
