"""Files to examples: every shape, and every way in which a file can be wrong."""

from __future__ import annotations

import csv
import datetime
import gzip
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.data.files import MAX_LINE
from trimtab.data.read import read, recognise
from trimtab.errors import DataError, MissingPart
from trimtab.records import Message


def write(folder: Path, name: str, *rows: Any) -> str:
    """Write rows as JSON lines (objects) or as they are (texts)."""
    path = folder / name
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def problem(source: str, **arguments: Any) -> str:
    with pytest.raises(DataError) as caught:
        read(source, **arguments)
    assert caught.value.hint
    return caught.value.message


@pytest.mark.parametrize(
    ("prompt", "completion"),
    [
        ("prompt", "completion"),
        ("question", "answer"),
        ("input", "output"),
        ("text", "summary"),
        ("source", "target"),
        ("mr", "ref"),
        ("Prompt", "Response"),
    ],
)
def test_prompt_and_completion_under_their_usual_names(tmp_path: Path, prompt: str, completion: str) -> None:
    source = write(tmp_path, "a.jsonl", {prompt: "why?", completion: "because", "extra": 3})
    (example,) = read(source)
    assert example.messages == (Message("user", "why?"),)
    assert example.references == ("because",)
    assert example.fields == {"extra": 3}
    assert example.source == ""
    shape = recognise(source)
    assert shape.kind == "prompt/completion"
    assert shape.columns == {"prompt": prompt, "completion": completion}
    assert shape.preview == "user: why?\nanswer: because"
    assert shape.certain


def test_the_parts_own_names_outweigh_other_usual_ones(tmp_path: Path) -> None:
    row = {"text": "t", "prompt": "p", "summary": "s", "completion": "c"}
    (example,) = read(write(tmp_path, "a.jsonl", row))
    assert (example.prompt, example.references) == ("p", ("c",))
    assert example.fields == {"text": "t", "summary": "s"}


def test_messages_keep_system_and_earlier_turns_as_prompt(tmp_path: Path) -> None:
    turns = [("system", "s"), ("user", "1"), ("assistant", "a"), ("user", "2"), ("assistant", "b")]
    row = {"messages": [{"role": role, "content": content} for role, content in turns]}
    (example,) = read(write(tmp_path, "a.jsonl", row))
    assert example.messages == tuple(Message(role, content) for role, content in turns[:-1])  # type: ignore[arg-type]
    assert example.references == ("b",)
    assert example.prompt == "2"


def test_sharegpt_conversations(tmp_path: Path) -> None:
    row = {"conversations": [{"from": "human", "value": "hi"}, {"from": "gpt", "value": "hello"}]}
    (example,) = read(write(tmp_path, "a.jsonl", row))
    assert example.messages == (Message("user", "hi"),)
    assert example.references == ("hello",)


def test_instruction_rows_join_instruction_and_input(tmp_path: Path) -> None:
    rows = [
        {"instruction": "Add.", "input": "1 2", "output": "3"},
        {"instruction": "Hi", "input": "", "output": "Yo"},
    ]
    examples = read(write(tmp_path, "a.jsonl", *rows))
    assert [example.prompt for example in examples] == ["Add.\n\n1 2", "Hi"]
    assert [example.references for example in examples] == [("3",), ("Yo",)]
    assert recognise(write(tmp_path, "a.jsonl", *rows)).kind == "instruction"


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "p", "chosen": "good", "rejected": "bad"},
        {"chosen": "\n\nHuman: p\n\nAssistant: good", "rejected": "\n\nHuman: p\n\nAssistant: bad"},
        {
            "chosen": [{"role": "user", "content": "p"}, {"role": "assistant", "content": "good"}],
            "rejected": [{"role": "user", "content": "p"}, {"role": "assistant", "content": "bad"}],
        },
        {
            "prompt": [{"role": "user", "content": "p"}],
            "chosen": [{"role": "assistant", "content": "good"}],
            "rejected": [{"role": "assistant", "content": "bad"}],
        },
    ],
)
def test_preference_keeps_the_rejected_answer(tmp_path: Path, row: dict[str, Any]) -> None:
    (example,) = read(write(tmp_path, "a.jsonl", row))
    assert example.messages == (Message("user", "p"),)
    assert example.references == ("good",)
    assert example.fields["rejected"] == "bad"


