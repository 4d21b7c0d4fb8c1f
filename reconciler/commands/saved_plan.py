"""The file of `plan --save`: what was reviewed, by digest, so that apply does exactly that or nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from reconciler.commands.gather import Scope
from reconciler.core.call import describe
from reconciler.core.plan import Plan
from reconciler.errors import InvalidInput, Stale
from reconciler.render.plan_json import plan_document
from reconciler.render.problems import json_text


@dataclass(frozen=True, slots=True)
class SavedPlan:
    """What a saved plan promised: its digest, its scope, and its ready calls by id with how they read."""

    digest: str
    scope: Scope
    calls: dict[str, str]


def save(path: Path, plan: Plan, scope: Scope) -> None:
    """Write `plan` to a file; `apply FILE` makes exactly its ready calls, or none."""
    document = {
        "version": 1,
        "kind": "SavedPlan",
        "digest": plan.digest,
        "scope": {"table": scope.table, "target": scope.target},
        "calls": {call.id: f"{call.table} {describe(call.span)}" for call in plan.ready},
        "plan": plan_document(plan, ()),
    }
    path.write_text(json_text(document), encoding="utf-8")


def load(path: Path) -> SavedPlan:
    """Read what `save` wrote. Raises InvalidInput for any other file."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
        calls = {str(name): str(text) for name, text in value["calls"].items()}
        scope = Scope(value["scope"]["table"], value["scope"]["target"])
        if (value["version"], value["kind"]) == (1, "SavedPlan"):
            return SavedPlan(str(value["digest"]), scope, calls)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}", "check the path") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        pass  # whatever is wrong with the file, it is not one that `save` wrote
    raise InvalidInput(f"{path} is not a saved plan", "write one with: reconciler plan --save FILE")


def check(saved: SavedPlan, plan: Plan) -> None:
    """Raise Stale, saying what changed, unless `plan` is what was saved."""
    if plan.digest == saved.digest:
        return
    now = {call.id: f"{call.table} {describe(call.span)}" for call in plan.ready}
    gone = [f"no longer owed: {text}" for name, text in saved.calls.items() if name not in now]
    new = [f"owed now: {text}" for name, text in now.items() if name not in saved.calls]
    changes = gone + new or ["the ledgers of its tables, or their target, changed"]
    more = [f"and {len(changes) - 10} more changes"] if len(changes) > 10 else []
    raise Stale(
        "the saved plan is not what would happen now: " + "; ".join(changes[:10] + more),
        "nothing was triggered; make and review a new one: reconciler plan --save FILE",
    )
