"""Identity numbers of single countries, by the recognisers of Presidio that verify a check digit.

Only its pattern recognisers are used, one by one: they need no language model and, unlike its e-mail recogniser, which
asks tldextract for a list of domains, no network. What our own patterns find is not asked of it again.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from typing import Any

from trimtab.errors import MissingPart
from trimtab.language.personal.found import Found

_RECOGNISERS = (
    "CryptoRecognizer", "MedicalLicenseRecognizer", "InAadhaarRecognizer", "AuTfnRecognizer", "AuMedicareRecognizer",
    "EsNifRecognizer", "EsNieRecognizer", "ItFiscalCodeRecognizer", "PlPeselRecognizer", "SgFinRecognizer",
    "FiPersonalIdentityCodeRecognizer",
)  # fmt: skip
_VERIFIED = 0.9  # Presidio gives 1.0 where a check digit is right
# Each of these numbers has at least five digits or is long, so most texts are passed over.
_WORTH = re.compile(r"\d(?:\W?\d){4}|[A-Za-z0-9]{16}")


class National:
    """A finder of national identity numbers.

    Raises:
        MissingPart: Presidio is not installed.
    """

    def __init__(self) -> None:
        if importlib.util.find_spec("presidio_analyzer") is None:
            raise MissingPart(
                "identity numbers of single countries need Presidio, which is not installed",
                hint="install trimtab[privacy], or search by patterns only",
            )
        from presidio_analyzer import predefined_recognizers

        made: list[Any] = []
        for name in _RECOGNISERS:
            kind = getattr(predefined_recognizers, name, None)
            if kind is not None:
                made.append(kind())
        self._recognisers = made
        self.types = tuple(kind for one in made for kind in one.supported_entities)

    def find(self, text: str) -> Iterator[Found]:
        """The numbers of a text whose check digits are right."""
        if not _WORTH.search(text):
            return
        for one in self._recognisers:
            for result in one.analyze(text, one.supported_entities, None) or ():
                if result.score >= _VERIFIED:
                    yield Found(result.start, result.end, result.entity_type, result.score)
