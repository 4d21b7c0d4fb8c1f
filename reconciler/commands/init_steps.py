"""What a person does next in a repository that `init` made ready."""

from __future__ import annotations

from collections.abc import Iterable

from reconciler.commands.init_files import STANDARD_ROOT, Setup
from reconciler.core.config import EMBEDDED

_GITHUB = """\
  2. On GitHub, make the environment `backfills`, for the branch {branch} alone, with the secret
     ANYMETRICS_AUTH_VALUE and the variable RECONCILER_ALLOWED_HOSTS, the scheduler's host{later}.
     Protect {branch} (a review by code owners), and let nobody delete or force-push reconciler-state.{team}{pages}
  3. Push. From then on a pull request's comment shows the plan of what it changes, and its merge applies it.
"""
_TEAM = """
     A team approves: GITHUB_TOKEN cannot read it, so give the steps that plan and apply APPROVALS_TOKEN,
     the token of an App with `Members: read` (docs/ci.md)."""
_PAGES = """
     For the report, let Pages deploy from GitHub Actions (Settings > Pages > Source), and look there who can
     read it: without GitHub Enterprise Cloud that is everybody. It shows request bodies and who approved."""
_GITLAB = """\
  2. On GitLab, allow job tokens to push (Settings > CI/CD > Job token permissions). Add the variable
     GITLAB_TOKEN, for comments and approvals; and for the environment `backfills` alone
     ANYMETRICS_AUTH_VALUE and RECONCILER_ALLOWED_HOSTS, the scheduler's host{later}.
     Protect {branch} (approval by code owners), and let nobody delete or force-push reconciler-state.{pages}
  3. Push. From then on a merge request's comment shows the plan of what it changes, and its merge applies it.
"""
_GITLAB_PAGES = """
     For the report, say who can read Pages (Settings > General > Visibility): it shows request bodies and who
     approved. Where there is no such setting, everybody can."""


def next_steps(setup: Setup, wrote: Iterable[str]) -> str:
    """Return the three next steps; `wrote` are the files that are new."""
    places = " ".join(dict.fromkeys(path.split("/")[0] for path in wrote))
    command = "reconciler" if setup.root == STANDARD_ROOT else f"reconciler --root {setup.root}"
    commit = [f"git add {places} && git commit -m 'Set up backfills'"] if places else []
    steps = [f"{command} new CATALOG.SCHEMA.TABLE", *commit]
    first = "  1. Declare what a table needs:\n" + "".join(f"       {step}\n" for step in steps)
    later = "\n     (the embedded emulator needs neither)" if setup.url == EMBEDDED else ""
    team = _TEAM if setup.has_team else ""
    text, pages = (_GITHUB, _PAGES) if setup.forge == "github" else (_GITLAB, _GITLAB_PAGES)
    pages = pages if setup.report == "pages" else ""
    rest = text.format(branch=setup.branch, later=later, team=team, pages=pages)
    return f"\nNext:\n{first}{rest}"
