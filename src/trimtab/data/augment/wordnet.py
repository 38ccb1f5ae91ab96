"""Synonyms from the files of WordNet 3, as Princeton and Debian's package wordnet-base have them.

Formats: wndb(5WN): index.<pos> lists, for each lemma, the byte offsets of its senses in data.<pos>, and <pos>.exc the
irregular forms; morphy(7WN), section "Rules of detachment": the endings of regular ones.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from trimtab.data.augment.made import asked, chance, reworded
from trimtab.data.augment.noise import plain_words
from trimtab.errors import DataError, MissingPart
from trimtab.records import Example

FOLDER = "/usr/share/wordnet"
PARTS = ("noun", "verb", "adj", "adv")
FILES = tuple(name for part in PARTS for name in (f"index.{part}", f"data.{part}", f"{part}.exc"))
# Endings of inflected forms, and what stands in their place in the lemma.
ENDINGS = (
    ("ses", "s"), ("xes", "x"), ("zes", "z"), ("ches", "ch"), ("shes", "sh"), ("men", "man"), ("ies", "y"),
    ("es", "e"), ("es", ""), ("ed", "e"), ("ed", ""), ("ing", "e"), ("ing", ""), ("er", "e"), ("er", ""),
    ("est", "e"), ("est", ""), ("s", ""),
)  # fmt: skip


def fingerprint(folder: str = "") -> str:
    """SHA-256 of WordNet's files: of those in the folder, or of the installed ones.

    Raises:
        MissingPart: they are not there.
    """
    path = _found(folder)
    return hashlib.sha256(b"".join((path / name).read_bytes() for name in FILES)).hexdigest()


class WordNet:
    """Words with one sense only: where there are several, which one is meant is not known, and none is replaced.

    A form of another word, such as "days" or "using", counts as one with that word's senses, and is left alone too.

    Attributes:
        licence: the text of the licence that the files carry, to be kept in records.

    Raises:
        MissingPart: the files are not there.
        DataError: a file is not of this format.
    """

    def __init__(self, folder: str = "") -> None:
        path = _found(folder)
        self.licence = _licence((path / "data.noun").read_bytes())
        self._synonyms = _read(path)

    def synonyms(self, word: str) -> tuple[str, ...]:
        """Single words that mean the same as a lower-case word with one sense; sorted."""
        return self._synonyms.get(word, ())


def synonyms(parent: Example, net: WordNet, *, rate: float, seed: int, number: int = 0) -> Example | None:
    """The row with words of its last user turn replaced by synonyms; names and quantities are left alone.

    Args:
        rate: share of the words with a synonym that are replaced, above 0 to 1; at least one is.

    Returns:
        None where no word has a synonym.
    """
    text, chances = asked(parent), chance(seed, parent.id, "synonyms", number)
    places = [(start, end) for start, end in plain_words(text) if net.synonyms(text[start:end])]
    if not places:
        return None
    chosen = sorted(chances.sample(places, max(1, round(rate * len(places)))), reverse=True)
    for start, end in chosen:
        text = text[:start] + chances.choice(net.synonyms(text[start:end])) + text[end:]
    return reworded(parent, text, "synonyms", number)


def _found(folder: str) -> Path:
    """The folder of the files, every one of which is there."""
    path = Path(folder or FOLDER)
    lacking = [name for name in FILES if not (path / name).is_file()]
    if lacking:
        raise MissingPart(
            f"augment: synonyms need WordNet, and {path} lacks {', '.join(lacking[:3])}"
            f"{' and others' if len(lacking) > 3 else ''}",
            "apt install wordnet-base, or name the folder of its files: augment: [{kind: synonyms, wordnet: FOLDER}]",
        )
    return path


def _licence(data: bytes) -> str:
    """The lines at the beginning that start with two spaces, without their numbers."""
    lines = []
    for line in data.decode("utf-8", "replace").splitlines():
        if not line.startswith("  "):
            break
        lines.append(line.strip().partition(" ")[2].strip())
    return "\n".join(lines).strip()


def _read(path: Path) -> dict[str, tuple[str, ...]]:
    senses: dict[str, list[tuple[str, int]]] = {}
    for part in PARTS:
        for line in (path / f"index.{part}").read_text(encoding="utf-8").splitlines():
            if line.startswith("  ") or not line.strip():
                continue
            fields = line.split()
            try:
                offsets = [int(field) for field in fields[len(fields) - int(fields[2]) :]]
            except (ValueError, IndexError):
                raise DataError(
                    f"{path}/index.{part}: expected a lemma with its senses, received {line!r:.60}",
                    "install wordnet-base again",
                ) from None
            senses.setdefault(fields[0], []).extend((part, offset) for offset in offsets)
    irregular = {
        line.split()[0]
        for part in PARTS
        for line in (path / f"{part}.exc").read_text(encoding="utf-8").splitlines()
        if line.strip()
    }
    data = {part: (path / f"data.{part}").read_bytes() for part in PARTS}
    found = {}
    for lemma, places in senses.items():
        inflected = lemma in irregular or any(form in senses for form in _detached(lemma))
        if len(places) == 1 and lemma.isalpha() and not inflected:
            words = _synset(data[places[0][0]], places[0][1]) - {lemma}
            if words:
                found[lemma] = tuple(sorted(words))
    return found


def _detached(word: str) -> list[str]:
    """What a word may be a regular form of."""
    return [word.removesuffix(ending) + own for ending, own in ENDINGS if word.endswith(ending)]


def _synset(data: bytes, offset: int) -> set[str]:
    """The lower-case single words of the set of synonyms at an offset."""
    fields = data[offset : data.find(b"\n", offset)].decode("utf-8", "replace").split()
    try:
        words = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
    except (ValueError, IndexError):
        raise DataError(f"WordNet: no senses at byte {offset}", "install wordnet-base again") from None
    return {word for word in words if word.isascii() and word.isalpha() and word.islower()}
