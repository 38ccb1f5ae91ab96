"""Finding metrics by name and in files, and their options."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from trimtab.errors import MetricError, MissingPart
from trimtab.measure import find
from trimtab.measure.contract import optional
from trimtab.records import Example

RULES = Path(__file__).parents[1] / "contract" / "guidelines.yaml"
ITEM = Example((), id="x")


def test_an_unknown_name_is_answered_with_close_ones() -> None:
    with pytest.raises(MetricError, match="unknown; did you mean rouge_l") as caught:
        find("ROUGE-L")
    assert "file.py:function" in caught.value.hint
    with pytest.raises(MetricError, match=r"metric 'qqqq': unknown$"):
        find("qqqq")


def test_all_problems_of_the_options_are_named_at_once() -> None:
    with pytest.raises(MetricError) as caught:
        find("bleu", {"lowercas": True, "tokenize": "14a"})
    assert "lowercas: unknown option; did you mean lowercase?" in caught.value.message
    assert "tokenize: " in caught.value.message
    assert caught.value.hint == "options of bleu: lowercase, tokenize"
    with pytest.raises(MetricError, match="coverage") as caught:
        find("coverage", {"a": 1})
    assert caught.value.hint == "coverage takes no options"


def test_a_text_is_no_number_and_no_list() -> None:
    with pytest.raises(MetricError, match=r"k: .*integer, received '3'"):
        find("precision_at_k", {"k": "3"})
    with pytest.raises(MetricError, match=r"labels: .*list, received 'ham'"):
        find("accuracy", {"labels": "ham"})


def test_a_missing_package_is_a_missing_part() -> None:
    with pytest.raises(MissingPart, match="no_such_package") as caught:
        optional("no_such_package.inside")
    assert caught.value.hint == "pip install 'trimtab[measures]'"
    assert caught.value.exit_code == 3


def test_building_every_metric_imports_no_heavy_package() -> None:
    code = (
        "import sys\nfrom trimtab.measure import find, names\n"
        "need = {'f1': {'positive': 'a'}, 'false_positive_rate': {'positive': 'a'}}\n"
        f"need['guidelines'] = {{'file': {str(RULES)!r}}}\n"
        "[find(name, need.get(name)) for name in names()]\n"
        "heavy = {'torch', 'transformers', 'sacrebleu', 'rouge_score', 'vaderSentiment'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


GOOD = '''
def polite(example, text, *, word: str = "please"):
    """Does the answer ask kindly?

    More text."""
    return word in text.lower()

polite.unit = "share of answers"
polite.bounds = (0, 1)
polite.limits = "Knows one word."

def wordy(example, text):
    return len(text.split()) or float("nan")

wordy.direction = "lower"

def broken(example, text):
    return {}[text]

def silent(example, text):
    return None

def lone(text):
    return 1.0

def odd(example, text):
    return 1.0

odd.direction = "up"

def backwards(example, text):
    return 1.0

backwards.bounds = (1, 0)
'''


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(GOOD, encoding="utf-8")
    return path


def test_a_users_function_becomes_a_metric(file: Path) -> None:
    metric = find(f"{file}:polite")
    assert metric.name == "mine.py:polite"
    assert (metric.unit, metric.bounds, metric.direction) == ("share of answers", (0.0, 1.0), "higher")
    assert (metric.question, metric.limits) == ("Does the answer ask kindly?", "Knows one word.")
    assert metric.score is not None
    assert metric.score(ITEM, "Please sit") == 1.0
    other = find(f"{file}:polite", {"word": "sit"})
    assert other.score is not None
    assert other.score(ITEM, "Do sit") == 1.0
    with pytest.raises(MetricError, match="wrd: unknown option; did you mean word"):
        find(f"{file}:polite", {"wrd": "sit"})


def test_a_users_function_without_attributes_has_defaults(file: Path) -> None:
    metric = find(f"{file}:wordy")
    assert metric.direction == "lower"
    assert metric.question.endswith("?")
    assert metric.score is not None
    assert metric.score(ITEM, "a b") == 2.0
    assert math.isnan(metric.score(ITEM, ""))


def test_files_of_the_same_name_stay_apart(file: Path, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    other = tmp_path / "sub" / "mine.py"
    other.write_text("def polite(example, text):\n    return 7\n", encoding="utf-8")
    first, second = find(f"{file}:polite"), find(f"{other}:polite")
    assert first.score is not None
    assert second.score is not None
    assert (first.score(ITEM, "please"), second.score(ITEM, "please")) == (1.0, 7.0)


def test_a_file_may_hold_dataclasses_and_bear_the_name_of_a_module(tmp_path: Path) -> None:
    path = tmp_path / "json.py"
    path.write_text(
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass Case:\n    word: str\n"
        "def held(example, text):\n    return float(Case('a').word in text)\n",
        encoding="utf-8",
    )
    score = find(f"{path}:held").score
    assert score is not None
    assert score(ITEM, "a") == 1.0
    assert sys.modules["json"] is json


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("nothing", "no function 'nothing'"),
        ("lone", "takes 1 positional parameters, expected 2"),
        ("odd", "direction is 'up'"),
        ("backwards", "bounds are"),
    ],
)
def test_a_function_of_the_wrong_shape_is_refused(file: Path, function: str, message: str) -> None:
    with pytest.raises(MetricError, match=message):
        find(f"{file}:{function}")


def test_faults_of_users_code_are_the_users(file: Path, tmp_path: Path) -> None:
    for function, message in (("broken", "item 'x': KeyError"), ("silent", "item 'x': returned None")):
        score = find(f"{file}:{function}").score
        assert score is not None
        with pytest.raises(MetricError, match=message):
            score(ITEM, "a")
    bad = tmp_path / "bad.py"
    bad.write_text("def f(:\n", encoding="utf-8")
    with pytest.raises(MetricError, match="SyntaxError"):
        find(f"{bad}:f")
    with pytest.raises(MetricError, match="no such file"):
        find(f"{tmp_path}/none.py:f")


def test_engagement_is_looked_up_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "clicks.csv"
    path.write_text("text,clicks\nBuy it,3\nbuy  IT,5\n", encoding="utf-8")
    score = find("engagement", {"file": str(path), "column": "clicks", "unit": "clicks"}).score
    assert score is not None
    assert score(ITEM, "Buy it") == 4.0
    assert math.isnan(score(ITEM, "Sell it"))
    with pytest.raises(MetricError, match="row 1 lacks 'text' or 'views'"):
        find("engagement", {"file": str(path), "column": "views"})
    path.write_text("text,clicks\nBuy it,many\n", encoding="utf-8")
    with pytest.raises(MetricError, match="row 1: engagement is 'many'"):
        find("engagement", {"file": str(path), "column": "clicks"})
