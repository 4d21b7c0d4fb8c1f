"""Planning again after a lost race: only what changed is computed anew, and the plan is the same."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from reconciler.cache import Cache
from reconciler.commands.gather import Planner, Scope, read_manifests
from reconciler.commands.settled import Settled
from reconciler.core.call import Call
from reconciler.core.change import Change, Key, entries_of
from reconciler.core.config import ForgeApprovals
from reconciler.core.ledger import Intent
from reconciler.core.policy import Approval
from reconciler.core.request import Request, Rerun
from tests.e2e.manifests import again, at, backfill, between, text_of
from tests.protocol.ports import Empty, Revision

PROD = {
    "url": "http://127.0.0.1:1",
    "tenantId": "tn_1",
    "auth": {"type": "UID", "valueFrom": {"env": "SCHEDULER_AUTH"}},
    "timeZone": "UTC",
}
CONFIG = {
    "apiVersion": "reconciler/v1",
    "kind": "Config",
    "defaultTarget": "prod",
    "targets": {"prod": PROD},
    "approvals": {"reruns": {"provider": "manifest", "approvers": ["dana"]}},
}
ROOT = (
    backfill("one", between(1, 4), at(8), table="c.ONE"),
    backfill("two", between(2, 3), again("late", between(2, 2), "dana"), table="c.TWO", dependsOn=["one"]),
    backfill("three", at(1, 5, 9), again("waits", at(5)), table="c.THREE"),
)
KEYS: tuple[Key, ...] = (("prod", "c.ONE"), ("prod", "c.THREE"), ("prod", "c.TWO"))
MANIFESTS = read_manifests(
    {"reconciler.yaml": text_of(CONFIG).encode(), "all.yaml": text_of(*ROOT).encode()},
)


class Nobody:
    """The reviews of a root whose approvals are in its manifests: no forge is asked."""

    def approval(self, request: Request, rerun: Rerun, policy: ForgeApprovals) -> Approval:
        raise AssertionError

    def pulls(self, key: str) -> tuple[int, ...]:
        return ()


def planner(*, memo: bool) -> Planner:
    made = Planner.of(MANIFESTS, Scope(), frozenset(), Nobody(), Settled(Cache(None)))
    return replace(made, memo={}) if memo else made


@given(st.lists(st.tuples(st.sampled_from(("intend", "trigger", "drop")), st.integers(0, 9)), max_size=8))
def test_a_plan_made_again_is_what_a_first_one_would_be(steps: list[tuple[str, int]]) -> None:
    remembering, state = planner(memo=True), Revision.of(Empty(), Change(), "c")
    for what, number in steps:
        state = Revision.of(state, change(state, what, number), f"c{number}")
        assert remembering.plan(state) == planner(memo=False).plan(state)


def change(state: Revision, what: str, number: int) -> Change:
    """Return what another run may have done meanwhile with the calls that are owed, or with its intents."""
    owed = planner(memo=False).plan(state).ready
    if what == "intend" and owed:
        return Change(intents=(intent(owed[number % len(owed)]),))
    if what == "trigger" and owed:
        return Change(entries=entries_of(intent(owed[number % len(owed)]), "trace", "2026-01-20T05:00:00Z"))
    return Change(settled=state.intents[:1])


def intent(call: Call) -> Intent:
    return Intent(call, "20260120T050000Z-0123456789ab", "dana", "2026-01-20T05:00:00Z", "c0ffee")


def test_a_table_of_which_nothing_changed_is_not_planned_again() -> None:
    remembering, state = planner(memo=True), Revision.of(Empty(), Change(), "c")
    first = remembering.plan(state)
    assert remembering.memo is not None
    before = dict(remembering.memo)
    done = entries_of(intent(first.ready[0]), "trace", "2026-01-20T05:00:00Z")
    assert [entry.key for entry in done] == [KEYS[0]]
    remembering.plan(Revision.of(state, Change(entries=done), "c1"))
    assert [key for key in KEYS if remembering.memo[key] is not before[key]] == [KEYS[0]]
