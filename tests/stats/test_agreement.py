"""Krippendorff's alpha on real raters' data: the same as plain loops and as another library, and as published."""

import csv
import gzip
import json

import evalica
import numpy as np
import pandas as pd
import pytest

from tests.reference import win_rate_reference as reference
from trimtab import stats


def alphas(units, scale):
    """Ours, by plain loops, and evalica's: three computations of the same."""
    labels = sorted({rating for unit in units for rating in unit})
    numbers = {label: label if scale == "interval" else place for place, label in enumerate(labels)}
    table = np.full((max(map(len, units)), len(units)), np.nan)
    for column, unit in enumerate(units):
        table[: len(unit), column] = [numbers[rating] for rating in unit]
    apart = (lambda a, b: (a - b) ** 2) if scale == "interval" else (lambda a, b: float(a != b))
    return (
        stats.agreement(table, scale),
        reference.krippendorff(units, apart),
        evalica.alpha(pd.DataFrame(table), scale).alpha,
    )


def lines(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def check(units, scale, published):
    ours, loops, library = alphas(units, scale)
    assert ours.value == pytest.approx(loops, abs=1e-9)
    assert ours.value == pytest.approx(library, abs=1e-9)
    assert round(ours.value, 3) == published
    assert ours.low < ours.value < ours.high


def test_three_raters_of_pandalm(public_data):
    rows = lines(public_data / "raters" / "pandalm_three_raters.jsonl.gz")
    check([[row[f"annotator{k}"] for k in (1, 2, 3)] for row in rows], "nominal", 0.913)


def test_two_raters_of_xstest(public_data):
    with gzip.open(
        public_data / "raters" / "xstest_mistral_two_raters.csv.gz", "rt", encoding="utf-8"
    ) as file:
        rows = list(csv.DictReader(file))
    check([[row["annotation_1"], row["annotation_2"]] for row in rows], "nominal", 0.920)


def test_three_raters_of_dstc9_on_a_scale(public_data):
    rows = lines(public_data / "raters" / "dstc9_human_eval.jsonl.gz")
    check([row["accuracy"] for row in rows], "interval", 0.363)