def test_a_preference_is_of_a_conversation_and_two_last_answers(tmp_path: Path) -> None:
    before = "\n\nHuman: p\n\nAssistant: a\n\nHuman: q\n\nAssistant:"
    row = {"chosen": f"{before} good", "rejected": f"{before} bad"}
    (example,) = read(write(tmp_path, "a.jsonl", row))
    assert [(m.role, m.content) for m in example.messages] == [
        ("user", "p"),
        ("assistant", "a"),
        ("user", "q"),
    ]
    assert (example.references, example.fields["rejected"]) == (("good",), "bad")


@pytest.mark.parametrize(
    ("rejected", "turn"),
    [
        ("\n\nHuman: p\n\nAssistant: other\n\nHuman: q\n\nAssistant: bad", 2),
        ("\n\nHuman: p\n\nAssistant: bad", 2),
    ],
)
def test_transcripts_that_part_before_the_last_answer_are_refused(
    tmp_path: Path, rejected: str, turn: int
) -> None:
    chosen = "\n\nHuman: p\n\nAssistant: a\n\nHuman: q\n\nAssistant: good"
    said = problem(write(tmp_path, "a.jsonl", {"chosen": chosen, "rejected": rejected}))
    assert "rejected: expected the conversation of chosen up to the last answer" in said
    assert f"another one from turn {turn} on" in said


@pytest.mark.parametrize("answer", [1, "1", "B", "b", "two"])
def test_choices_and_the_index_of_the_answer_go_to_fields(tmp_path: Path, answer: Any) -> None:
    row = {"question": "1+1?", "choices": ["one", "two", "three"], "answer": answer}
    (example,) = read(write(tmp_path, "a.jsonl", row))
    assert example.fields["choices"] == ["one", "two", "three"]
    assert example.fields["answer"] == 1
    assert example.references == ("two",)


@pytest.mark.parametrize("answer", [3, -1, "D", "four", None, True])
def test_an_answer_that_is_no_choice_is_a_problem(tmp_path: Path, answer: Any) -> None:
    row = {"question": "1+1?", "choices": ["one", "two", "three"], "answer": answer}
    assert "a.jsonl:1: answer: expected an index from 0 to 2" in problem(write(tmp_path, "a.jsonl", row))


def test_guard_shapes_prompt_text_and_pair(tmp_path: Path) -> None:
    (prompt,) = read(write(tmp_path, "p.jsonl", {"prompt": "How?", "label": "safe"}))
    assert (prompt.prompt, prompt.references, prompt.fields) == ("How?", (), {"label": "safe"})
    (text,) = read(write(tmp_path, "t.jsonl", {"text": "A passage.", "domain": "news"}))
    assert (text.messages, text.references, text.fields) == ((), ("A passage.",), {"domain": "news"})
    (pair,) = read(write(tmp_path, "g.jsonl", {"good": "He is.", "bad": "He are."}))
    assert (pair.messages, pair.references, pair.fields) == ((), (), {"good": "He is.", "bad": "He are."})


