"""Rendered rows kept on disk, found again by data, tokenizer, template, settings and code."""

from __future__ import annotations

import os
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from trimtab.data import render as rendering
from trimtab.data.certificate import data_hash, template_hash, tokenizer_hash
from trimtab.errors import RunError
from trimtab.records import Example, TokenRow, content_hash


def cached_rows(
    folder: Path,
    examples: Sequence[Example],
    tokenizer: Any,
    *,
    max_tokens: int,
    turns: rendering.Turns = "all",
) -> list[TokenRow]:
    """`render`, or its result from an earlier call with the same input.

    A damaged file is rendered again and replaced. Files are written atomically, so that several processes
    may share `folder`.

    Raises:
        MaskError: as `render` does.
        RunError: the folder cannot be written, because the disk is full for instance.
    """
    path = folder / f"{cache_key(examples, tokenizer, max_tokens=max_tokens, turns=turns)}.npz"
    rows = _load(path)
    if rows is None:
        rows = rendering.render(examples, tokenizer, max_tokens=max_tokens, turns=turns)
        _save(path, rows)
    return rows


def cache_key(
    examples: Sequence[Example], tokenizer: Any, *, max_tokens: int, turns: rendering.Turns = "all"
) -> str:
    """Hash of everything that decides the rows: data, tokenizer, template, settings, code of `render`."""
    code = Path(rendering.__file__).read_bytes().decode("utf-8")
    parts = [
        data_hash(examples),
        tokenizer_hash(tokenizer),
        template_hash(tokenizer),
        max_tokens,
        turns,
        code,
    ]
    return content_hash(parts, length=32)


def _load(path: Path) -> list[TokenRow] | None:
    """Rows of a file, or None where it is missing or damaged."""
    try:
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            ends = np.cumsum(file["lengths"])
            names, lost = file["examples"], file["lost"]
            ids = np.split(file["ids"].astype(np.int64), ends[:-1])
            supervised = np.split(file["supervised"].astype(bool), ends[:-1])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    if (
        len(names) != len(ends)
        or len(lost) != len(ends)
        or sum(map(len, ids)) != (ends[-1] if len(ends) else 0)
    ):
        return None
    return [
        TokenRow(str(name), row, mask, int(cut))
        for name, row, mask, cut in zip(names, ids, supervised, lost, strict=False)
    ]


def _save(path: Path, rows: Sequence[TokenRow]) -> None:
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.stem, suffix=".part")
        with os.fdopen(handle, "wb") as stream:
            np.savez_compressed(
                stream,
                examples=np.array([row.example for row in rows], dtype=np.str_),
                lengths=np.array([len(row.ids) for row in rows], dtype=np.int64),
                ids=np.concatenate([np.zeros(0, np.int64), *(row.ids for row in rows)]).astype(np.int32),
                supervised=np.concatenate([np.zeros(0, bool), *(row.supervised for row in rows)]),
                lost=np.array([row.lost for row in rows], dtype=np.int64),
            )
        os.replace(temporary, path)
    except OSError as error:
        raise RunError(
            f"token cache {path.parent}: cannot be written: {error.strerror}",
            "free space, or choose another folder",
        ) from None
    finally:
        if temporary and os.path.exists(temporary):
            os.unlink(temporary)
