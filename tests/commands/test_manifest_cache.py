"""What a repository's manifests say is kept under its git directory: found again, and never wrong."""

from __future__ import annotations

from pathlib import Path

from reconciler.commands.gather import Manifests, work_tree_manifests
from reconciler.commands.state import open_checkout
from reconciler.manifests.files import MANY
from reconciler.state.git import Git

_CONFIG = """apiVersion: reconciler/v1
kind: Config
defaultTarget: demo
targets:
  demo: {url: embedded, tenantId: tn_demo, timeZone: UTC}
"""
_MANIFEST = """apiVersion: reconciler/v1
kind: Backfill
metadata: {name: t%d}
spec:
  tableName: sales.t%d
  requests: [{scheduleTimes: [2026-01-20 %02d:00:00]}]
"""


def _root(folder: Path, count: int) -> Path:
    Git.begin(folder, "main")
    root = folder / "triggers"
    root.mkdir()
    (root / "reconciler.yaml").write_text(_CONFIG)
    for number in range(count):
        (root / f"t{number}.yaml").write_text(_MANIFEST % (number, number, number % 24))
    return root


def _read(root: Path) -> Manifests:
    return work_tree_manifests(root, checkout=open_checkout(root))


def _kept(root: Path) -> list[Path]:
    return sorted((root.parent / ".git" / "reconciler" / "cache").glob("manifests-*"))


def test_many_manifests_are_kept_and_a_changed_one_is_read_again(tmp_path: Path) -> None:
    root = _root(tmp_path, MANY)
    assert _read(root) == _read(root) == work_tree_manifests(root)
    (kept,) = _kept(root)
    before = kept.read_bytes()
    _read(root)
    assert kept.read_bytes() == before
    (root / "t7.yaml").write_text(_MANIFEST % (7, 7, 23))
    assert _read(root) == work_tree_manifests(root)
    assert kept.read_bytes() != before


def test_a_damaged_cache_changes_nothing(tmp_path: Path) -> None:
    root = _root(tmp_path, MANY)
    expected = _read(root)
    (kept,) = _kept(root)
    whole = kept.read_bytes()
    for at in range(0, len(whole), len(whole) // 20):
        kept.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert _read(root) == expected


def test_of_few_manifests_nothing_is_kept(tmp_path: Path) -> None:
    root = _root(tmp_path, 3)
    assert _read(root) == work_tree_manifests(root)
    assert not _kept(root)
