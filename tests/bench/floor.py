"""The least that a plan has to do: every manifest through libyaml, every ledger line through a JSON reader, no more.

python tests/bench/floor.py yaml FOLDER
python tests/bench/floor.py plan FOLDER [READER]     the same, and the ledgers of origin/reconciler-state
python tests/bench/floor.py ledgers FOLDER [READER]  only the ledgers
python tests/bench/floor.py bytes FOLDER             only the bytes of all

FOLDER is a clone, READER one of `READERS`. A script of its own that imports nothing but what it needs; the garbage
collector is off, for that is faster.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import chain

_STATE = "origin/reconciler-state:triggers/.state/bench"

Reader = Callable[[bytes], object]


def manifests(folder: str) -> Iterator[bytes]:
    """Yield the bytes of all manifests."""
    for where, _, files in os.walk(os.path.join(folder, "triggers")):
        for name in files:
            with open(os.path.join(where, name), "rb") as file:
                yield file.read()


def ledgers(folder: str) -> Iterator[bytes]:
    """Yield the bytes of all ledgers: one git lists them, one git has them."""
    listed = subprocess.run(["git", "ls-tree", "-z", _STATE], cwd=folder, stdout=subprocess.PIPE, check=True).stdout
    ids = b"".join(entry[12:52] + b"\n" for entry in listed.split(b"\0") if entry)
    with tempfile.TemporaryFile() as asked:
        asked.write(ids)
        asked.seek(0)
        batch = ["git", "cat-file", "--batch"]
        with subprocess.Popen(batch, cwd=folder, stdin=asked, stdout=subprocess.PIPE) as git:
            assert git.stdout is not None
            for _ in range(ids.count(b"\n")):
                yield git.stdout.read(int(git.stdout.readline().split(b" ")[2]) + 1)


def parse(folder: str) -> None:
    """Consume all events of all manifests."""
    from yaml import CLoader
    from yaml import parse as events

    for data in manifests(folder):
        for _ in events(data, CLoader):
            pass


def orjson_lines() -> Reader:
    """Return a reader: orjson, line by line."""
    loads = import_module("orjson").loads

    def read(data: bytes) -> None:
        for line in data.split(b"\n"):
            if line:
                loads(line)

    return read


def orjson_array() -> Reader:
    """Return a reader: orjson, one array of all lines."""
    loads = import_module("orjson").loads
    return lambda data: loads(b"[" + data.rstrip(b"\n").replace(b"\n", b",") + b"]")


def msgspec_lines() -> Reader:
    """Return a reader: msgspec, whatever the lines hold."""
    reader: Reader = import_module("msgspec.json").Decoder().decode_lines
    return reader


def msgspec_typed() -> Reader:
    """Return a reader: msgspec, of each line only what windows, reruns and the chain are made of."""
    texts = [(name, str, "") for name in ("method", "startTime", "endTime", "prev")]
    lists = [(name, tuple[str, ...], ()) for name in ("scheduleTimes", "rerun")]
    line = import_module("msgspec").defstruct("Line", [*texts, *lists], gc=False)
    reader: Reader = import_module("msgspec.json").Decoder(line).decode_lines
    return reader


READERS = {make.__name__: make for make in (orjson_lines, orjson_array, msgspec_lines, msgspec_typed)}


def main(what: str, folder: str, reader: str = "msgspec_typed") -> None:
    """Do what is asked."""
    gc.disable()
    if what in {"yaml", "plan"}:
        parse(folder)
    if what in {"ledgers", "plan"}:
        read = READERS[reader]()
        for data in ledgers(folder):
            read(data)
    if what == "bytes":
        for _ in chain(manifests(folder), ledgers(folder)):
            pass


if __name__ == "__main__":
    main(*sys.argv[1:])
