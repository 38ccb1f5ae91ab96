"""Finding a metric by name, or in a file of the user's."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Mapping
from typing import Any

from trimtab.errors import MetricError
from trimtab.measure import options as option_check
from trimtab.measure import user
from trimtab.measure.contract import Metric

# Modules are named, not imported: the packages behind a metric are needed only by who asks for it.
METRICS: Mapping[str, tuple[str, str]] = {
    "nll": ("likelihood", "nll"),
    "choice": ("likelihood", "choice"),
    "minimal_pair": ("likelihood", "minimal_pair"),
    "preference": ("likelihood", "preference"),
    "bias_gap": ("bias", "bias_gap"),
    "twin_gap": ("bias", "twin_gap"),
    "bleu": ("overlap", "bleu"),
    "chrf": ("overlap", "chrf"),
    "rouge_l": ("overlap", "rouge_l"),
    "exact_match": ("overlap", "exact_match"),
    "similarity": ("embedding", "similarity"),
    "relevance": ("embedding", "relevance"),
    "coherence": ("embedding", "coherence"),
    "coverage": ("facts", "coverage"),
    "invented": ("facts", "invented"),
    "phrase_rate": ("tone", "phrase_rate"),
    "sentiment": ("tone", "sentiment"),
    "toxicity": ("tone", "toxicity"),
    "readability": ("style", "readability"),
    "length": ("style", "length"),
    "repetition": ("style", "repetition"),
    "distinct": ("style", "distinct"),
    "engagement": ("engagement", "engagement"),
    "accuracy": ("labels", "accuracy"),
    "f1": ("labels", "f1"),
    "false_positive_rate": ("labels", "false_positive_rate"),
    "precision_at_k": ("labels", "precision_at_k"),
    "instructions": ("instructions", "instructions"),
    "refusal": ("refusal", "refusal"),
    "guidelines": ("rules", "guidelines"),
    "consistency": ("variability", "consistency"),
    "answer_entropy": ("variability", "answer_entropy"),
    "dispersion": ("variability", "dispersion"),
}


def names() -> tuple[str, ...]:
    """The names of all built-in metrics."""
    return tuple(METRICS)


def find(name: str, options: Mapping[str, Any] | None = None) -> Metric:
    """The metric of this name, built with these options; or the function of a file, `file.py:function`.

    Raises:
        MetricError: no such metric (close names are given), file or function; an option that is not its own.
    """
    if ".py:" in name:
        return user.load(name, options or {})
    if name not in METRICS:
        near = difflib.get_close_matches(name.lower().replace("-", "_"), METRICS, n=3, cutoff=0.5)
        meant = f"; did you mean {' or '.join(near)}?" if near else ""
        raise MetricError(
            f"metric {name!r}: unknown{meant}",
            f"known: {', '.join(METRICS)}; or your own: path/file.py:function",
        )
    module, function = METRICS[name]
    build = getattr(importlib.import_module(f"trimtab.measure.{module}"), function)
    metric: Metric = build(**option_check.check(build, options or {}, metric=name))
    return metric
