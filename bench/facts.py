"""How many known label faults of E2E the audit of facts finds: its development part beside its cleaned version.

python bench/facts.py
"""

from __future__ import annotations

import argparse
import csv
import gzip
import tempfile
from pathlib import Path

from trimtab.audit import audit
from trimtab.audit.told.pairs import listed
from trimtab.language.names import Known

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "e2e_nlg" / "clean_dev.csv.gz"


def known_faults(path: Path) -> tuple[set[int], set[int], int]:
    """Rows that the audit names, rows whose facts people changed when they cleaned the set, and how many there are."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "rows.csv"
        with source.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(["mr", "ref"])
            writer.writerows([row["orig_mr"], row["ref"]] for row in rows)
        result = audit(str(source))
    found = {
        row for one in result.findings if one.kind in ("fact_left_out", "fact_added") for row in one.rows
    }
    faults = {place for place, row in enumerate(rows) if listed(row["orig_mr"]) != listed(row["mr"])}
    return found, faults, len(rows)


def literal(path: Path) -> set[int]:
    """Rows of which some fact does not stand in the answer word for word, or by its name where it is yes or no."""
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = set()
    for place, row in enumerate(rows):
        answer = Known([row["ref"]])
        facts = listed(row["orig_mr"]).items()
        if not all(answer.keeps(name if value in ("yes", "no") else value) for name, value in facts):
            found.add(place)
    return found


def main() -> None:
    """Print recall and precision."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    data = parser.parse_args().data
    found, faults, rows = known_faults(data)
    print(f"{rows} rows, {len(faults)} with facts that people changed")
    for name, named in (("the audit", found), ("word for word", literal(data))):
        both = len(named & faults)
        print(
            f"{name}: {len(named)} named, recall {both / len(faults):.3f}, precision {both / len(named):.3f}"
        )


if __name__ == "__main__":
    main()
