"""Synonyms from the files of WordNet 3, as Princeton and Debian's package wordnet-base have them.

Format: wndb(5WN): index.<pos> lists, for each lemma, the byte offsets of its senses in data.<pos>.
"""

from __future__ import annotations

from pathlib import Path

from trimtab.data.augment.made import chance, reworded
from trimtab.data.augment.noise import plain_words
from trimtab.errors import DataError, MissingPart
from trimtab.records import Example

FOLDER = "/usr/share/wordnet"
PARTS = ("noun", "verb", "adj", "adv")


class WordNet:
    """Words with one sense only: where there are several, which one is meant is not known, and none is replaced.

    Attributes:
        licence: the text of the licence that the files carry, to be kept in records.

    Raises:
        MissingPart: the files are not there.
        DataError: a file is not of this format.
    """

    def __init__(self, folder: str = "") -> None:
        path = Path(folder or FOLDER)
        lacking = [f"{kind}.{part}" for part in PARTS for kind in ("index", "data")]
        lacking = [name for name in lacking if not (path / name).is_file()]
        if lacking:
            raise MissingPart(
                f"WordNet: {', '.join(lacking[:2])} not found in {path}",
                "apt-get install wordnet-base, or name a folder of its files: file: PATH",
            )
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
    text, chances = parent.prompt, chance(seed, parent.id, "synonyms", number)
    places = [(start, end) for start, end in plain_words(text) if net.synonyms(text[start:end])]
    if not places:
        return None
    chosen = sorted(chances.sample(places, max(1, round(rate * len(places)))), reverse=True)
    for start, end in chosen:
        text = text[:start] + chances.choice(net.synonyms(text[start:end])) + text[end:]
    return reworded(parent, text, "synonyms", number)


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
    data = {part: (path / f"data.{part}").read_bytes() for part in PARTS}
    found = {}
    for lemma, places in senses.items():
        if len(places) == 1 and lemma.isalpha():
            words = _synset(data[places[0][0]], places[0][1]) - {lemma}
            if words:
                found[lemma] = tuple(sorted(words))
    return found


def _synset(data: bytes, offset: int) -> set[str]:
    """The lower-case single words of the set of synonyms at an offset."""
    fields = data[offset : data.find(b"\n", offset)].decode("utf-8", "replace").split()
    try:
        words = fields[4 : 4 + 2 * int(fields[3], 16) : 2]
    except (ValueError, IndexError):
        raise DataError(f"WordNet: no senses at byte {offset}", "install wordnet-base again") from None
    return {word for word in words if word.isascii() and word.isalpha() and word.islower()}
