"""Exit codes, errors as text and as JSON, and what an interruption says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Call
from trimtab import __version__
from trimtab.cli import main


def trimtab(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the entry point in a process of its own, after some code."""
    argv = ["trimtab", *map(str, arguments)]
    program = f"import sys\n{code}\nsys.argv = {argv!r}\nfrom trimtab.cli.main import run\nrun()"
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


def test_help_names_every_verb_within_80_columns(call: Call) -> None:
    done = call("--help")
    assert done.code == 0
    for verb, (_, text) in main.VERBS.items():
        assert f"  {verb} " in done.out
        assert text in done.out
    assert max(map(len, done.out.splitlines())) <= 80


def test_no_arguments_show_the_help(call: Call) -> None:
    assert call().out == call("--help").out


@pytest.mark.parametrize("verb", main.VERBS)
def test_each_verb_has_help_within_80_columns(call: Call, verb: str) -> None:
    done = call(verb, "--help")
    assert done.code == 0
    assert "--json" in done.out
    assert main.VERBS[verb][1].rstrip(".") in " ".join(done.out.split())
    assert max(map(len, done.out.splitlines())) <= 80
    assert call(verb, "-h").out == done.out


def test_version(call: Call) -> None:
    assert call("--version").out == f"trimtab {__version__}\n"


def test_unknown_verb_names_the_nearest(call: Call) -> None:
    done = call("tunne")
    assert (done.code, done.out) == (2, "")
    assert done.err == "Error: no verb 'tunne'\nHint: did you mean tune?\n"


def test_unknown_option_is_one_message_and_one_hint(call: Call) -> None:
    done = call("runs", "--frob")
    assert (done.code, done.out) == (2, "")
    assert [line.partition(":")[0] for line in done.err.splitlines()] == ["Error", "Hint"]
    assert "--frob" in done.err
    assert "trimtab runs --help" in done.err


def test_missing_argument_is_the_users_mistake(call: Call) -> None:
    done = call("tune")
    assert done.code == 2
    assert "RECIPE" in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        (["runs", "--frob"], "UsageError"),
        (["nothing"], "UserError"),
        (["report", "no-such-run"], "RunError"),
        (["init", "no-such-file.csv"], "DataError"),
        (["init", "--goal", "chrff"], "MetricError"),
    ],
)
def test_mistakes_as_json(call: Call, arguments: list[str], kind: str) -> None:
    done = call(*arguments, "--json")
    assert done.code == 2
    assert done.err == ""
    error = done.document["error"]
    assert error["kind"] == kind
    assert error["message"]
    assert error["hint"]


def test_a_missing_part_ends_with_3(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"prompt": "a", "completion": "b"}\n', encoding="utf-8")
    done = trimtab("sys.modules['torch'] = None", "preview", tmp_path / "a.jsonl")
    assert done.returncode == 3
    assert "torch" in done.stderr
    assert "pip install 'trimtab[local]'" in done.stderr
    assert "Traceback" not in done.stderr


METRIC = "def score(prompt, answer, references):\n    return 1.0\n"


def test_interruption_says_that_nothing_is_lost(call: Call, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("raise KeyboardInterrupt\n" + METRIC, encoding="utf-8")
    done = call("init", "--goal", "mine.py:score")
    assert (done.code, done.out) == (130, "")
    assert done.err.strip() == main.STOPPED
    assert call("init", "--goal", "mine.py:score", "--json").document["error"]["message"] == main.STOPPED


def test_our_own_fault_ends_with_1_and_a_trace(tmp_path: Path) -> None:
    broken = "import trimtab.starter\ndel trimtab.starter.from_nothing"
    done = trimtab(broken, "init", tmp_path / "new", "--json")
    assert done.returncode == 1
    assert '"kind": "AttributeError"' in done.stdout
    assert "Traceback" in done.stderr
    assert "fault of Trimtab" in done.stderr


def test_a_reader_that_goes_away_is_no_fault(tmp_path: Path) -> None:
    command = f"{sys.executable} -c 'from trimtab.cli.main import run; run()' init {tmp_path / 'new'} --json"
    done = subprocess.run(
        f"set -o pipefail; {command} | true",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
