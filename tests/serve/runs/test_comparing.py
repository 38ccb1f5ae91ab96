"""Two runs side by side: verdicts, the same items, and what was asked differently."""

from __future__ import annotations

import yaml

from tests.serve.runs.made import Place, copied
from trimtab.run import RunFolder


def test_two_runs_with_their_estimates_and_what_was_asked_differently(place: Place, run: RunFolder) -> None:
    other = copied(run, "20200101-000000-00000000")
    recipe = run.recipe()
    recipe["training"]["epochs"], recipe["seed"] = 77, 5
    (other.path / "recipe.yaml").write_text(yaml.safe_dump(recipe), encoding="utf-8")
    page = place.joined().get(f"/runs/{run.path.name}/compare", params={"other": other.path.name}).text
    estimate = run.verdict().difference
    for said in (
        f"n {estimate.n:,}",
        estimate.method,
        "training.epochs",
        "77",
        "seed",
        "guard: plain",
        "held",
        "on the same items of select",
        "decides nothing",
    ):
        assert said in page, said
    assert "training.learning_rate" not in page


def test_runs_that_have_nothing_in_common_say_why(place: Place, run: RunFolder) -> None:
    other = copied(run, "20200101-000000-00000000")
    for file in other.path.glob("trials/*/scores.jsonl"):
        file.unlink()
    client = place.joined()
    page = client.get(f"/runs/{run.path.name}/compare", params={"other": other.path.name})
    assert page.status_code == 200
    assert "cannot be compared item by item" in page.text
    bare = RunFolder.create(place.root, "ffffffff")
    page = client.get(f"/runs/{run.path.name}/compare", params={"other": bare.path.name})
    assert page.status_code == 200
    assert "no recipe yet" in page.text
