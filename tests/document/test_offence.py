"""Sets whose texts may offend: their pages keep them closed."""

from __future__ import annotations

from pathlib import Path

from tests.document import made
from trimtab.document import offence, report


def test_few_rude_words_among_many_texts_do_not_close_a_set() -> None:
    assert not offence.may_offend(["a kind word"] * 99 + ["you idiot"])
    assert offence.may_offend(["a kind word"] * 19 + ["you IDIOTS!"])
    assert not offence.may_offend([])


def test_a_report_on_offending_texts_shows_none_before_it_is_asked(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    assert offence.NOTE not in report(folder)
    rows = folder.rows("examples.jsonl")
    rude = [{**row, "messages": [{"role": "user", "content": "Shut up, you idiot."}]} for row in rows]
    folder.write_rows("examples.jsonl", rude)
    html = report(folder)
    assert offence.NOTE in html
    assert '<details class="item' in html
    outputs = html[html.index('id="outputs"') : html.index('id="ladder"')]
    assert " open>" not in outputs
    assert '<span class="begin">text that may offend</span>' in outputs
    assert '<span class="begin">Shut' not in outputs
