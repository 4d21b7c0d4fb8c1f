"""What is read quickly, from the cache or by the other core is what the strict reader says, problems too."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler import parallel
from reconciler.cache import Cache
from reconciler.core.config import Config
from reconciler.manifests.files import MANY, read_file, read_quickly
from reconciler.manifests.record import context_of, decode, encode
from reconciler.manifests.root import CONFIG as CONFIG_FILE
from reconciler.manifests.root import Reading, read_root
from reconciler.manifests.text import decode as text_of
from tests.manifests.roots import CONFIG, EXAMPLES, FULL_CONFIG, MANIFEST, changed

KINDS = ("good", "bad")
TEXTS = {path.name: path.read_bytes() for kind in KINDS for path in sorted((EXAMPLES / kind).iterdir())}


def _config(text: str = FULL_CONFIG) -> Config:
    config = read_root({CONFIG_FILE: text.encode()}).config
    assert config is not None
    return config


def _agrees(data: bytes, config: Config | None) -> bool:
    """Say whether a file was read quickly, which it may be only where the strict reader says the same of it."""
    quick = read_quickly("sales/a.yaml", data, config)
    strict = read_file("sales/a.yaml", data, config)
    if quick is None:
        return False
    assert not strict.problems
    assert not [problem for entry in strict.entries for problem in entry.findings.problems]
    assert quick == [entry.manifest for entry in strict.entries]
    if config is not None:
        record = encode(quick, config)
        assert b"\n" not in record
        assert decode(record, "sales/a.yaml", config) == quick
    return True


@pytest.mark.parametrize("name", TEXTS)
def test_an_example_is_read_quickly_only_where_nothing_is_wrong(name: str) -> None:
    for config in (_config(CONFIG), None):
        _agrees(TEXTS[name], config)


def test_a_file_in_order_is_read_quickly() -> None:
    assert all(_agrees(path.read_bytes(), _config(CONFIG)) for path in sorted((EXAMPLES / "good").glob("ours-*.yaml")))


# fmt: off
PIECES = st.sampled_from([
    "&a ", "*a", "!t ", "!", "<<: ", "null", "~", '""', "? ", "- ", "{", "}", "[", "]", ": ", "\n", "  ", "#", "---\n",
    "...\n", "%YAML 1.2\n", '"\\u200b"', "\u00a0", "\u200b", "\t", "\r\n", "\r", "|\n", ">-\n", "'", '"', "\\",
    "<<<<<<< a\n", "é", "0", "x", "schedule: 0 0 * * * ?\n  ", "chunk: 1d\n  ", "dependsOn: [a]\n  ",
    "limits: {calls: 3}\n  ", "labels: {a: 1}\n  ",
])
# fmt: on


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_a_changed_manifest_is_read_quickly_only_as_the_strict_reader_reads_it(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([MANIFEST, MANIFEST + "---\n" + changed(MANIFEST, "name: orders", "name: more")]))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        text = text[:at] + data.draw(PIECES) + text[at + data.draw(st.integers(0, 3)) :]
    _agrees(text.encode("utf-8", "surrogatepass"), _config())


NAMES = st.sampled_from(["a", "b", "c", "orders"])
TABLES = st.sampled_from(["sales.core.orders", "sales.core.ORDERS", "`sales`.core.orders", "sales.core.items", "x.y"])
# fmt: off
RULES = st.sampled_from([
    "", '  schedule: "0 0 * * * ?"\n', '  schedule: "0 30 * * * ?"\n', "  schedule: {every: 2h}\n", "  chunk: 1d\n",
    "  chunk: 2d\n", "  order: newestFirst\n", "  dependsOn: [a]\n", "  dependsOn: [b, c]\n", "  dependsOn: [nobody]\n",
])
# fmt: on
ASKED = st.sampled_from(
    [
        "    - {timeRange: {startTime: 2026-01-20 01:00:00, endTime: 2026-01-20 05:00:00}}\n",
        "    - scheduleTimes: [2026-01-20 01:30:00, '2026-01-20 00:00:00']\n",
        "    - name: odd\n      scheduleTimes:\n        - 2026-01-20 00:15:00\n        - 2026-01-20 00:15:01\n",
        "    - {rerun: x, reason: late, timeRange: {startTime: 2026-01-20 01:10:00, endTime: 2026-01-20 01:20:00}}\n",
        "    - {timeRange: {startTime: 2190-01-20 01:00:00, endTime: 2190-01-20 05:00:00}}\n",
        "    - {timeRange: {startTime: 2026-01-20 05:00:00, endTime: 2026-01-20 01:00:00}}\n",
    ]
)
# A quoted `null` as a key is fine for the strict reader, and left to it by the quick one.
QUICK, STRICT = '"nulL"', '"null"'


@st.composite
def _manifests(draw: st.DrawFn) -> str:
    asked = "".join(draw(st.lists(ASKED, min_size=1, max_size=3)))
    return (
        f"apiVersion: reconciler/v1\nkind: Backfill\nmetadata: {{name: {draw(NAMES)}, labels: {{{QUICK}: x}}}}\n"
        f"spec:\n  tableName: {draw(TABLES)}\n{draw(RULES)}  requests:\n{asked}"
    )


def _fillers(count: int) -> dict[str, bytes]:
    request = "requests: [{scheduleTimes: [2026-01-20 00:00:00]}]"
    head = "apiVersion: reconciler/v1\nkind: Backfill\n"
    return {
        f"z{at}.yaml": f"{head}metadata: {{name: z{at}}}\nspec: {{tableName: z.t{at}, {request}}}\n".encode()
        for at in range(count)
    }


FILLERS = _fillers(MANY)


@given(
    files=st.dictionaries(
        st.sampled_from(["a.yaml", "s/b.yaml", "s/c.yaml", "zz/d.yaml"]), st.lists(_manifests(), min_size=1, max_size=2)
    )
)
@settings(max_examples=10, deadline=None)
def test_a_root_reads_the_same_strictly_quickly_from_the_cache_and_on_two_cores(
    files: dict[str, list[str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = {CONFIG_FILE: CONFIG.encode()} | {file: "---\n".join(some).encode() for file, some in files.items()}
    expected = read_root({file: data.replace(QUICK.encode(), STRICT.encode()) for file, data in root.items()})
    kept = tmp_path_factory.mktemp("cache") / "manifests"
    assert [_kept(root, kept) for _ in range(2)] == [expected, expected]
    many = {**root, **FILLERS}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parallel, "_cores", lambda: 1)
        alone = read_root(many)
        patch.setattr(parallel, "_cores", lambda: 2)
        assert read_root(many) == alone
        assert [_kept(many, kept) for _ in range(2)] == [alone, alone]
    assert alone.problems == expected.problems or not files


def _twice(files: dict[str, bytes], kept: Path) -> Reading:
    return [_kept(files, kept) for _ in range(2)][1]


def _kept(files: dict[str, bytes], kept: Path) -> Reading:
    cache = Cache(kept)
    reading = read_root(files, cache=cache)
    cache.save(whole=True)
    return reading


def test_the_examples_say_the_same_from_the_cache(tmp_path: Path) -> None:
    for name, data in TEXTS.items():
        files = {CONFIG_FILE: CONFIG.encode(), f"sales/{name}": data}
        assert _twice(files, tmp_path / "kept") == read_root(files)


def test_a_file_that_changes_between_runs_is_read_again(tmp_path: Path) -> None:
    for late in ("05:00:00", "06:00:00", "05:00:00", "07:00:00", "00:00:00"):
        files = {CONFIG_FILE: CONFIG.encode(), "a.yaml": changed(MANIFEST, "05:00:00", late).encode()}
        assert _twice(files, tmp_path / "kept") == read_root(files)


def test_a_config_that_changes_what_manifests_mean_is_another_key(tmp_path: Path) -> None:
    assert context_of(_config(CONFIG)) != context_of(_config(CONFIG + "limits: {calls: 7}\n"))
    for config in (CONFIG, CONFIG + "limits: {calls: 7}\n", changed(CONFIG, "defaultTarget: demo\n", "")):
        files = {CONFIG_FILE: config.encode(), **FILLERS}
        assert _twice(files, tmp_path / "kept") == read_root(files)


def test_a_file_that_is_moved_is_found_under_its_new_name(tmp_path: Path) -> None:
    config = CONFIG.encode()
    _twice({CONFIG_FILE: config, "a.yaml": MANIFEST.encode()}, tmp_path / "kept")
    reading = read_root({CONFIG_FILE: config, "s/b.yaml": MANIFEST.encode()}, cache=Cache(tmp_path / "kept"))
    assert reading == read_root({CONFIG_FILE: config, "s/b.yaml": MANIFEST.encode()})
    assert reading.declared is not None
    assert {request.place.file for request in reading.declared.requests} == {"s/b.yaml"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
)


@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_what_is_no_record_is_read_again_and_never_raises(data: st.DataObject) -> None:
    config = _config()
    sound = read_quickly("a.yaml", MANIFEST.encode(), config)
    assert sound is not None
    record = encode(sound, config)
    at = data.draw(st.integers(0, len(record)))
    found = decode(record[:at], "a.yaml", config)
    assert found is None or at == len(record)
    assert decode(data.draw(st.binary(max_size=20)), "a.yaml", config) is None


def test_whatever_cannot_be_seen_is_not_printable() -> None:
    every = "".join(map(chr, (*range(0xD800), *range(0xE000, sys.maxunicode + 1))))
    refused = {match[0] for match in re.finditer("[^\n]", every) if not match[0].isprintable()}
    shown = "".join(char for char in every if char not in refused)
    assert text_of("a.yaml", shown.encode(), len(shown) * 4) == shown
    for char in ("\u200b", "\u00ad", "\U000e0041", "\u2028", "\x85", "\ufeff", "\x7f"):
        assert isinstance(text_of("a.yaml", f"a{char}b".encode()), tuple)
