"""A new remote for the price of a copy: a push takes ten processes, and every workplace begins with one."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path


def push_first(top: Path, bare: Path) -> None:
    """Make a bare copy of a repository with one commit on main, and let main track it.

    That is what `init --bare`, `remote add` and a push leave, but for a reflog of the branch that is tracked.
    """
    here = top / ".git"
    shutil.copytree(here, bare, ignore=shutil.ignore_patterns("index", "logs", "COMMIT_EDITMSG"))
    config = (here / "config").read_text()
    (bare / "config").write_text(
        config.replace("bare = false", "bare = true").replace("\tlogallrefupdates = true\n", "")
    )
    tracking = here / "refs" / "remotes" / "origin" / "main"
    tracking.parent.mkdir(parents=True)
    shutil.copy(here / "refs" / "heads" / "main", tracking)
    url = json.dumps(os.fspath(bare), ensure_ascii=False)
    fetched = "+refs/heads/*:refs/remotes/origin/*"
    config += f'[remote "origin"]\n\turl = {url}\n\tfetch = {fetched}\n'
    config += '[branch "main"]\n\tremote = origin\n\tmerge = refs/heads/main\n'
    (here / "config").write_text(config)
