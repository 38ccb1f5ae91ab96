"""The training loop: accumulation, resume after a kill, early stopping, and what ends it."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.optim.optimizer import register_optimizer_step_post_hook

from tests.adjust import made
from tests.tiny import tiny_model
from trimtab.adjust import adapter, weights
from trimtab.adjust.loop import Settings, Training, batches, train
from trimtab.errors import TrainingDiverged
from trimtab.records import Progress

ROWS = made.rows()
HOW = made.HOW


def run(how: Settings = HOW, **more: Any) -> tuple[dict[str, torch.Tensor], Training]:
    """Train all weights of a fresh network; returns them and what the training did."""
    network = more.pop("network", None) or tiny_model(initializer_range=0.1)
    parameters = dict(network.named_parameters())
    done = train(network, parameters, more.pop("rows", ROWS), how, **more)
    return {name: p.data for name, p in parameters.items()}, done


def losses(done: Training) -> list[float | None]:
    return [row["loss"] for row in done.history]


def test_learns() -> None:
    _, done = run()
    assert len(done.history) == 9
    assert done.shared_beginnings
    first, last = done.history[0]["loss"], done.history[-1]["loss"]
    assert first is not None
    assert last is not None
    assert last < 0.8 * first
    assert done.tokens == 3 * sum(len(row.ids) for row in ROWS)


def test_the_loss_is_the_mean_over_supervised_tokens() -> None:
    network = tiny_model(initializer_range=0.1)
    how = Settings(epochs=1, batch_size=len(ROWS))
    total, count = 0.0, 0
    for row in ROWS:
        ids = torch.from_numpy(row.ids)
        logs = network(ids[None]).logits[0, :-1].log_softmax(-1)
        scored = torch.from_numpy(row.supervised[1:])
        total -= float(logs.gather(-1, ids[1:, None])[scored].sum().detach())
        count += int(scored.sum())
    _, done = run(how, network=network)
    assert done.history[0]["loss"] == pytest.approx(total / count, rel=1e-5)


@settings(max_examples=6)
@given(st.integers(16, 200), st.integers(0, 3))
def test_accumulation_gives_the_update_of_the_big_batch(micro_tokens: int, seed: int) -> None:
    whole = Settings(epochs=1, batch_size=8, micro_tokens=10_000, learning_rate=1e-3, seed=seed)
    parts = Settings(epochs=1, batch_size=8, micro_tokens=micro_tokens, learning_rate=1e-3, seed=seed)
    first, a = run(whole)
    second, b = run(parts)
    assert losses(a) == pytest.approx(losses(b), rel=1e-5)
    moved = sum(
        float((first[n] - p.data).square().sum())
        for n, p in tiny_model(initializer_range=0.1).named_parameters()
    )
    apart = sum(float((first[n] - second[n]).square().sum()) for n in first)
    assert apart < 1e-3 * moved


def test_rows_without_a_tree_train_the_same() -> None:
    """A network that only the plain loop suits gets the same update from it."""
    eager = tiny_model(initializer_range=0.1)
    eager.set_attn_implementation("eager")
    a, done = run(Settings(epochs=1, learning_rate=1e-3))
    b, plain = run(Settings(epochs=1, learning_rate=1e-3), network=eager)
    assert done.shared_beginnings
    assert losses(done) == pytest.approx(losses(plain), rel=1e-4)
    assert max(float((a[n] - b[n]).abs().max()) for n in a) < 5e-3


def test_batches_keep_examples_together_and_change_with_the_epoch() -> None:
    found = batches(ROWS, 4, seed=1, epoch=0)
    assert sorted(n for batch in found for n in batch) == list(range(len(ROWS)))
    flat = [n for batch in found for n in batch]
    assert all(flat[i] + 1 == flat[i + 1] for i in range(0, len(flat), 2))
    assert found == batches(ROWS, 4, seed=1, epoch=0)
    assert found != batches(ROWS, 4, seed=1, epoch=1)
    assert found != batches(ROWS, 4, seed=2, epoch=0)


def test_same_seed_same_result() -> None:
    a, first = run()
    b, second = run()
    c, _ = run(Settings(epochs=3, batch_size=4, learning_rate=1e-2, warmup=0.1, seed=4))
    assert losses(first) == losses(second)
    assert made.same(a, b)
    assert not made.same(a, c)


def test_weight_decay_shrinks_by_rate_times_decay() -> None:
    how = {"epochs": 1, "batch_size": 12, "learning_rate": 1e-2, "schedule": "constant", "warmup": 0.0}
    start = dict(tiny_model(initializer_range=0.1).named_parameters())
    free, _ = run(Settings(**how))
    decayed, _ = run(Settings(**how, weight_decay=0.5))
    for name, value in start.items():
        torch.testing.assert_close(free[name] - decayed[name], 1e-2 * 0.5 * value.data, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("micro_tokens", [512, 16])
def test_proximity_is_a_penalty_on_the_squared_length(micro_tokens: int) -> None:
    """One update of plain gradients: the loss's own, and 2 lambda theta, once however many trees there are."""
    found = {}
    for proximity in (0.0, 0.3):
        network = tiny_model(initializer_range=0.1)
        grads: dict[str, torch.Tensor] = {}
        named = dict(network.named_parameters())
        handle = register_optimizer_step_post_hook(
            lambda *_, into=grads, named=named: into.update({n: p.grad.clone() for n, p in named.items()})
        )
        start = {name: p.detach().clone() for name, p in named.items()}
        how = Settings(
            epochs=1, batch_size=len(ROWS), micro_tokens=micro_tokens, clip=1e9, proximity=proximity
        )
        run(how, network=network)
        handle.remove()
        found[proximity] = grads
    for name, theta in start.items():
        expected = found[0.0][name] + 2 * 0.3 * theta
        torch.testing.assert_close(found[0.3][name], expected, atol=1e-5, rtol=1e-4)