def test_metadata_columns(tmp_path: Path) -> None:
    row = {
        "prompt": "p", "completion": "c", "id": 7, "source": "web", "license": "CC0", "subject": "tea",
        "group": "g", "tags": ["x", "y"], "part": "confirm", "references": ["c", "d"],
    }  # fmt: skip
    (example,) = read(write(tmp_path, "a.jsonl", row))
    found = (example.id, example.source, example.licence, example.subject, example.group, example.tags)
    assert found == ("7", "web", "CC0", "tea", "g", ("x", "y"))
    assert example.fields == {"part": "confirm"}
    assert example.references == ("c", "d")
    assert "part: expected tune, select or confirm, received 'dev'" in problem(
        write(tmp_path, "b.jsonl", row | {"part": "dev"})
    )


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("2026-03-31", "2026-03-31"),
        (" 2026-03-31T09:30:00Z ", "2026-03-31T09:30:00Z"),
        ("2026-03-31 09:30", "2026-03-31 09:30"),
        ("", ""),
        (None, ""),
    ],
)
def test_consent_and_the_date_of_collection_are_no_part_of_an_id(
    tmp_path: Path, given: str | None, kept: str
) -> None:
    row = {"prompt": "p", "completion": "c"}
    (bare,) = read(write(tmp_path, "a.jsonl", row))
    more = {"consent": True, "Collected at": given, "subject": "p-1"}
    (example,) = read(write(tmp_path, "b.jsonl", row | more))
    assert (example.consent, example.collected_at, example.subject) == ("yes", kept, "p-1")
    assert (example.id, example.fields) == (bare.id, bare.fields)
    assert (bare.consent, bare.collected_at) == ("", "")
    (said,) = read(write(tmp_path, "c.jsonl", row | {"consent": "form 3", "collected": "2026-03-31"}))
    assert (said.consent, said.collected_at) == ("form 3", "2026-03-31")


@pytest.mark.parametrize(
    "given", ["31.03.2026", "2026-02-30", "20260331", "2026-W14-2", "soon", 20260331, True]
)
def test_what_is_no_date_of_collection_is_named(tmp_path: Path, given: object) -> None:
    row = {"prompt": "p", "completion": "c", "collected_at": given}
    said = problem(write(tmp_path, "a.jsonl", row))
    assert "a.jsonl:1: collected_at: expected a date such as 2026-03-31" in said


