"""What is kept between runs: never wrong, whatever became of the file."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from reconciler import cache as cache_module
from reconciler.cache import Cache, key_of


def _kept(path: Path, values: dict[bytes, bytes]) -> None:
    cache = Cache(path)
    for key, value in values.items():
        cache.put(key, value)
    cache.save(whole=True)


VALUES = {key_of(b"%d" % n): b"value %d " % n * n for n in range(50)}


def test_what_was_kept_is_found_again(tmp_path: Path) -> None:
    _kept(tmp_path / "folder" / "cache", VALUES)
    cache = Cache(tmp_path / "folder" / "cache")
    assert {key: cache.get(key) for key in VALUES} == VALUES
    assert cache.get(key_of(b"never")) is None


def test_where_parts_of_a_key_begin_and_end_matters() -> None:
    assert key_of(b"ab", b"c") != key_of(b"a", b"bc") != key_of(b"abc")


def test_no_damaged_byte_is_ever_believed(tmp_path: Path) -> None:
    path = tmp_path / "cache"
    _kept(path, VALUES)
    whole = path.read_bytes()
    for at in range(0, len(whole), 7):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        cache = Cache(path)
        assert all(cache.get(key) in (None, value) for key, value in VALUES.items()), at


def test_no_flipped_bit_is_any_trouble(tmp_path: Path) -> None:
    """The number of entries, too: no memory is asked for that the file cannot fill."""
    path = tmp_path / "cache"
    _kept(path, VALUES)
    whole = path.read_bytes()
    for at in range(150):
        for bit in range(8):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :])
            cache = Cache(path)
            assert all(cache.get(key) in (None, value) for key, value in VALUES.items()), at


def test_a_file_that_was_cut_short_heals_with_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "cache"
    _kept(path, VALUES)
    path.write_bytes(path.read_bytes()[:-1000])
    cache = Cache(path)
    gone = {key: value for key, value in VALUES.items() if cache.get(key) is None}
    for key, value in gone.items():
        cache.put(key, value)
    cache.save(whole=False)
    after = Cache(path)
    assert gone
    assert {key: after.get(key) for key in VALUES} == VALUES


def test_a_file_cut_short_anywhere_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / "cache"
    _kept(path, VALUES)
    whole = path.read_bytes()
    for at in range(0, len(whole), 11):
        path.write_bytes(whole[:at])
        cache = Cache(path)
        assert all(cache.get(key) in (None, value) for key, value in VALUES.items()), at


def test_what_other_code_wrote_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "cache"
    monkeypatch.setattr("reconciler.cache.reader_version", lambda: b"another version".ljust(32))
    _kept(path, VALUES)
    monkeypatch.undo()
    assert Cache(path).get(next(iter(VALUES))) is None


def test_what_nobody_asked_for_is_dropped_after_a_whole_run_and_kept_after_another(tmp_path: Path) -> None:
    path, (first, second, *_) = tmp_path / "cache", VALUES
    _kept(path, VALUES)
    for whole, left in ((False, VALUES[second]), (True, None)):
        cache = Cache(path)
        assert cache.get(first) == VALUES[first]
        cache.put(key_of(b"new", b"%d" % whole), b"new")
        cache.save(whole=whole)
        after = Cache(path)
        assert (after.get(first), after.get(second)) == (VALUES[first], left)


def test_one_that_is_not_believed_gives_what_it_wrote_itself_and_takes_nothing_away(tmp_path: Path) -> None:
    path, (first, second, *_) = tmp_path / "cache", VALUES
    _kept(path, VALUES)
    cache = Cache(path, believed=False)
    assert not cache.holds(first)
    assert cache.get(first) is None
    cache.put(first, b"read anew")
    cache.save(whole=True)
    assert (cache.get(first), cache.get(second)) == (b"read anew", None)
    after = Cache(path)
    assert (after.get(first), after.get(second)) == (b"read anew", VALUES[second])


def test_all_code_that_makes_what_is_kept_is_part_of_the_version() -> None:
    package = Path(cache_module.__file__).parent
    users = {path for path in package.rglob("*.py") if "from reconciler.cache import" in path.read_text("utf-8")}
    named = {package / name for name in cache_module._FILES}
    makers = {path for path in users if re.search(r"\.put\(|key_of\(", path.read_text("utf-8"))}
    others = {path for path in makers - named if path.relative_to(package).parts[0] not in cache_module._FOLDERS}
    assert {path.name for path in others} == {"answers.py"}  # which looks at all modules by itself


def test_a_cache_that_is_replaced_meanwhile_still_tells_the_truth(tmp_path: Path) -> None:
    path = tmp_path / "cache"
    _kept(path, VALUES)
    old = Cache(path)
    _kept(path, {key_of(b"other"): b"other"})
    assert {key: old.get(key) for key in VALUES} == VALUES


def test_a_folder_that_cannot_be_written_is_no_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    _kept(tmp_path / "file" / "cache", VALUES)
    assert os.listdir(tmp_path) == ["file"]


def test_without_a_folder_only_this_run_remembers() -> None:
    cache = Cache(None)
    cache.put(key_of(b"a"), b"b")
    cache.save(whole=True)
    assert cache.get(key_of(b"a")) == b"b"


def test_after_a_save_it_gives_its_own_file_whoever_replaced_that_meanwhile(tmp_path: Path) -> None:
    path, (first, *_) = tmp_path / "cache", VALUES
    cache = Cache(path, believed=False)
    cache.put(first, b"read here")
    cache.save(whole=False)
    _kept(path, {first: b"written elsewhere"})
    cache.put(key_of(b"more"), b"more")
    assert cache.get(first) == b"read here"
    cache.save(whole=False)
    assert cache.get(first) == b"read here"
