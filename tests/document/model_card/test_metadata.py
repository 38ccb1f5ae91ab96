"""What the Hub reads, held against the Hub's own library."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.document import made
from tests.document.model_card.made import adjusted, of
from trimtab.document.model_card.metadata import benchmarks, metadata
from trimtab.document.model_card.writing import markdown
from trimtab.errors import UserError

hub = pytest.importorskip("huggingface_hub")


def test_the_library_of_the_hub_reads_a_release(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    found = of(folder, name="Shop: plain", licence="Apache-2.0", language="en, de")
    card = hub.ModelCard(markdown(found))
    assert isinstance(card.data, hub.ModelCardData)
    assert card.data.to_dict() == metadata(found)
    assert (card.data.license, card.data.language, card.data.library_name) == (
        "apache-2.0",
        ["en", "de"],
        "peft",
    )
    assert card.data.base_model == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert card.data.base_model_relation == "adapter"
    assert card.data.pipeline_tag == "text-generation"
    assert card.data.model_name == "Shop: plain"
    scores = {one.metric_type: one for one in card.data.eval_results}
    verdict = folder.verdict()
    assert verdict.target is not None
    assert scores["chrf"].metric_value == verdict.target.candidate
    assert scores["chrf"].metric_args["low"] == verdict.difference.low
    assert scores["chrf"].dataset_split == "confirm"
    # Lower is better for this one; its comparison carries a minus that the score has not.
    assert scores["nll"].metric_value == -verdict.guards[0].comparison.candidate
    assert card.text.lstrip().startswith("# Shop: plain")


@pytest.mark.parametrize("kind", [kind for kind in made.KINDS if kind != "ship"])
def test_what_is_no_release_cannot_be_found_as_a_model_to_use(tmp_path: Path, kind: str) -> None:
    card = hub.ModelCard(markdown(of(made.folder(tmp_path, kind))))
    found = card.data.to_dict()
    assert not {"library_name", "pipeline_tag", "model-index", "metrics"} & set(found)
    assert "trimtab-ship" not in found["tags"]
    heading, warning = card.text.lstrip().split("\n\n")[:2]
    assert "(not a release)" in heading
    assert warning.startswith("> [!WARNING]\n> Not a release.")


def test_licences_and_sets_that_the_hub_does_not_know(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    assert metadata(of(folder))["license"] == "unknown"
    own = metadata(of(folder, licence="Own Terms 2"))
    assert (own["license"], own["license_name"]) == ("other", "own-terms-2")
    assert "datasets" not in own
    folder.write_text(
        "recipe.yaml", "model: a/b\ngoal: {metric: chrf}\ndata: {examples: 'hub:o/set:train'}\n"
    )
    assert metadata(of(folder))["datasets"] == ["o/set"]


def test_a_stack_that_peft_cannot_load_names_no_peft(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    adjusted(folder, {"prompt": 1.0, "adapter": 1.0})
    assert metadata(of(folder))["library_name"] == "trimtab"
    adjusted(folder, {"prompt": 1.0})
    assert "base_model_relation" not in metadata(of(folder))


def test_results_of_a_benchmark_are_read_by_the_hub(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    found = of(folder, benchmark=("general-english=org/set:lm", "target=org/shop:default"))
    entries = hub.parse_eval_result_entries(yaml.safe_load(yaml.safe_dump(benchmarks(found))))
    first, second = entries
    assert (first.dataset_id, first.task_id) == ("org/set", "lm")
    assert first.value == -folder.verdict().guards[0].comparison.candidate
    assert first.date == "2026-03-14T09:19:31Z"
    assert "128 items of the part confirm" in first.notes
    assert second.value == 62.422672
    assert hub.eval_result_entries_to_yaml(entries) == benchmarks(found)


def test_a_benchmark_must_be_one_that_was_measured(tmp_path: Path) -> None:
    folder = made.folder(tmp_path)
    for said in ("general-english=org/set", "unknown=org/set:lm", "general-english", "=org/set:lm"):
        with pytest.raises(UserError, match="SUITE=OWNER/NAME:TASK") as caught:
            benchmarks(of(folder, benchmark=(said,)))
        assert "target, general-english, facts-kept, refusals" in str(caught.value.hint)
    held = made.folder(tmp_path / "held", "breached")
    assert benchmarks(of(held, benchmark=("general-english=org/set:lm",))) == []
