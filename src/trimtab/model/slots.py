"""Rows that are being answered, each in a place of its own: nothing moves when rows come and go.

A prompt's keys and values are held once for all rows that answer it, and each row holds those of its own answer.
Attention of a row is one softmax over both (`Slots._attend`). Places are given back when a row or the last row of a
prompt ends, and taken by the next that waits.
"""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from trimtab.model import attention, beginnings, packed, sites
from trimtab.model.beginnings import Left, Part
from trimtab.model.load import Base
from trimtab.model.mixed import Asked, Mixed
from trimtab.model.pack import ROUND, inputs, rounded, tree_is_exact, unscored

# Nodes of one tree of prompts; beyond some hundred, attention between strangers costs more than wide products gain.
NODES = 512
# Largest mean difference of log-probabilities (nats) that rounding explains, in float32 and in bfloat16; a wrong mask
# makes more than 1.
TOLERANCE = 0.01
LOW_TOLERANCE = 0.6
# Tokens from which laying weights out for products of few rows (0.4 s for 135 million) has paid for itself.
WORTH = 4096

_suited: weakref.WeakKeyDictionary[Any, bool] = weakref.WeakKeyDictionary()


class Slots:
    """Places for rows and for the prompts that they answer.

    Attributes:
        logits: (rows, vocabulary), after the last token of each row.
        owner: (rows,) int64, the prompt's place of each row; -1 where no row is.
        length: (rows,) int64, tokens of its answer that a row has read.
    """

    def __init__(self, base: Base, rows: int, prompts: int, longest: tuple[int, int]) -> None:
        """Make places for as many rows and prompts, of at most `longest` tokens of prompt and of answer."""
        self.base = base
        self._head = sites.module_name(base.network, base.network.get_output_embeddings())
        self.owner = np.full(rows, -1)
        self.length = np.zeros(rows, dtype=np.int64)
        self.prompts: list[Asked | None] = [None] * prompts
        self.logits = torch.empty(0)
        self._longest = tuple(rounded(count) for count in longest)
        self._shared: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self._own: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
        self._after = torch.empty(0)
        self._now: _Step | None = None
        self._ahead: packed.Ahead | None = None

    def free(self) -> int:
        """Number of places without a row."""
        return int((self.owner < 0).sum())

    def enter(self, asked: Sequence[Asked], mixed: Mixed) -> list[int]:
        """Give each row a place, by its prompt; prompts that are not there yet are read. Returns the places."""
        new = [one for one in dict.fromkeys(asked) if one not in self.prompts]
        if new:
            self._let_go(len(new), keep=set(asked))
            for together in self._readable(new, mixed):
                self._read(together, mixed)
        places = np.flatnonzero(self.owner < 0)[: len(asked)]
        self.owner[places] = [self.prompts.index(one) for one in asked]
        self.length[places] = 0
        self.logits[torch.from_numpy(places)] = self._after[torch.from_numpy(self.owner[places])]
        found: list[int] = places.tolist()
        return found

    def leave(self, places: Sequence[int]) -> None:
        """Give places back."""
        self.owner[list(places)] = -1

    def tighten(self) -> dict[int, int]:
        """Move the last rows into free places below where that saves a round of places; returns who went where."""
        there = np.flatnonzero(self.owner >= 0)
        low = rounded(len(there))
        if not len(there) or low >= rounded(int(there[-1]) + 1):
            return {}
        source = there[there >= low]
        target = np.flatnonzero(self.owner[:low] < 0)[: len(source)]
        into, out = torch.from_numpy(target), torch.from_numpy(source)
        for keys, values in self._own.values():
            keys[into], values[into] = keys[out], values[out]
        self.logits[into] = self.logits[out]
        self.owner[target], self.length[target] = self.owner[source], self.length[source]
        self.owner[source] = -1
        return dict(zip(source.tolist(), target.tolist(), strict=True))

    def step(self, tokens: torch.Tensor) -> None:
        """Read one more token of each row, (rows,) int64 by place, and renew the logits."""
        self._now = now = _Step(self)
        device = self.base.network.device
        if self._ahead is None and len(self.owner) * self._longest[1] >= WORTH:
            self._ahead = packed.Ahead(self.base.network)
        with attention.through(self.base.network, self._attend), packed.used(self._ahead):
            result = self.base.network(
                input_ids=tokens[: now.rows, None].to(device), position_ids=now.positions, use_cache=False
            )
        self.logits[: now.rows] = result.logits[:, -1]
        self.length[self.owner >= 0] += 1

    def _let_go(self, wanted: int, keep: set[Asked]) -> None:
        """Forget prompts that no row answers any more, as many as places are wanted."""
        wanted -= self.prompts.count(None)
        used = set(self.owner.tolist())
        unused = [n for n, p in enumerate(self.prompts) if p and n not in used and p not in keep]
        for place in unused[: max(0, wanted)]:
            self.prompts[place] = None

    def _readable(self, prompts: Sequence[Asked], mixed: Mixed) -> list[list[Asked]]:
        """Prompts that one pass may read; a stack that changes the head is alone: it is given last tokens only."""
        groups: dict[str, list[Asked]] = {}
        for whose, prompt in prompts:
            alone = whose if self._head in mixed.changed(whose) else ""
            groups.setdefault(alone, []).append((whose, prompt))
        return list(groups.values())

    def _read(self, prompts: Sequence[Asked], mixed: Mixed) -> None:
        """Run new prompts as trees and keep what they leave in places of their own."""
        free = [place for place, prompt in enumerate(self.prompts) if prompt is None]
        network = self.base.network
        for left in beginnings.left(prompts, list(self.prompts), NODES, network.config.vocab_size):
            kept: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}
            one = len(left.nodes) == 1
            with (
                mixed.applied({name: None if one else nodes for name, nodes in left.nodes.items()}, axis=1),
                attention.through(network, self._keeping(kept, left)),
                packed.used(self._ahead),
            ):
                logits = network(
                    **inputs(left.tree, network),
                    use_cache=False,
                    logits_to_keep=torch.from_numpy(left.tree.ends).to(network.device),
                ).logits[0]
            places = [free.pop(0) for _ in left.numbers]
            self._store(places, left, kept, logits)
            for place, number in zip(places, left.numbers, strict=True):
                self.prompts[place] = prompts[number]

    def _keeping(self, kept: dict[int, Any], left: Left) -> Any:
        """Attention over a tree, and over what it is read after, that also keeps the keys and values of every layer."""
        masks: list[torch.Tensor] = []

        def attend(module: Any, query: Any, key: Any, value: Any, mask: Any, **named: Any) -> Any:
            kept[module.layer_idx] = (key, value)
            if not masks:
                masks.extend(_of_part(mask, part, last=part is left.parts[-1]) for part in left.parts)
            found = []
            for part, seen in zip(left.parts, masks, strict=True):
                own = slice(part.start, part.start + seen.shape[2])
                keys, values = (
                    torch.cat([*old, new[:, :, own]], 2)
                    for old, new in zip(self._before(module.layer_idx, part.after), (key, value), strict=True)
                )
                found.append(attention.attend(module, query[:, :, own], keys, values, seen, **named)[0])
            return torch.cat(found, 1), None

        return attend

    def _before(self, layer: int, after: Sequence[tuple[int, int]]) -> list[list[torch.Tensor]]:
        """Keys, and values, of the first tokens of prompts."""
        if not after:
            return [[], []]
        return [[store[p : p + 1, :, :count] for p, count in after] for store in self._shared[layer]]

    def _store(self, places: list[int], left: Left, kept: dict[int, Any], logits: torch.Tensor) -> None:
        if not self._own:
            self._allocate(kept, logits)
        paths = [np.flatnonzero(left.tree.sees[end]) for end in left.tree.ends]
        into = torch.tensor(np.repeat(places, [len(path) for path in paths]))
        nodes = torch.from_numpy(np.concatenate(paths))
        at = torch.from_numpy(left.tree.depth)[nodes]
        begun = [(place, *of) for place, of in zip(places, left.shared, strict=True) if of[1]]
        for number, pair in kept.items():
            for store, part in zip(self._shared[number], pair, strict=True):
                store[into, :, at] = part[0][:, nodes].transpose(0, 1)
                for place, host, count in begun:
                    store[place, :, :count] = store[host, :, :count]
        self._after[torch.tensor(places)] = logits

    def _allocate(self, kept: dict[int, Any], logits: torch.Tensor) -> None:
        """Room for all places, once the shapes are known; zeros, because what is masked is still multiplied by 0."""
        rows, prompts = len(self.owner), len(self.prompts)
        for number, pair in kept.items():
            for store, count, longest in (
                (self._shared, prompts, self._longest[0]),
                (self._own, rows, self._longest[1]),
            ):
                store[number] = tuple(
                    part.new_zeros(count, part.shape[1], longest, part.shape[-1]) for part in pair
                )
        self._after = logits.new_zeros((prompts, logits.shape[-1]))
        self.logits = logits.new_zeros((rows, logits.shape[-1]))

    def _attend(
        self,
        module: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        _: torch.Tensor | None,
        scaling: float | None = None,
        **others: Any,
    ) -> tuple[torch.Tensor, None]:
        """One query a row (rows, heads, 1, d) over its prompt and its answer, with the new key added to the answer."""
        now = self._now
        if now is None or attention.special(others):
            raise NotImplementedError("this family asks for more of attention than a mask")
        own, shared = self._own[module.layer_idx], self._shared[module.layer_idx]
        rows, heads, _one, size = query.shape
        groups = key.shape[1]
        for store, part in zip(own, (key, value), strict=True):
            store[now.every, :, now.last] = part[:, :, 0].to(store.dtype)
        keys, values = (part[:rows, :, : now.answer].flatten(0, 1) for part in own)
        shared_keys, shared_values = (part[: now.used, :, : now.prompt].flatten(0, 1) for part in shared)
        scale = size**-0.5 if scaling is None else scaling
        asked = (query * scale).view(rows, groups, heads // groups, size).to(keys.dtype)
        of_prompt = now.to_rows(torch.bmm(now.to_grid(asked), shared_keys.transpose(1, 2)), groups)
        of_answer = torch.bmm(asked.flatten(0, 1), keys.transpose(1, 2)).view(*asked.shape[:3], -1)
        weights = torch.cat([of_prompt, of_answer], -1).add_(now.mask).softmax(-1)
        before, after = torch.split(weights, [now.prompt, now.answer], -1)
        found = now.to_rows(torch.bmm(now.to_grid(before), shared_values), groups)
        found = found + torch.bmm(after.flatten(0, 1), values).view_as(found)
        return found.reshape(rows, 1, heads, -1).to(query.dtype), None


def _of_part(mask: torch.Tensor, part: Part, *, last: bool) -> torch.Tensor:
    """What a part's nodes see, (1, 1, nodes, keys): of what they are read after, and of each other.

    The last part has the nodes that fill up the tree, which see themselves alone.
    """
    stop = mask.shape[-1] if last else part.stop
    sees = np.zeros((stop - part.start, part.sees.shape[1]), dtype=bool)
    sees[: len(part.sees)] = part.sees
    before = attention.additive(torch.from_numpy(sees)[None, None].to(mask.device), mask.dtype)
    return torch.cat([before, mask[..., part.start : stop, part.start : stop]], -1)


class _Step:
    """What all layers of one step need: how rows lie in the grid of prompts, what each may see, and its position.

    The grid has `used` prompts with `width` rows each; a row's part of it is computed together with those of the
    other rows of its prompt.
    """

    def __init__(self, slots: Slots) -> None:
        there = np.flatnonzero(slots.owner >= 0)
        device = slots.base.network.device
        self.rows = min(rounded(int(there[-1]) + 1), len(slots.owner))
        owner, length = slots.owner[: self.rows], slots.length[: self.rows].copy()
        length[owner < 0] = 0
        self.used = min(-(-int(owner.max() + 1) // 4) * 4, len(slots.prompts))
        counts = np.bincount(owner[owner >= 0], minlength=self.used)
        self.width = int(counts.max())
        order = np.argsort(owner, kind="stable")
        rank = np.empty(self.rows, dtype=np.int64)
        starts = np.cumsum(counts) - counts
        ordered = owner[order]
        rank[order] = np.arange(self.rows) - (ordered < 0).sum() - np.where(ordered < 0, 0, starts[ordered])
        # Empty places read the first prompt, and nothing looks at them.
        grid = np.where(owner < 0, 0, owner * self.width + rank)
        lengths = np.array([len(p[1]) if p else 1 for p in slots.prompts])
        mine = lengths[np.maximum(owner, 0)]
        self.prompt, self.answer = rounded(int(mine.max())), rounded(int(length.max()) + 1)
        seen = np.concatenate(
            [np.arange(self.prompt) < mine[:, None], np.arange(self.answer) <= length[:, None]], axis=1
        )
        dtype = next(slots.base.network.parameters()).dtype
        self.mask = attention.additive(torch.from_numpy(seen)[:, None, None].to(device), dtype)
        self.positions = torch.from_numpy(mine + length)[:, None].to(device)
        self.every = torch.arange(self.rows, device=device)
        self.last = torch.from_numpy(length).to(device)
        self.grid = torch.from_numpy(grid).to(device)
        # Whose row lies where in the grid; what lies elsewhere is computed, and looked at by nobody.
        filled, rows = np.flatnonzero(owner >= 0), np.zeros(self.used * self.width, dtype=np.int64)
        rows[grid[filled]] = filled
        self.whose = torch.from_numpy(rows).to(device)

    def to_grid(self, part: torch.Tensor) -> torch.Tensor:
        """(rows, groups, heads of a group, d) laid out as (used * groups, width * heads of a group, d)."""
        _, groups, heads, size = part.shape
        grid = part[self.whose].view(self.used, self.width, groups, heads, size).transpose(1, 2)
        return grid.reshape(self.used * groups, self.width * heads, size)

    def to_rows(self, part: torch.Tensor, groups: int) -> torch.Tensor:
        """The other way round."""
        grid = part.view(self.used, groups, self.width, -1, part.shape[-1]).transpose(1, 2)
        return grid.reshape(self.used * self.width, groups, -1, part.shape[-1])[self.grid]


@torch.no_grad()
def suited(base: Base) -> bool:
    """Whether a network can be run so: it attends to all tokens, and gives the log-probabilities of a plain pass."""
    network = base.network
    if network not in _suited:
        try:
            _suited[network] = _same(base)
        except (AttributeError, RuntimeError, TypeError, ValueError, KeyError):
            _suited[network] = False
    return _suited[network]


def _same(base: Base) -> bool:
    config = base.network.config
    if getattr(config, "sliding_window", None) and getattr(config, "use_sliding_window", True):
        return False
    top = base.network.config.vocab_size
    prompts = [tuple(n % top for n in row) for row in ((5, 6, 7, 8), (5, 6, 9), (11,))]
    if not tree_is_exact(base.network, [unscored(prompt) for prompt in prompts]):
        return False
    asked = [prompts[0], prompts[0], prompts[1], prompts[2]]
    slots = Slots(base, ROUND, len(prompts), (4, 4))
    # The second time one that begins like one of the first.
    places = [
        place
        for some in (asked[:2], asked[2:])
        for place in slots.enter([("", prompt) for prompt in some], Mixed(base.network))
    ]
    written = [[7, 8], [9, 5], [6, 6], [5, 9]]
    far = 0.0
    for count in range(3):
        for place, prompt, more in zip(places, asked, written, strict=True):
            ids = torch.tensor([[*prompt, *(n % top for n in more[:count])]], device=base.network.device)
            plain = base.network(input_ids=ids, use_cache=False).logits[0, -1].float().log_softmax(-1)
            apart = (plain - slots.logits[place].float().log_softmax(-1)).abs()
            far = max(far, float(apart.mean()))
        if count < 2:
            tokens = torch.zeros(ROUND, dtype=torch.int64)
            tokens[places] = torch.tensor([more[count] % top for more in written])
            slots.step(tokens)
    low = next(base.network.parameters()).dtype is not torch.float32
    return far <= (LOW_TOLERANCE if low else TOLERANCE)
