"""What is kept of a probe, and how a damaged file is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.document import made
from trimtab.document import images, probe_page, probed, report
from trimtab.document.charts import Point, Threshold
from trimtab.document.coloured import Part
from trimtab.document.pictures import Passage, Response
from trimtab.document.sections import Section, Table
from trimtab.errors import RunError
from trimtab.records import Estimate, plain
from trimtab.run import RunFolder

CURVE = Response(
    "layers-probe",
    "A & B by block",
    "block",
    (Point(0, Estimate(0.6, 0.5, 0.7, 0.95, 9, "t")), Point(1, Estimate(0.9, 0.8, 1.0, 0.95, 9, "t"))),
    Threshold(0.5, "chance"),
)
FOUND = Section(
    "layers",
    "Which <blocks>",
    ("what it means",),
    (Table("Every block", ("block", "probe"), (("0", "+0.6"), ("1", "<b>0.9</b>"))),),
    {"pairs": 9},
    (CURVE, Passage("why", "text", "lead", (Part(0, "word", "question", 1.0),))),
)


def keep(folder: RunFolder, stack: str = "base") -> None:
    probed.keep(folder, "layers", {"asked": "x", "stack": stack, "section": plain(FOUND)})


def test_what_is_kept_is_read_again_and_says_whose_it_is(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    assert probed.read(folder) == []
    keep(folder)
    (found,) = probed.read(folder)
    assert (found.title, found.tables, found.pictures, found.data) == (
        FOUND.title,
        FOUND.tables,
        FOUND.pictures,
        FOUND.data,
    )
    assert found.said == ("what it means", "Looked at: the base model.")
    keep(folder, "abc")
    assert probed.read(folder)[0].said[-1] == "Looked at: the stack abc."


def test_the_report_shows_it_escaped_with_its_drawings(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    keep(folder)
    html = report(folder)
    assert CURVE.drawn() in html
    assert "Which &lt;blocks&gt;" in html
    assert "&lt;b&gt;0.9" in html
    assert '<a href="#layers">Blocks</a>' in html
    assert probe_page.write(folder).name == "report.html"
    assert [path.name for path in (folder.path / "pictures").iterdir()] == ["layers-probe.svg"]


def test_without_a_verdict_it_has_a_page_of_its_own(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    keep(folder)
    (folder.path / "verdict.json").unlink()
    page = probe_page.write(folder)
    assert page.name == "probe.html"
    assert CURVE.drawn() in page.read_text(encoding="utf-8")


def test_an_image_is_a_whole_document_with_its_colours(tmp_path: Path) -> None:
    import xml.etree.ElementTree as tree

    drawn = images.standalone(CURVE)
    root = tree.fromstring(drawn)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert root.attrib["width"] == "720"
    assert "--good: #0d6a55" in drawn
    assert images.standalone(FOUND.pictures[1]) == ""


@pytest.mark.parametrize("content", [{}, {"section": {}}, {"stack": "base", "section": {"name": "x"}}])
def test_a_damaged_file_is_told_so(tmp_path: Path, content: dict[str, object]) -> None:
    folder = RunFolder.create(tmp_path, "abcdefgh")
    probed.keep(folder, "layers", content)
    with pytest.raises(RunError, match="damaged"):
        probed.read(folder)
