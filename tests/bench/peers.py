"""Peers beside the reconciler, in the same run: check-jsonschema, octoDNS, SQLMesh's and portion's intervals.

python -m tests.bench.peers [--sizes 100,1000] [--rounds 5] [--patience 60] [--keep DIR] [--json FILE] [--quick]

check-jsonschema reads the same manifests with our schema, octoDNS plans as many records as there are manifests, as
whole processes; ours forget their caches before. Raw httpx is in `tests.bench.whole`.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path

from tests.bench.figures_file import DEFAULT, Part, record
from tests.bench.running import Command
from tests.bench.whole import OUTSIDE, PEERS, TOP, Step, generate, measure, reconciler, tell

_SCHEMA = TOP / "schemas/backfill.v1.schema.json"


def whole(tables: int, keep: Path, rounds: int, patience: float) -> Part:
    """Measure peers that are whole commands, over so many manifests."""
    clone = generate(keep / f"tables-{tables}", str(tables), str(tables * 100)) / "clone"
    with tempfile.TemporaryDirectory() as scratch:
        script = os.fspath(Path(__file__).with_name("peer_octodns.py"))
        subprocess.run([PEERS, script, "make", scratch, str(tables)], check=True)

        def forget() -> None:
            shutil.rmtree(clone / ".git/reconciler/cache", ignore_errors=True)

        files = sorted(os.fspath(path.relative_to(clone)) for path in clone.glob("triggers/*/*/*.yaml"))
        checking = (sys.executable, "-m", "check_jsonschema", "--schemafile", os.fspath(_SCHEMA), *files)
        against = {
            "check-jsonschema": Command(checking, clone),
            "octodns": Command((os.fspath(PEERS), script, "plan", scratch), clone),
        }
        steps = (
            Step("validate", reconciler(clone, "validate"), "check-jsonschema", forget),
            Step("plan, cold", reconciler(clone, "plan"), "octodns", forget),
        )
        return measure(steps, against, rounds, patience)


def windows(rounds: int) -> Part:
    """Measure interval functions; seconds of processor."""
    script = os.fspath(Path(__file__).with_name("peer_windows.py"))
    command = [os.fspath(PEERS), script, str(rounds)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **OUTSIDE})
    found: Part = json.loads(done.stdout)
    return found


def main() -> None:
    """Measure, and put the figures into the file."""
    parser = ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--sizes", default="100,1000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--patience", type=float, default=60.0)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--json", type=Path, default=DEFAULT)
    asked = parser.parse_args()
    if asked.quick:
        asked.sizes, asked.rounds = "1000", 3
    with tempfile.TemporaryDirectory() as scratch:
        for size in map(int, filter(None, asked.sizes.split(","))):
            part = whole(size, asked.keep or Path(scratch), asked.rounds, asked.patience)
            record(asked.json, {f"peers {size}": part})
            tell(f"peers over {size:,} manifests; x: the reconciler's share of the peer's time", part)
    found = windows(asked.rounds)
    record(asked.json, {"windows": found})
    for name, one in found.items():
        print(f"{name:<30}", *(f"{who} {float(took) * 1000:.2f} ms" for who, took in one.items()))


if __name__ == "__main__":
    main()
