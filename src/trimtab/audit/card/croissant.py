"""croissant.json: the set as machines read it.

Croissant 1.1 (docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html) with the vocabulary for responsible AI, 1.0.
What is not known is left out, and named in the description.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from trimtab import licences
from trimtab.audit.card.facts import Facts
from trimtab.audit.card.words import collection, limits, missing, personal, preparation, summary
from trimtab.audit.tallies import MANY
from trimtab.data.objects import begins_document

VERSION = "http://mlcommons.org/croissant/1.1"
RAI = "http://mlcommons.org/croissant/RAI/1.0"
ROWS = "rows"
# The context that the specification asks to be given word for word (appendix 1).
CONTEXT: Mapping[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
_FORMATS = {
    ".jsonl": "application/jsonlines",
    ".ndjson": "application/jsonlines",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".parquet": "application/x-parquet",
    ".txt": "text/plain",
    ".md": "text/plain",
}
_TYPES = {
    "text": "sc:Text",
    "date": "sc:Date",
    "whole number": "sc:Integer",
    "number": "sc:Float",
    "true or false": "sc:Boolean",
}
_USES = {
    "prompt": "what a model reads",
    "instruction": "what a model reads",
    "input": "what a model reads, after the instruction",
    "completion": "what a model learns to write",
    "output": "what a model learns to write",
    "references": "good answers",
    "messages": "turns of a conversation; the last of the assistant is what a model learns to write",
    "chosen": "the better answer",
    "rejected": "the worse answer",
    "text": "a text as a whole",
    "licence": "the licence of the row",
    "source": "where the row comes from",
    "subject": "the person whom the row is about, under a pseudonym",
    "consent": "whether that person agreed",
    "collected_at": "day of collection",
    "part": "tune, select or confirm",
}


def croissant(facts: Facts) -> dict[str, Any]:
    """The document, JSON values, for a file that lies beside the set."""
    found, declared, origins = facts.found, facts.declared, facts.origins
    lacking = missing(facts)
    said = f"{declared.description or summary(facts)}"
    description = f"{said} Not known: {', '.join(lacking)}." if lacking else said
    document: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "name": facts.name,
        "description": description,
        "conformsTo": [VERSION, RAI],
        "license": licences.addresses(facts.licences),
        "inLanguage": [found.language] if found.language else [],
        "creator": {"@type": "sc:Organization", "name": declared.creator} if declared.creator else None,
        "url": declared.url,
        "version": declared.version,
        "datePublished": declared.published,
        "citeAs": declared.citation,
        "distribution": [_distribution(facts)],
        "recordSet": [_records(facts)],
        "rai:dataCollection": collection(facts),
        "rai:dataCollectionTimeframe": origins.get("days", []),
        "rai:dataPreprocessingProtocol": preparation(facts),
        "rai:personalSensitiveInformation": personal(facts),
        "rai:dataBiases": list(facts.biases),
        "rai:dataLimitations": limits(facts),
        "rai:dataUseCases": [declared.uses] if declared.uses else [],
    }
    return {name: value for name, value in document.items() if value not in ("", None, [], {})}


def _distribution(facts: Facts) -> dict[str, Any]:
    name = facts.source.name
    if facts.source.is_dir():
        return {
            "@type": "cr:FileSet",
            "@id": "texts",
            "name": "texts",
            "description": f"{len(facts.files):,} files of text; SHA-256 over their names and hashes: {facts.sha256}",
            "encodingFormat": "text/plain",
            "includes": [f"*{ending}" for ending in endings(facts.files)],
            "cr:excludes": ["README.md"],
        }
    return {
        "@type": "cr:FileObject",
        "@id": quote(name),
        "name": name,
        "contentUrl": name,
        "contentSize": f"{facts.size} B",
        "encodingFormat": ["application/gzip", _format(facts)]
        if name.lower().endswith(".gz")
        else _format(facts),
        "sha256": facts.sha256,
    }


def endings(files: Sequence[str]) -> list[str]:
    """The endings of some files, such as .txt and .md.gz, each once."""
    known = (".txt.gz", ".md.gz", ".txt", ".md")
    return [one for one in known if any(name.lower().endswith(one) for name in files)]


def _format(facts: Facts) -> str:
    ending = facts.source.with_name(facts.source.name.lower().removesuffix(".gz")).suffix
    if ending == ".json":
        return "application/json" if _one_document(facts) else "application/jsonlines"
    return _FORMATS[ending]


def _one_document(facts: Facts) -> bool:
    """Whether a .json file is one list; in spite of its name it may hold an object a line."""
    name = facts.source.name.lower()
    if not name.endswith((".json", ".json.gz")):
        return False
    opened = gzip.open if name.endswith(".gz") else open
    with opened(facts.source, "rt", encoding="utf-8", errors="replace") as file:
        return begins_document(next((line for line in file if line.strip()), ""))


def _records(facts: Facts) -> dict[str, Any]:
    records: dict[str, Any] = {
        "@type": "cr:RecordSet",
        "@id": ROWS,
        "name": ROWS,
        "description": f"{facts.found.rows:,} rows, {facts.found.shape}",
    }
    if facts.source.is_dir():
        origin = {"fileSet": {"@id": "texts"}}
        fields = [
            _field("text", "sc:Text", origin | {"extract": {"fileProperty": "content"}}, "a text as a whole"),
            _field(
                "source",
                "sc:Text",
                origin | {"extract": {"fileProperty": "fullpath"}},
                "the name of its file",
            ),
        ]
        return records | {"field": fields}
    file = {"fileObject": {"@id": quote(facts.source.name)}}
    if _format(facts) == "text/plain":
        lines = file | {"extract": {"fileProperty": "lines"}}
        return records | {"field": [_field("line", "sc:Text", lines, "one line of the file")]}
    usual = {own: name for name, own in facts.found.columns.items()}
    described, listed = facts.described, _one_document(facts)
    return records | {
        "field": [
            _column(
                column,
                kinds,
                described["inside"].get(column, ()),
                _origin(column, file, listed=listed),
                usual.get(column, ""),
            )
            for column, kinds in described["columns"].items()
            if column != MANY
        ]
    }


def _column(
    column: str,
    kinds: Mapping[str, int],
    inside: Sequence[str],
    origin: Mapping[str, Any],
    usual: str,
) -> dict[str, Any]:
    """One column as a field; the turns of a conversation are fields inside of it."""
    said = _USES.get(usual, "")
    repeated = any(kind.startswith("list") for kind in kinds)
    array = {"isArray": True, "arrayShape": "-1"} if repeated else {}
    if inside:
        names = {
            "subField": [
                _field(f"{column}/{name}", "sc:Text", {**origin, "transform": {"jsonPath": name}}, name=name)
                for name in inside
            ]
        }
        return {
            "@type": "cr:Field",
            "@id": _id(column),
            "name": column,
            "description": said,
            **array,
            **names,
        }
    return {**_field(column, _type(kinds), origin, said), **array}


def _origin(column: str, file: Mapping[str, Any], *, listed: bool) -> dict[str, Any]:
    """Where a column is read from; listed: the file is one list of objects."""
    path = f'$[*]."{column}"' if not column.isidentifier() else f"$[*].{column}"
    return {**file, "extract": {"jsonPath": path} if listed else {"column": column}}


def _type(kinds: Mapping[str, int]) -> str:
    found = {_TYPES.get(kind.removeprefix("list of ").removesuffix("s"), "sc:Text") for kind in kinds}
    if found == {"sc:Integer", "sc:Float"}:
        return "sc:Float"
    return found.pop() if len(found) == 1 else "sc:Text"


def _field(
    column: str, data_type: str, source: Mapping[str, Any], said: str = "", name: str = ""
) -> dict[str, Any]:
    described = {"description": said} if said else {}
    return {
        "@type": "cr:Field",
        "@id": _id(column),
        "name": name or column,
        **described,
        "dataType": data_type,
        "source": dict(source),
    }


def _id(column: str) -> str:
    return f"{ROWS}/{quote(column)}"