def test_clipping_bounds_the_gradient() -> None:
    network = tiny_model(initializer_range=0.1)
    norms: list[float] = []
    handle = register_optimizer_step_post_hook(
        lambda *_: norms.append(
            math.sqrt(sum(float(p.grad.square().sum()) for p in network.parameters() if p.grad is not None))
        )
    )
    run(Settings(epochs=1, batch_size=4, clip=0.05), network=network)
    free = len(norms)
    run(Settings(epochs=1, batch_size=4, clip=1e6), network=network)
    handle.remove()
    assert max(norms[:free]) <= 0.05 * 1.001
    assert max(norms[free:]) > 0.1


def test_a_loss_that_is_no_number_ends_training() -> None:
    with pytest.raises(TrainingDiverged, match=r"update \d+ the loss is") as raised:
        run(Settings(epochs=3, batch_size=4, learning_rate=1e30, warmup=0.0, schedule="constant"))
    assert "learning rate" in raised.value.hint


def test_a_diverged_training_leaves_no_broken_weights_behind(tmp_path: Path) -> None:
    network = tiny_model(initializer_range=0.1)
    with torch.no_grad():
        network.model.embed_tokens.weight[5] = float("nan")
    before = {name: p.data.clone() for name, p in network.named_parameters() if "embed" not in name}
    with pytest.raises(TrainingDiverged):
        run(network=network, folder=tmp_path, rows=[r for r in ROWS if (r.ids == 5).any()] or ROWS)
    after = {name: p.data for name, p in network.named_parameters() if "embed" not in name}
    assert made.same(before, after)


def scripted(values: list[float]) -> Callable[[], float]:
    left = iter(values)
    return lambda: next(left)


def test_early_stopping_restores_the_best() -> None:
    network = tiny_model(initializer_range=0.1)
    seen: list[dict[str, torch.Tensor]] = []
    values = scripted([3.0, 2.0, 2.5, 2.4, 1.0])

    def evaluate() -> float:
        assert not network.training
        seen.append({name: p.data.clone() for name, p in network.named_parameters()})
        return values()

    how = Settings(epochs=5, batch_size=4, learning_rate=1e-2, patience=2)
    final, done = run(how, network=network, evaluate=evaluate)
    assert len(seen) == 4  # the fifth epoch never ran
    assert made.same(final, seen[1])
    assert done.best_step == 6
    assert [row["select_loss"] for row in done.history if row["select_loss"]] == [3.0, 2.0, 2.5, 2.4]


def test_without_patience_the_last_weights_stand() -> None:
    network = tiny_model(initializer_range=0.1)
    final, done = run(Settings(epochs=3, batch_size=4), network=network, evaluate=scripted([1.0, 2.0, 3.0]))
    plain, _ = run(Settings(epochs=3, batch_size=4))
    assert len(done.history) == 9
    assert made.same(final, plain)


def test_part_of_an_epoch_is_evaluated_at_its_end() -> None:
    _, done = run(Settings(epochs=1.4, batch_size=4), evaluate=scripted([1.0, 2.0]))
    assert [row["step"] for row in done.history if row["select_loss"] is not None] == [3, 4]