def test_parquet_dates_are_dates_of_collection(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    day = datetime.date(2026, 3, 31)
    table = pyarrow.table({"prompt": ["p"], "completion": ["c"], "collected_at": [day]})
    path = tmp_path / "a.parquet"
    pytest.importorskip("pyarrow.parquet").write_table(table, path)
    assert read(str(path))[0].collected_at == "2026-03-31"


def test_columns_map_usual_names_to_own_ones(tmp_path: Path) -> None:
    row = {"promotional": "Wow!", "neutral": "It is.", "category": "tea", "text": "left alone"}
    columns = {"prompt": "promotional", "completion": "neutral", "subject": "category"}
    (example,) = read(write(tmp_path, "a.jsonl", row), columns)
    assert (example.prompt, example.references, example.subject) == ("Wow!", ("It is.",), "tea")
    assert example.fields == {"text": "left alone"}


def test_wrong_columns_are_answered_with_the_nearest_ones(tmp_path: Path) -> None:
    source = write(tmp_path, "a.jsonl", {"promotional": "a", "neutral": "b"})
    message = problem(source, columns={"promt": "promotional", "completion": "neutrl"})
    assert "promt: not a usual name; did you mean prompt?" in message
    assert "has no column 'neutrl'; did you mean neutral?" in message


def test_unusual_names_are_proposed_by_recognise_and_refused_by_read(tmp_path: Path) -> None:
    source = write(
        tmp_path, "a.jsonl", {"sku": "x1", "promotional": "Buy this now!", "neutral": "It is a cup."}
    )
    shape = recognise(source)
    assert not shape.certain
    assert shape.columns == {"prompt": "promotional", "completion": "neutral"}
    with pytest.raises(DataError, match="no usual names") as caught:
        read(source)
    assert "{prompt: promotional, completion: neutral}" in caught.value.hint


def test_ambiguous_names_are_named(tmp_path: Path) -> None:
    source = write(tmp_path, "a.jsonl", {"question": "q", "context": "c", "answer": "a"})
    assert "prompt could be any of the columns question, context" in problem(source)
    assert read(source, {"prompt": "question"})[0].prompt == "q"


def test_instruction_stands_before_bare_prompts_and_moves_no_id(tmp_path: Path) -> None:
    source = write(tmp_path, "a.jsonl", {"prompt": "p", "completion": "c"})
    (bare,), (framed,) = read(source), read(source, instruction="Rewrite.")
    assert framed.prompt == "Rewrite.\n\np"
    assert framed.fields == {"instruction": "Rewrite."}
    assert framed.id == bare.id
    turns = {"messages": [{"role": "user", "content": "p"}, {"role": "assistant", "content": "c"}]}
    assert "needs prompts that are a bare text" in problem(
        write(tmp_path, "b.jsonl", turns), instruction="Rewrite."
    )


def test_ids_are_stable_and_distinct(tmp_path: Path) -> None:
    rows = [{"prompt": str(n), "completion": "c"} for n in (1, 2, 2)]
    first = read(write(tmp_path, "a.jsonl", *rows))
    assert len({example.id for example in first}) == 3
    again = read(write(tmp_path, "a.jsonl", {"prompt": "0", "completion": "c"}, *rows))
    assert [example.id for example in again[1:]] == [example.id for example in first]
    named = [{"id": "x", "prompt": str(n), "completion": "c"} for n in (1, 2)]
    forward, backward = (
        read(write(tmp_path, "b.jsonl", *named)),
        read(write(tmp_path, "b.jsonl", *named[::-1])),
    )
    assert all(example.id.startswith("x-") for example in forward)
    assert {e.prompt: e.id for e in forward} == {e.prompt: e.id for e in backward}
    assert len({e.id for e in forward}) == 2


def test_all_problems_of_a_file_at_once(tmp_path: Path) -> None:
    good = {"prompt": "p", "completion": "c"}
    source = write(
        tmp_path,
        "a.jsonl",
        good,
        '{"prompt": "p", "completion": ',
        {"prompt": "p", "completion": "  "},
        {"prompt": 5, "completion": "c"},
        "[1, 2]",
        {"prompt": "p"},
        {"messages": [{"role": "user", "content": "p"}]},
        good,
    )
    lines = problem(source).splitlines()
    expected = [
        ("a.jsonl:2:", "broken JSON", 'received \'{"prompt"'),
        ("a.jsonl:3: completion:", "expected text", "received empty text"),
        ("a.jsonl:4: prompt:", "expected text", "received a number"),
        ("a.jsonl:5:", "expected a JSON object", "received a list"),
        ("a.jsonl:6: completion:", "expected prompt/completion", "received columns prompt"),
        ("a.jsonl:7: prompt:", "expected prompt/completion", "received columns messages"),
    ]
    assert len(lines) == len(expected)
    for line, pieces in zip(lines, expected, strict=True):
        assert all(piece in line for piece in pieces), line


def test_mixed_shapes(tmp_path: Path) -> None:
    rows = [{"prompt": "p"}, {"prompt": "p2"}, {"prompt": "p", "completion": "c"}]
    assert "a.jsonl:3: mixed shapes: expected prompt" in problem(write(tmp_path, "a.jsonl", *rows))


@pytest.mark.parametrize(
    ("turns", "expected"),
    [
        (
            [{"role": "tool", "content": "x"}],
            "messages[0].role: expected system, user or assistant, received 'tool'",
        ),
        ([{"content": "x"}], "messages[0].role: expected system, user or assistant, received nothing"),
        ([{"role": "user", "content": 1}], "messages[0].content: expected text, received a number"),
        ([{"role": "user", "content": ""}], "messages[0].content: expected text, received empty text"),
        ([{"role": "assistant", "content": "x"}], "expected at least one user turn, received assistant"),
        (
            [{"role": "user", "content": "x"}, {"role": "system", "content": "y"}],
            "messages[1].role: expected a system turn only at the beginning",
        ),
        (["hello"], "messages[0]: expected an object with role and content, received text"),
        ([], "expected a list of turns with role and content, received an empty list"),
        ("hello", "expected a list of turns with role and content, received text"),
    ],
)
def test_wrong_turns(tmp_path: Path, turns: Any, expected: str) -> None:
    assert expected in problem(write(tmp_path, "a.jsonl", {"messages": turns}))


def test_a_conversation_without_an_answer_among_answered_ones(tmp_path: Path) -> None:
    user, answer = {"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}
    source = write(tmp_path, "a.jsonl", {"messages": [user, answer]}, {"messages": [user, answer, user]})
    assert "a.jsonl:2: expected an answer at the end" in problem(source)


def test_encoding(tmp_path: Path) -> None:
    row = json.dumps({"prompt": "é", "completion": "日本 🙂\u2028x"}, ensure_ascii=False)
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + row.encode() + b"\r\n\r\n")
    assert read(str(path))[0].references == ("日本 🙂\u2028x",)
    path.write_bytes(row.encode() + b"\n" + row.encode("utf-8").replace("é".encode(), b"\xe9") + b"\n")
    assert "a.jsonl:2: expected UTF-8, received byte 0xe9 at byte 13" in problem(str(path))
    path.write_text(row, encoding="utf-16")
    assert "received UTF-16" in problem(str(path))
    assert "half of a surrogate pair" in problem(
        write(tmp_path, "b.jsonl", '{"prompt": "\\ud83d", "completion": "c"}')
    )
    assert (
        read(write(tmp_path, "b.jsonl", '{"prompt": "\\ud83d\\ude42", "completion": "c"}'))[0].prompt == "🙂"
    )


def test_bounds(tmp_path: Path) -> None:
    good = json.dumps({"prompt": "p", "completion": "c"})
    long = json.dumps({"prompt": "x" * MAX_LINE, "completion": "c"})
    assert problem(write(tmp_path, "a.jsonl", good, long, good)) == (
        f"- {tmp_path}/a.jsonl:2: expected a line of at most 10 MB, received more"
    )
    for depth in (40, 100_000):
        deep = '{"prompt": "p", "completion": "c", "x": ' + "[" * depth + "]" * depth + "}"
        assert "a.jsonl:2: expected at most 32 nested levels" in problem(
            write(tmp_path, "a.jsonl", good, deep)
        )


def test_missing_empty_and_unknown_files(tmp_path: Path) -> None:
    write(tmp_path, "train.jsonl", "")
    assert "received an empty file" in problem(str(tmp_path / "train.jsonl"))
    with pytest.raises(DataError, match="no such file") as caught:
        read(str(tmp_path / "trian.jsonl"))
    assert "did you mean train.jsonl?" in caught.value.hint
    assert "the folder" in problem(str(tmp_path / "nowhere" / "a.jsonl"))
    assert "received a folder" in problem(str(tmp_path))
    assert "received .docx" in problem(write(tmp_path, "a.docx", "x"))


def test_gzip(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    content = gzip.compress(b'{"prompt": "p", "completion": "c"}\n' * 50)
    path.write_bytes(content)
    assert len(read(str(path))) == 50
    path.write_bytes(content[:-12])
    assert "not a complete gzip file" in problem(str(path))
    path.write_bytes(b"hello")
    assert "not a complete gzip file" in problem(str(path))


def test_json_document(tmp_path: Path) -> None:
    rows = [{"prompt": "p", "completion": "c"}, {"prompt": "q", "completion": ""}]
    path = tmp_path / "a.json"
    path.write_text(json.dumps(rows[:1], indent=2))
    assert len(read(str(path))) == 1
    path.write_text(json.dumps(rows, indent=2))
    assert "a.json:2: completion: expected text, received empty text" in problem(str(path))
    path.write_text(json.dumps({"rows": rows}, indent=2))
    assert "expected a list of objects" in problem(str(path))


cell = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), min_size=1).filter(
    lambda text: text.strip()
)


