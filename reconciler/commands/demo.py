"""`demo`: the whole story in a scratch repository, on the embedded scheduler. Every command is really run."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shutil import which
from textwrap import dedent

from reconciler.commands.console import Console
from reconciler.commands.schedulers import FAULTS, emulator_database
from reconciler.commands.watching import Watching
from reconciler.errors import ExitCode, Failure
from reconciler.scheduler.emulator import Database
from reconciler.state.git import Git

_TABLE = "default_catalog.sales.FACT_SALES"

_CONFIG = """\
    apiVersion: reconciler/v1
    kind: Config
    defaultTarget: demo
    targets:
      demo:
        url: embedded                  # the emulator that ships with the reconciler
        tenantId: tn_19487697
        timeZone: Asia/Shanghai
    approvals:
      reruns: {provider: manifest, approvers: [dana, lee]}
    """

_MANIFEST = """\
    apiVersion: reconciler/v1
    kind: Backfill
    metadata:
      name: fact-sales
    spec:
      tableName: default_catalog.sales.FACT_SALES
      schedule: "0 0 * * * ?"          # Quartz: each full hour has an instance
      requests:
        - name: outage-0120
          reason: "INC-4211: ingest was down"
          timeRange: {startTime: 2026-01-20 01:00:00, endTime: 2026-01-20 05:00:00}
        - scheduleTimes: [2026-01-20 10:00:00, 2026-01-20 12:00:00]
    """

_RERUN = """\
    - name: late-files
      rerun: late-files-0121
      reason: "files for the 20th arrived a day late"
      timeRange: {startTime: 2026-01-20 03:00:00, endTime: 2026-01-20 04:00:00}
"""

_SECOND_RERUN = """\
    - name: currency-fix
      rerun: currency-0122
      reason: "rates of the 20th were corrected"
      timeRange: {startTime: 2026-01-20 08:00:00, endTime: 2026-01-20 09:00:00}
