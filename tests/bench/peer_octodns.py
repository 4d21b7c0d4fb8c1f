"""octoDNS plans a zone of so many records, of which one in fifty differs: both sides YAML, read by its own provider.

python tests/bench/peer_octodns.py make FOLDER RECORDS
python tests/bench/peer_octodns.py plan FOLDER           with a Python that has the extra `bench`
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

_ZONE = "bench.example."


def make(folder: Path, records: int) -> None:
    """Write the zone as it is wanted, and as it is."""
    for side, differs in (("wanted", True), ("there", False)):
        place = folder / side
        place.mkdir(parents=True)
        lines = ["---\n"]
        for number in range(records):
            last = 2 if differs and number % 50 == 49 else 1
            lines.append(
                f"host-{number:06}:\n  ttl: 300\n  type: A\n  value: 10.{number // 250 % 250}.{number % 250}.{last}\n"
            )
        (place / f"{_ZONE}yaml").write_text("".join(lines), encoding="utf-8")


def plan(folder: Path) -> int:
    """Return how many changes octoDNS plans."""
    provider = import_module("octodns.provider.yaml").YamlProvider
    wanted, there = (provider(side, str(folder / side), escaped_semicolons=False) for side in ("wanted", "there"))
    zone = import_module("octodns.zone").Zone(_ZONE, [])
    wanted.populate(zone)
    return len(there.plan(zone).changes)


def main(what: str, folder: str, records: str = "0") -> None:
    """Do what is asked."""
    if what == "make":
        make(Path(folder), int(records))
    else:
        print(plan(Path(folder)))


if __name__ == "__main__":
    main(*sys.argv[1:])