@given(
    rows=st.lists(st.tuples(cell, cell), min_size=3, max_size=8),
    delimiter=st.sampled_from(",;\t"),
    quoting=st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]),
)
def test_csv_gives_back_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], delimiter: str, quoting: Any
) -> None:
    path = tmp_path_factory.mktemp("csv") / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, delimiter=delimiter, quoting=quoting, lineterminator="\n")
        writer.writerows([("prompt", "completion"), *rows])
    assert [(e.prompt, e.references[0]) for e in read(str(path))] == rows


def test_csv_names_the_line_on_which_a_row_begins(tmp_path: Path) -> None:
    source = write(tmp_path, "a.csv", "prompt;completion", '"two\nlines";ok', "x;", "y;z;more", '"open;x')
    lines = problem(source).splitlines()
    assert "a.csv:4: completion: expected text, received empty text" in lines[0]
    assert "a.csv:5: expected 2 cells as in the header, received 3" in lines[1]
    assert "a.csv:6: broken CSV row: unexpected end of data" in lines[2]
    assert "received twice: a" in problem(write(tmp_path, "b.csv", "a,b,a", "1,2,3"))


def test_parquet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    pytest.importorskip("pyarrow.parquet")
    path = str(tmp_path / "a.parquet")
    turns = [{"role": "user", "content": "p"}, {"role": "assistant", "content": "c"}]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([{"messages": turns, "n": 1}]), path)
    (example,) = read(path)
    assert (example.prompt, example.references, example.fields) == ("p", ("c",), {"n": 1})
    (tmp_path / "b.parquet").write_bytes(b"hello")
    assert "not a readable Parquet file" in problem(str(tmp_path / "b.parquet"))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingPart) as caught:
        read(path)
    assert "trimtab[data]" in caught.value.hint