"""

_STORES = """\
    apiVersion: reconciler/v1
    kind: Backfill
    metadata:
      name: dim-store
    spec:
      tableName: default_catalog.sales.DIM_STORE
      requests:
        - timeRange: {startTime: 2026-01-20 00:00:00, endTime: 2026-01-20 05:00:00}
    """


def run(folder: Path | None, watching: Watching, console: Console) -> ExitCode:
    """Play the story in `folder`, which must not exist, or in a new temporary one; the folder stays."""
    if folder is None:
        folder = Path(tempfile.mkdtemp(prefix="reconciler-demo-"))
    else:
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            raise Failure(f"{folder} exists already", "name a folder that does not, or leave --dir out") from None
    story = _Story(folder.resolve(), folder.resolve() / "backfills", console)
    story.clone()
    chapters = (story.set_up, story.first_apply, story.widen, story.mistype, story.fill_gaps, story.rerun)
    with watching.serving(emulator_database(Git.find(story.repository), "demo"), console):
        for chapter in (*chapters, story.look_back, story.lose_an_answer):
            chapter()
            watching.wait(console)
        story.show()
    return ExitCode.DONE


@dataclass(frozen=True, slots=True)
class _Story:
    folder: Path
    repository: Path
    console: Console

    @property
    def manifest(self) -> Path:
        return self.repository / "triggers" / "sales" / "fact_sales.yaml"

    def clone(self) -> None:
        self.git("init", "--quiet", "--bare", "--initial-branch=main", "origin.git", cwd=self.folder)
        self.git("clone", "--quiet", "origin.git", "backfills", cwd=self.folder)
        for name, value in (("user.name", "Dana"), ("user.email", "dana@example.com"), ("commit.gpgSign", "false")):
            self.git("config", name, value)
        self.git("symbolic-ref", "HEAD", "refs/heads/main")

    def set_up(self) -> None:
        self.say("A team's repository: a remote, a clone, a config and one manifest.")
        self.manifest.parent.mkdir(parents=True)
        (self.repository / "triggers" / "reconciler.yaml").write_text(dedent(_CONFIG), encoding="utf-8")
        self.manifest.write_text(dedent(_MANIFEST), encoding="utf-8")
        self.shown("cat", "triggers/sales/fact_sales.yaml")
        self.commit("Backfill FACT_SALES after the outage")

    def first_apply(self) -> None:
        self.say("The plan: the fewest calls that do it, here one by points, and how many instances they run.")
        self.reconciler("plan")
        self.say("Apply makes these calls, and commits what was triggered to the branch reconciler-state.")
        self.reconciler("apply")
        self.say("Apply again: everything is in the ledger, so nothing is called.")
        self.reconciler("apply")

    def widen(self) -> None:
        self.say("The outage was longer than thought. The range is widened: only the new hours are called.")
        self.edit("endTime: 2026-01-20 05:00:00", "endTime: 2026-01-20 08:00:00")
        self.shown("git", "diff", "--unified=0")
        self.commit("The outage lasted until eight")
        self.reconciler("plan")
        self.reconciler("apply")

    def mistype(self) -> None:
        self.say("A typo, 2016 for 2026, asks for ten years of hours. A limit holds them; the plan says where.")
        self.edit("startTime: 2026-01-20", "startTime: 2016-01-20")
        self.reconciler("plan")
        self.shown("git", "restore", "triggers")

    def fill_gaps(self) -> None:
        self.say("It lasted until 13:00 after all. 10:00 and 12:00 ran before: the hours around them are one call.")
        self.edit("endTime: 2026-01-20 08:00:00", "endTime: 2026-01-20 13:00:00")
        self.commit("The outage lasted until one")
        self.reconciler("apply")

    def rerun(self) -> None:
        self.say("Files arrived late: two hours have to run again. A rerun is declared with a token, and is held …")
        self.manifest.write_text(self.manifest.read_text(encoding="utf-8") + _RERUN, encoding="utf-8")
        self.shown("git", "diff", "--unified=0")
        self.commit("Rerun two hours for the late files")
        self.reconciler("apply", expected=ExitCode.HELD)
        self.say("… until a reviewer approves it, here with a name in the manifest.")
        self.edit("rerun: late-files-0121", "rerun: late-files-0121\n      approvedBy: [dana]")
        self.commit("Approve the rerun")
        self.reconciler("apply")
        self.say("Done once, done for good.")
        self.reconciler("apply")

    def look_back(self) -> None:
        self.say("Who triggered 03:00, and why?")
        self.reconciler("history", _TABLE, "--at", "2026-01-20 03:00:00")
        self.say("The state branch is the audit trail.")
        self.shown("git", "log", "--format=%s", "origin/reconciler-state")
        self.say("What the scheduler really ran:")
        self.console.result(self.executions())

    def lose_an_answer(self) -> None:
        self.say("Not all goes well: a second table, and the answer to its call is lost on the way (made so, here).")
        (self.manifest.parent / "dim_store.yaml").write_text(dedent(_STORES), encoding="utf-8")
        self.commit("Backfill DIM_STORE")
        self.reconciler("apply", expected=ExitCode.IN_DOUBT, environ={FAULTS: "lost=1"})
        self.say("Nobody knows whether it ran. It is in doubt, and not called again until a person has looked.")

    def show(self) -> None:
        self.say("Meanwhile more is asked for, and not applied yet: five hours more, and a rerun without approval.")
        self.edit("endTime: 2026-01-20 13:00:00", "endTime: 2026-01-20 18:00:00")
        self.manifest.write_text(self.manifest.read_text(encoding="utf-8") + _SECOND_RERUN, encoding="utf-8")
        self.commit("The outage lasted until six; rerun two hours for the corrected rates")
        self.say("What ran, what will run, and what is wrong:")
        self.reconciler("status")
        self.say(f"The same as a picture, for your browser: {self.folder / 'report.html'}")
        self.reconciler("report", "--out", "../report.html")
        program = "reconciler" if which("reconciler") else f"{sys.executable} -m reconciler"
        self.say(f"Go on playing in {self.repository}\n  (edit triggers/, commit, push, then: {program} apply)")

    def say(self, text: str) -> None:
        self.console.result(f"\n{self.console.paint.bold(f'# {text}')}\n")

    def git(self, *arguments: str, cwd: Path | None = None) -> None:
        done = subprocess.run(
            ["git", *arguments], cwd=cwd or self.repository, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise Failure(f"git {arguments[0]} failed: {done.stderr.strip()}", "the demo needs a git that works here")

    def commit(self, message: str) -> None:
        self.console.result(f"$ git add triggers && git commit -m {shlex.quote(message)} && git push\n")
        self.git("add", "triggers")
        self.git("commit", "--quiet", "-m", message)
        self.git("push", "--quiet", "--set-upstream", "origin", "main")

    def edit(self, old: str, new: str) -> None:
        text = self.manifest.read_text(encoding="utf-8")
        self.manifest.write_text(text.replace(old, new, 1), encoding="utf-8")

    def shown(self, *command: str) -> None:
        """Show a command and what it prints."""
        self.console.result(f"$ {shlex.join(command)}\n")
        self.execute(command, ExitCode.DONE, {})

    def reconciler(
        self, *arguments: str, expected: ExitCode = ExitCode.DONE, environ: Mapping[str, str] | None = None
    ) -> None:
        """Run a reconciler command as a user would, and show it with what it prints."""
        settings = [f"{name}={value} " for name, value in (environ or {}).items()]
        self.console.result(f"$ {''.join(settings)}{shlex.join(('reconciler', *arguments))}\n")
        self.execute((sys.executable, "-m", "reconciler", *arguments), expected, environ or {})

    def execute(self, command: tuple[str, ...], expected: ExitCode, environ: Mapping[str, str]) -> None:
        environ = {**os.environ, "GIT_PAGER": "cat", **environ}
        done = subprocess.run(
            command, cwd=self.repository, stdin=subprocess.DEVNULL, stderr=subprocess.STDOUT, env=environ, check=False
        )
        if done.returncode:
            self.console.result(f"(exit code {done.returncode})\n")
        if done.returncode != expected:
            raise Failure(f"the demo expected exit code {int(expected)}", f"look at what it left in {self.folder}")

    def executions(self) -> str:
        database = Database(emulator_database(Git.find(self.repository), "demo"))
        try:
            rows = [(instance.time, instance.runs) for instance in database.instances(_TABLE)]
        finally:
            database.close()
        return "".join(f"  {time}  ran {'once' if runs == 1 else f'{runs} times'}\n" for time, runs in rows)
