"""Text within 80 columns, tables, and live progress off a terminal."""

from __future__ import annotations

import io

import pytest

from trimtab.cli import progress, show
from trimtab.records import Estimate, Progress, plain

WORDS = "several plain words that go on and on " * 6


def test_wrapped_keeps_80_columns_and_line_breaks() -> None:
    lines = show.wrapped(f"{WORDS}\n- {WORDS}", indent="  ", first="Error: ").splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("Error: several")
    assert sum(line.startswith("  - several") for line in lines) == 1
    assert lines[-1].startswith("    ")


def test_paths_and_commands_are_never_cut() -> None:
    path = "/a-folder/with-a-name" * 6
    assert path in show.wrapped(f"written to {path} now").splitlines()
    command = f"trimtab init {path} --prompt body --answer reply"
    assert f"  {command}" in show.wrapped(f"name them:\n{command}", indent="  ", first="Hint: ").splitlines()


def test_table_aligns_numbers_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    show.table(["name", "items"], [["a", "5"], ["longer", "1234"]], numbers=[1])
    assert capsys.readouterr().out == "name    items\na           5\nlonger   1234\n"


def test_document_turns_nan_into_null(capsys: pytest.CaptureFixture[str]) -> None:
    show.document({"value": float("nan"), "word": "é"})
    assert capsys.readouterr().out == '{\n "value": null,\n "word": "é"\n}\n'


def test_interval_says_why_it_is_undefined() -> None:
    nan = float("nan")
    assert show.interval(plain(Estimate(1.25, 0.5, 2.0, 0.95, 30, "t"))) == "1.25 [0.5, 2]"
    assert show.interval(plain(Estimate(nan, nan, nan, 0.95, 1, "", "one item"))) == "undefined: one item"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "0 s"), (59.4, "59 s"), (60, "1 min 0 s"), (200, "3 min 20 s"), (3900, "1 h 5 min")],
)
def test_span(seconds: float, text: str) -> None:
    assert progress.span(seconds) == text


def test_one_plain_line_every_ten_seconds(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    report = progress.PlainProgress(every=10, clock=lambda: now)
    for second in range(41):
        now = float(second)
        report(Progress("train", second, 40, {"loss": 1.2345, "tokens/s": 250.0}))
    report(Progress("measure", 0, 10))
    printed = capsys.readouterr()
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert lines[0] == "train    0%  loss 1.23  tokens/s 250"
    assert lines[1] == "train   25%  loss 1.23  tokens/s 250  30 s left"
    assert len(lines) == 1 + 4 + 1
    assert lines[-1] == "measure    0%"


def test_a_stage_that_starts_over_is_timed_anew(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    report = progress.PlainProgress(every=10, clock=lambda: now)
    for start in (0, 100):
        for second in range(0, 61, 10):
            now = float(start + second)
            report(Progress("read", second, 100))
    lines = capsys.readouterr().err.splitlines()
    assert lines[6] == "read   60%  40 s left"
    assert lines[13] == "read   60%  40 s left"


def test_progress_off_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", io.StringIO())
    with progress.live() as report:
        assert isinstance(report, progress.PlainProgress)
    with progress.live(as_json=True) as report:
        assert report is None
    with progress.live(as_json=True, wanted=True) as report:
        assert isinstance(report, progress.PlainProgress)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_bars_on_a_terminal_show_stage_loss_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with progress.live(as_json=True) as report:
        assert report is not None
        report(Progress("train", 0, 40))
        report(Progress("train", 10, 40, {"loss": 1.5, "tokens/s": 250.0}))
        report(Progress("measure on select", 1, 4))
    drawn = screen.getvalue()
    assert "train" in drawn
    assert "loss 1.5" in drawn
    assert "measure on select" in drawn


def test_a_dumb_terminal_gets_plain_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.setenv("TERM", "dumb")
    with progress.live() as report:
        assert isinstance(report, progress.PlainProgress)