def test_progress_is_reported() -> None:
    seen: list[Progress] = []
    run(report=seen.append)
    assert [p.done for p in seen] == list(range(1, 10))
    assert {p.total for p in seen} == {9}
    assert {"loss", "tokens/s"} <= seen[-1].facts.keys()


def test_ctrl_c_saves_and_training_goes_on_from_there(tmp_path: Path) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.done == 5:
            raise KeyboardInterrupt

    whole, done = run(evaluate=lambda: 1.0)
    with pytest.raises(KeyboardInterrupt):
        run(folder=tmp_path, report=interrupt, evaluate=lambda: 1.0)
    steps: list[float] = []
    resumed, again = run(folder=tmp_path, report=lambda p: steps.append(p.done), evaluate=lambda: 1.0)
    assert steps == [6, 7, 8, 9]
    assert losses(again) == losses(done)
    assert made.same(resumed, whole)


def test_ctrl_c_in_the_middle_of_an_update_saves_nothing_half_done(tmp_path: Path) -> None:
    whole, done = run()
    count = [0]

    def interrupt(*_: object) -> None:
        count[0] += 1
        if count[0] == 5:
            raise KeyboardInterrupt

    handle = register_optimizer_step_post_hook(interrupt)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(folder=tmp_path)
    finally:
        handle.remove()
    resumed, again = run(folder=tmp_path)
    assert losses(again) == losses(done)
    assert made.same(resumed, whole)


def test_ctrl_c_during_evaluation_evaluates_again(tmp_path: Path) -> None:
    def stop() -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(folder=tmp_path, evaluate=stop)
    _, done = run(folder=tmp_path, evaluate=scripted([3.0, 2.0, 1.0]))
    assert [row["select_loss"] for row in done.history if row["select_loss"]] == [3.0, 2.0, 1.0]


def test_a_finished_training_is_not_repeated(tmp_path: Path) -> None:
    first, done = run(folder=tmp_path)
    steps: list[float] = []
    second, again = run(folder=tmp_path, report=lambda p: steps.append(p.done))
    assert not steps
    assert losses(again) == losses(done)
    assert made.same(first, second)


CHILD = """
import sys, torch
from pathlib import Path
from tests.adjust import made
from trimtab.adjust import adapter, checkpoint
torch.set_num_threads(1)
checkpoint.SECONDS = 0.0

def report(progress):
    print(int(progress.done), flush=True)
    if progress.done == 5 and sys.argv[2] == "wait":
        sys.stdin.read()

shape, held_out = adapter.Shape(rank=4, dropout=0.1), made.rows(4, seed=9)
folder = Path(sys.argv[1])
adapter.fit(made.base(), made.rows(), shape, made.HOW, held_out=held_out, folder=folder, report=report)
"""


def test_a_killed_training_goes_on_exactly(tmp_path: Path) -> None:
    """A process is killed in the middle of training with dropout; what resumes it ends where no kill ends."""
    root = Path(__file__).resolve().parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path), "wait"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=root,
    )  # fmt: skip
    assert child.stdout is not None
    for line in child.stdout:
        if line.strip() == "5":
            break
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    child.stdout.close()
    assert child.stdin is not None
    child.stdin.close()
    torch.set_num_threads(1)
    shape = adapter.Shape(rank=4, dropout=0.1)
    held_out = made.rows(4, seed=9)
    steps: list[float] = []
    resumed, again = adapter.fit(
        made.base(),
        ROWS,
        shape,
        HOW,
        held_out=held_out,
        folder=tmp_path,
        report=lambda p: steps.append(p.done),
    )
    whole, done = adapter.fit(made.base(), ROWS, shape, HOW, held_out=held_out)
    assert steps == [6, 7, 8, 9]
    assert losses(again) == losses(done)
    assert [r["select_loss"] for r in again.history] == [r["select_loss"] for r in done.history]
    assert resumed.hash == whole.hash


def test_checkpoints_are_safetensors_with_plain_state(tmp_path: Path) -> None:
    run(folder=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.safetensors"]
    _, metadata = weights.read(tmp_path / "checkpoint.safetensors")
    assert json.loads(metadata["state"])["step"] == 9


def test_checkpoints_wait_their_time(tmp_path: Path) -> None:
    written: list[float] = []

    def look(progress: Progress) -> None:
        if (tmp_path / "checkpoint.safetensors").exists():
            written.append(progress.done)

    started = time.monotonic()
    run(folder=tmp_path, report=look)
    assert time.monotonic() - started < 30
    assert not written
