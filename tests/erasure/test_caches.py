"""What goes from the cache: replies by item and by what they quote, all rendered rows, what killed processes left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from trimtab.erasure import Asked, erase
from trimtab.model.kept import Kept, Reply

SAID = "The harbour office closes at noon on Fridays"


def reply(text: str) -> Reply:
    """A reply of a service."""
    return Reply(text, "stop", (), 1, 1, 0.1)


def project(folder: Path) -> Path:
    """Two people's rows."""
    folder.mkdir()
    rows = [
        {"id": "r1", "prompt": SAID, "completion": "ok", "subject": "p"},
        {"id": "r2", "prompt": "Another text of another person", "completion": "ok", "subject": "q"},
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_replies_go_by_their_item_and_by_what_they_quote(tmp_path: Path, cache: Path) -> None:
    kept = Kept(cache / "answers")
    kept.keep("aa1", reply("Yes."), "r1")
    kept.keep("aa2", reply("No."), "r2")
    kept.keep("aa3", reply(f'You wrote: "{SAID}".'), "r2")
    erase(Asked("p", project(tmp_path / "project")))
    assert [kept.find(key) is not None for key in ("aa1", "aa2", "aa3")] == [False, True, False]


def test_the_rest_of_the_cache_is_searched_and_models_are_not(tmp_path: Path, cache: Path) -> None:
    files = ("replay/a.json", "replay/b.json", "tokens/c.npz", "models/m/config.json")
    for name, text in zip(files, (SAID, "nothing", "any", SAID), strict=True):
        (cache / name).parent.mkdir(parents=True, exist_ok=True)
        (cache / name).write_text(text)
    record = erase(Asked("p", project(tmp_path / "project")))
    assert [(cache / name).exists() for name in files] == [False, True, False, True]
    assert record["checked"]["found"] == []


def test_what_a_killed_process_left_goes_and_what_is_being_written_stays(tmp_path: Path, cache: Path) -> None:
    home = project(tmp_path / "project")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = home / f".rows.jsonl.{gone.pid}.part"
    at_work = home / f".other.jsonl.{os.getppid()}.part"
    left.write_text("half a row")
    at_work.write_text("half a row")
    erase(Asked("p", home))
    assert not left.exists()
    assert at_work.exists()
