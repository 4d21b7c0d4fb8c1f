"""Files from the work tree: what is read, what is skipped, what is refused."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from reconciler.errors import InvalidInput
from reconciler.manifests.worktree import read_worktree


def _write(path: Path, data: bytes = b"a: 1\n") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def test_yaml_below_the_root_is_read_in_sorted_order(tmp_path: Path) -> None:
    for name in ("reconciler.yaml", "sales/b.yml", "sales/a.yaml", "a/b/c/d.YAML", "Z.yaml"):
        _write(tmp_path / name, name.encode())
    _write(tmp_path / "README.md")
    files, problems = read_worktree(tmp_path)
    assert list(files) == ["Z.yaml", "a/b/c/d.YAML", "reconciler.yaml", "sales/a.yaml", "sales/b.yml"]
    assert all(data.decode() == name for name, data in files.items())
    assert problems == ()


def test_dot_folders_are_skipped(tmp_path: Path) -> None:
    _write(tmp_path / ".state/prod/a.yaml")
    _write(tmp_path / "sales/.old/a.yaml")
    (tmp_path / ".linked").symlink_to(tmp_path / "sales")
    assert read_worktree(tmp_path) == ({}, ())


def test_links_are_refused(tmp_path: Path) -> None:
    outside = _write(tmp_path / "outside/a.yaml")
    root = tmp_path / "root"
    root.mkdir()
    (root / "file.yaml").symlink_to(outside)
    (root / "folder").symlink_to(outside.parent)
    (root / "dangling.yaml").symlink_to("nowhere")
    (root / "notes.md").symlink_to(outside)
    files, problems = read_worktree(root)
    assert files == {}
    assert [problem.file for problem in problems] == ["dangling.yaml", "file.yaml", "folder"]
    assert all("symbolic link" in problem.message and problem.hint for problem in problems)


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    _write(tmp_path / "most.yaml", b"#" * (1 << 20))
    _write(tmp_path / "more.yaml", b"#" * ((1 << 20) + 1))
    files, problems = read_worktree(tmp_path)
    assert list(files) == ["most.yaml"]
    assert [problem.file for problem in problems] == ["more.yaml"]


def test_a_name_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    try:
        os.close(os.open(os.fsencode(tmp_path) + b"/a\xff.yaml", os.O_CREAT | os.O_WRONLY))
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    files, problems = read_worktree(tmp_path)
    assert files == {}
    assert problems[0].file == "a\\udcff.yaml"
    assert "not UTF-8" in problems[0].message


def test_a_pipe_is_refused_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.yaml")
    files, problems = read_worktree(tmp_path)
    assert files == {}
    assert problems[0].message == "is not a regular file"


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    _write(tmp_path / "a.yaml").chmod(0)
    if os.access(tmp_path / "a.yaml", os.R_OK):
        pytest.skip("this user may read everything")
    files, problems = read_worktree(tmp_path)
    assert files == {}
    assert problems[0].message == "cannot be read: Permission denied"


def test_a_root_that_is_not_there_points_to_the_option(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_worktree(tmp_path / "nowhere")
    assert "--root" in caught.value.hint
