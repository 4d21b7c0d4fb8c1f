"""The file of `plan --save`: what was reviewed, by digest, so that apply does exactly that, once, or nothing."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from reconciler.commands.console import Console
from reconciler.commands.gather import Scope
from reconciler.core.call import describe
from reconciler.core.plan import Plan
from reconciler.errors import InvalidInput, Stale, UsageFailure
from reconciler.render.plan_json import plan_document
from reconciler.render.problems import json_text
from reconciler.state.branch import StateBranch

_ID = re.compile(r"[0-9a-f]{32}")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What a saved plan promised: digest, scope, its due calls by id with how they read, and what they rest on.

    `id` names this one file, and the state's commits name it when it is applied; `state` is the state that it was made
    on, None where there was none. `shown` is what a reviewer of the file saw of the calls.
    """

    id: str
    state: str | None
    digest: str
    scope: Scope
    calls: dict[str, str]
    basis: dict[str, str]
    shown: object


def save(path: Path, plan: Plan, scope: Scope, console: Console) -> None:
    """Write `plan` to a file; `apply FILE` makes exactly the calls that are due, or none."""
    document = {
        "version": 1,
        "kind": "SavedPlan",
        "id": secrets.token_hex(16),
        "digest": plan.digest,
        "scope": {"table": scope.table, "target": scope.target},
        "calls": {call.id: f"{call.table} {describe(call.span)}" for call in plan.due},
        "basis": plan.basis,
        "plan": plan_document(plan, ()),
    }
    console.save(path, json_text(document))


def load(path: Path) -> SavedPlan:
    """Read what `save` wrote. Raises InvalidInput for any other file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        calls = {str(name): str(text) for name, text in value["calls"].items()}
        basis = {str(name): str(text) for name, text in value["basis"].items()}
        scope = Scope(value["scope"]["table"], value["scope"]["target"])
        name, state = value["id"], value["plan"]["state"]
        sound = _ID.fullmatch(name) and (state is None or _COMMIT.fullmatch(state))
        if (value["version"], value["kind"]) == (1, "SavedPlan") and sound:
            return SavedPlan(name, state, str(value["digest"]), scope, calls, basis, value["plan"]["calls"])
    except OSError as error:
        raise UsageFailure(f"{path} cannot be read: {error.strerror}", "check the path") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass  # whatever is wrong with the file, it is not one that `save` wrote
    raise InvalidInput(f"{path} is not a saved plan", "write one with: reconciler plan --save FILE")


def trailer(name: str) -> tuple[str, str]:
    """Return the trailer by which the state's commits name the saved plan that they carry out."""
    return "Saved-Plan", name


def check(saved: SavedPlan, plan: Plan, branch: StateBranch) -> None:
    """Raise Stale, saying what changed, unless `plan` is what was saved, and was not applied before."""
    used = branch.commit_saying(": ".join(trailer(saved.id)), plan.state, saved.state)
    if used is not None:
        raise Stale(
            f"the saved plan was applied already, as {used[:12]} on {branch.where} says",
            "a saved plan is good for one apply; make and review a new one: reconciler plan --save FILE",
        )
    if plan.digest == saved.digest and _due(saved.shown) == _due(plan_document(plan, ())["calls"]):
        return
    changes = list(_changes(saved, plan)) or ["its file was edited"]
    more = [f"and {len(changes) - 10} more changes"] if len(changes) > 10 else []
    raise Stale(
        "the saved plan is not what would happen now: " + "; ".join(changes[:10] + more),
        "nothing was triggered; make and review a new one: reconciler plan --save FILE",
    )


def _due(calls: object) -> object:
    """Return the calls of a plan's document that are due, at whatever hour it was made.

    Those that are held otherwise may have another reason by now.
    """
    if not isinstance(calls, list):
        return None
    due = []
    for call in calls:
        held = call.get("held") if isinstance(call, dict) else None
        if isinstance(held, dict) and held.get("because") == "window":
            due.append({**call, "status": "ready", "held": None})
        elif not isinstance(call, dict) or call.get("status") == "ready":
            due.append(call)
    return due


def _changes(saved: SavedPlan, plan: Plan) -> Iterator[str]:
    """Yield what is different now: calls, and what they rest on."""
    now = {call.id: f"{call.table} {describe(call.span)}" for call in plan.due}
    yield from (f"no longer owed: {text}" for name, text in saved.calls.items() if name not in now)
    yield from (f"owed now: {text}" for name, text in now.items() if name not in saved.calls)
    for what, value in plan.basis.items():
        if saved.basis.get(what, value) != value:
            yield f"the {what} was {saved.basis[what]}, and is {value}"
