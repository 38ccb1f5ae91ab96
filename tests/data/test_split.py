"""Splitting: stable, whole groups, no prompt on two sides."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from trimtab.data.split import cluster_keys, confirm_hash, prompt_key, split, split_guard
from trimtab.errors import DataError
from trimtab.records import Example, Message, Part

SHARES: Mapping[Part, float] = {"tune": 0.5, "select": 0.2, "confirm": 0.3}


def item(name: str, prompt: str = "", group: str = "", part: str = "") -> Example:
    return Example(
        messages=(Message("user", prompt or f"prompt {name}"),),
        references=(f"answer {name}",),
        id=name,
        group=group,
        fields={"part": part} if part else {},
    )


BASE = [item(f"base{n}") for n in range(200)]


def place(examples: Sequence[Example], seed: int = 0) -> dict[str, Part]:
    parts = split(examples, SHARES, seed=seed)
    return {example.id: part for part, items in parts.items() for example in items}


def test_shares_are_kept_on_average() -> None:
    many = [item(str(n)) for n in range(4000)]
    counts = {part: len(items) for part, items in split(many, SHARES).items()}
    # Five standard deviations of a binomial count: 158, 126, 145.
    assert sum(counts.values()) == 4000
    assert abs(counts["tune"] - 2000) < 158
    assert abs(counts["select"] - 800) < 126
    assert abs(counts["confirm"] - 1200) < 145


def test_another_seed_is_another_split() -> None:
    assert place(BASE, 0) == place(BASE, 0)
    assert place(BASE, 0) != place(BASE, 1)


def test_settled_rows_stay_and_draw_their_cluster_along() -> None:
    free = place(BASE)
    where: dict[str, Part] = {name: "tune" for name, part in free.items() if part == "confirm"}
    assert len(where) > 30
    settled = split(BASE, SHARES, settled=dict(list(where.items())[:10]))
    found = {e.id: part for part, items in settled.items() for e in items}
    assert {name for name in found if found[name] != free[name]} == set(list(where)[:10])
    # The first part that one of them lies in counts for all, whatever a row asks for.
    pair = [item("a", group="g", part="confirm"), item("b", group="g"), item("c", prompt="prompt b")]
    both: Mapping[str, Part] = {"a": "confirm", "b": "select"}
    parts = split([*BASE, *pair], SHARES, settled=both)
    assert {"a", "b", "c"} <= {e.id for e in parts["select"]}


rows = st.lists(
    st.builds(
        lambda prompt, group: (f"p{prompt}" if prompt else "", f"g{group}" if group else ""),
        st.integers(0, 15),
        st.integers(0, 15),
    ),
    max_size=25,
)


@settings(max_examples=20)
@given(rows=rows, order=st.randoms(use_true_random=False))
def test_groups_and_prompts_never_straddle_and_order_does_not_matter(
    rows: list[tuple[str, str]], order: random.Random
) -> None:
    examples = BASE + [item(f"row{n}", prompt, group) for n, (prompt, group) in enumerate(rows)]
    placed = place(examples)
    for key in (lambda e: e.group, lambda e: e.messages[0].content):
        sides: dict[str, set[Part]] = {}
        for example in examples:
            if key(example):
                sides.setdefault(key(example), set()).add(placed[example.id])
        assert all(len(side) == 1 for side in sides.values())
    shuffled = list(examples)
    order.shuffle(shuffled)
    assert place(shuffled) == place(examples[::-1]) == placed


@settings(max_examples=20)
@given(
    groups=st.lists(st.integers(0, 30), max_size=30),
    added=st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=30),
)
def test_adding_rows_moves_no_other_row(groups: list[int], added: list[tuple[int, bool]]) -> None:
    examples = BASE + [item(f"old{n}", group=f"g{group}") for n, group in enumerate(groups)]
    more = [item(f"new{n}", group=f"g{group}" if grouped else "") for n, (group, grouped) in enumerate(added)]
    # A group that outgrows the limit goes to tune by rule; the limit here is at least 12 rows.
    sizes = groups + [group for group, grouped in added if grouped]
    assume(max((sizes.count(group) for group in sizes), default=0) <= 12)
    before, after = place(examples), place(examples + more)
    assert {name: after[name] for name in before} == before


def test_prompts_that_differ_in_spacing_case_and_system_turn_are_the_same() -> None:
    plain = item("a", "Hello  there")
    same = item("b", "hello there ")
    system = replace(plain, messages=(Message("system", "Be brief."), *plain.messages))
    framed = replace(
        plain, messages=(Message("user", "Do it.\n\nHello there"),), fields={"instruction": "Do it."}
    )
    assert prompt_key(plain) == prompt_key(same) == prompt_key(system) == prompt_key(framed)
    assert prompt_key(plain) != prompt_key(item("c", "Hello you"))


def test_an_instruction_moves_no_row() -> None:
    framed = [
        replace(e, messages=(Message("user", f"Do it.\n\n{e.prompt}"),), fields={"instruction": "Do it."})
        for e in BASE
    ]
    assert place(framed) == place(BASE)
    assert confirm_hash(framed) == confirm_hash(BASE)


def test_fixed_rows_stay_and_take_their_group_along() -> None:
    fixed = [item("f1", group="g", part="confirm"), item("f2", group="g"), item("f3", prompt="prompt f2")]
    free = [*BASE, *(replace(example, fields={}) for example in fixed)]
    assert {place(free, seed)["f1"] for seed in range(10)} == {"tune", "select", "confirm"}
    for seed in range(10):
        placed = place([*BASE, *fixed], seed)
        assert {placed[name] for name in ("f1", "f2", "f3")} == {"confirm"}


def test_fixed_rows_in_conflict_are_named() -> None:
    rows = [item("a", group="g", part="tune"), item("b", group="g", part="confirm")]
    with pytest.raises(DataError, match=r"rows a \(tune\), b \(confirm\) share a group or a prompt"):
        split([*BASE, *rows], SHARES)
    with pytest.raises(DataError, match="rows c: part: expected select or confirm, received tune"):
        split_guard([*BASE, item("c", part="tune")])


def test_an_oversized_group_goes_to_tune() -> None:
    names = [f"g{n}" for n in range(10)]
    for name in names:
        big = [item(f"{name}{n}", group=name) for n in range(40)]
        placed = place(BASE + big)
        assert {placed[example.id] for example in big} == {"tune"}
    # The same groups, small enough, fall where their hash says.
    assert {place([*BASE, item(name, group=name)])[name] for name in names} == {"tune", "select", "confirm"}


def test_an_empty_part_is_an_error_that_names_counts_and_need() -> None:
    with pytest.raises(DataError, match=r"would be empty: tune .* from 3 rows in 1 groups") as caught:
        split([item(str(n), group="one") for n in range(3)], SHARES)
    assert "21 distinct groups" in caught.value.hint or "13 distinct groups" in caught.value.hint
    with pytest.raises(DataError, match="would be empty"):
        split([], SHARES)
    with pytest.raises(DataError, match="add up to 1"):
        split(BASE, {"tune": 0.5, "confirm": 0.4})


def test_guards_go_to_select_and_confirm() -> None:
    parts = split_guard([item(str(n)) for n in range(1000)])
    assert set(parts) == {"select", "confirm"}
    # Five standard deviations of a binomial count with share 0.2.
    assert abs(len(parts["select"]) - 200) < 64
    passages = [Example(messages=(), references=(f"Passage {n}.",), id=str(n)) for n in range(100)]
    pairs = [Example(messages=(), id=str(n), fields={"good": f"a {n}", "bad": f"b {n}"}) for n in range(100)]
    assert all(len(items) > 5 for suite in (passages, pairs) for items in split_guard(suite).values())


def test_confirm_hash_knows_content_only() -> None:
    examples = BASE[:20]
    known = confirm_hash(examples)
    assert confirm_hash(examples[::-1]) == known
    assert confirm_hash([replace(e, id=f"x{e.id}", tags=("t",)) for e in examples]) == known
    assert confirm_hash(examples[1:]) != known
    assert confirm_hash([replace(examples[0], references=("other",)), *examples[1:]]) != known
    assert confirm_hash([item("base0", "other"), *examples[1:]]) != known


def test_clusters_join_groups_and_prompts() -> None:
    rows = [item("a", "p", "g"), item("b", "P "), item("c", group="g"), item("d"), item("e")]
    a, b, c, d, e = cluster_keys(rows)
    assert a == b == c
    assert len({a, d, e}) == 3
    assert cluster_keys(rows[:4]) == [a, b, c, d]


def test_a_group_joined_by_a_shared_prompt_does_not_depend_on_order() -> None:
    for n in range(10):
        examples = [*BASE, item("x", f"shared {n}"), item("y", f"shared {n}", f"group {n}")]
        assert place(examples) == place(examples[::-1])