def test_hub_data_set_from_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("datasets")
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    folder = tmp_path / "set"
    folder.mkdir()
    write(folder, "train.jsonl", {"prompt": "p", "completion": "c"})
    write(folder, "test.jsonl", {"prompt": "q", "completion": "d"})
    assert read(f"hub:{folder}")[0].prompt == "p"
    assert read(f"hub:{folder}:test")[0].prompt == "q"
    assert "cannot be read" in problem(f"hub:{folder}:nosuch")
    assert "expected hub:<dataset>" in problem("hub:")


def test_naughty_strings_survive_reading(tmp_path: Path, public_data: Path) -> None:
    strings = json.loads((public_data / "dirty_strings" / "blns.json").read_text(encoding="utf-8"))
    strings = [text for text in strings if text.strip()]
    rows = [{"prompt": text, "completion": text} for text in strings]
    lines = [json.dumps(row, ensure_ascii=number % 2 == 0) for number, row in enumerate(rows)]
    examples = read(write(tmp_path, "a.jsonl", *lines))
    assert [example.prompt for example in examples] == strings
    assert [example.references for example in examples] == [(text,) for text in strings]
    assert len({example.id for example in examples}) == len(strings)


def test_public_files_are_recognised(public_data: Path) -> None:
    expected = {
        "e2e_nlg/devset.csv.gz": ("prompt/completion", 4672),
        "guard_mc/openbookqa.jsonl.gz": ("choices", 500),
        "guard_xstest/prompts.csv.gz": ("prompt", 450),
        "guard_blimp/blimp_first40.jsonl.gz": ("pair", 2680),
        "persona_identity/identity.json": ("instruction", 91),
    }
    for name, (kind, count) in expected.items():
        source = str(public_data / name)
        assert recognise(source).kind == kind
        assert len(read(source)) == count
    with pytest.raises(DataError, match=r"jsonl\.gz:77: chosen: expected an answer .* received an empty one"):
        read(str(public_data / "pref_hh_harmless" / "pairs.jsonl.gz"))
