"""A lineage and calls that cover others, on the command line: reviewed, in doubt, settled and recorded together."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from reconciler.core.call import Call, Times
from reconciler.core.ledger import Intent
from reconciler.core.wallclock import parse
from reconciler.state.pending_file import write_pending
from tests.e2e.counting import Counting
from tests.e2e.manifests import ORDERS, SALES, again, at, backfill, hour
from tests.e2e.workplace import TENANT, Workplace

pytestmark = pytest.mark.claim("a call and the calls that it covers: in doubt, settled and recorded together")

RUN = "20260120T000000Z-0123456789ab"
LINEAGE = f"{ORDERS}: [tmp.BETWEEN]\ntmp.BETWEEN: [{SALES}]\n"


def _call(table: str, *hours: int, covers: tuple[Call, ...] = ()) -> Call:
    span = Times(tuple(parse(hour(number)) for number in hours))
    return Call("prod", table, TENANT, span, (), (f"{table}#1",), (), covers)


BELOW = _call(SALES, 1, 2)
ABOVE = _call(ORDERS, 1, 2, 3, covers=(BELOW,))


@pytest.fixture
def related(place: Workplace, scheduler: Counting) -> Workplace:
    """Return a workplace of two tables, one downstream of the other."""
    place.write("lineage.yaml", LINEAGE)
    place.configure(scheduler.url, target={"lineage": "lineage.yaml"})
    place.declare("all.yaml", backfill("above", at(1, 2, 3, 4), table=ORDERS), backfill("below", at(1, 2, 5)))
    return place


@pytest.fixture
def in_doubt(related: Workplace) -> Workplace:
    """Return that workplace after a run that died with a call in doubt that covers another."""
    related.declare("first.yaml", backfill("first", at(9), table="first.T"))
    assert related.apply("--table", "first.T").code == 0
    intent = Intent(ABOVE, RUN, "Tess Ter <tess@example.org> at ci", "2026-01-21T00:00:00Z", "c0ffee")
    related.put_state({f"pending/{RUN}.jsonl": write_pending([intent])})
    return related


def test_a_lineage_is_reviewed_like_a_manifest(related: Workplace) -> None:
    assert related.run("validate").code == 0
    related.write("lineage.yaml", LINEAGE + f"{SALES}: [{ORDERS}]\n")
    refused = related.run("validate")
    assert refused.code == 3
    assert "triggers/lineage.yaml:" in refused.err + refused.out
    assert "the lineage has a cycle" in refused.err + refused.out
    related.write("lineage.yaml", LINEAGE + "tmp.MORE: []\n")
    stopped = related.apply()
    assert stopped.code == 8
    assert "lineage.yaml" in stopped.err
    related.commit()
    assert related.apply().code == 8
    (related.base / "lineage.yaml").unlink()
    related.publish()
    gone = related.run("plan")
    assert gone.code == 3
    assert 'there is no file "lineage.yaml" in the root' in gone.err + gone.out


def test_what_a_call_in_doubt_covers_is_not_called_and_the_doubt_is_told_once(in_doubt: Workplace) -> None:
    plan = in_doubt.run("plan", "--format", "json").json
    assert [doubt["id"] for doubt in plan["inDoubt"]] == [ABOVE.id]
    assert [cover["tableName"] for cover in plan["inDoubt"][0]["covers"]] == [SALES]
    times = {call["tableName"]: call["body"]["scheduleTimes"] for call in plan["calls"]}
    assert times == {ORDERS: [hour(4)], SALES: [hour(5)]}
    alone = in_doubt.run("plan", "--table", SALES)
    assert f"{ORDERS} on prod" in alone.out
    assert f"= covers 2 instances of {SALES}: {hour(1)}, {hour(2)}" in alone.out
    assert hour(5) in alone.out
    assert in_doubt.run("resolve").out.count("in doubt since") == 1
    assert "1 in doubt" in in_doubt.run("status").out
    assert in_doubt.apply().code == 7
    assert [line["scheduleTimes"] for line in in_doubt.ledger(SALES)] == [[hour(5)]]


def _by_hand(place: Workplace) -> None:
    assert place.run("resolve", ABOVE.id, "--as", "triggered", "--reason", "looked").code == 0


def _by_copy(place: Workplace) -> None:
    journal = place.top.parent / "journal.jsonl"
    said = {"event": "outcome", "id": ABOVE.id, "at": "2026-01-21T00:00:01Z", "outcome": "triggered", "traceId": "t-1"}
    begun = {"version": 1, "run": RUN, "startedAt": "2026-01-20T00:00:00Z", "pid": 1, "inode": 1}
    journal.write_text(f"{json.dumps(begun)}\n{json.dumps(said)}\n")
    told = place.run("resolve", "--journal", str(journal))
    assert told.code == 0
    assert "settled 1: 1 triggered, 0 not triggered" in told.out


@pytest.mark.parametrize("settle", [_by_hand, _by_copy])
def test_a_call_that_was_made_and_what_it_covers_are_recorded_together(
    in_doubt: Workplace, scheduler: Counting, settle: Callable[[Workplace], None]
) -> None:
    settle(in_doubt)
    (above,), (below,) = in_doubt.ledger(ORDERS), in_doubt.ledger(SALES)
    assert "coveredBy" not in above
    assert below["coveredBy"] == {"tableName": ORDERS, "id": ABOVE.id}
    assert [above[name] == below[name] for name in ("run", "traceId", "triggeredAt", "commit")] == [True] * 4
    message = in_doubt.git("--git-dir", str(in_doubt.remote), "log", "-1", "--format=%B", in_doubt.state)
    assert f"covers {SALES} (1 call)" in message
    assert in_doubt.pending() == []
    assert in_doubt.apply().code == 0
    assert scheduler.runs(SALES) == {hour(5): 1}
    assert in_doubt.run("state", "verify").code == 0


def test_history_tells_by_which_rerun_an_instance_ran(in_doubt: Workplace) -> None:
    _by_hand(in_doubt)
    shown = in_doubt.run("history", SALES, "--at", hour(2))
    assert f"by the rerun of {ORDERS} (call {ABOVE.id}), run {RUN}" in shown.out
    (line,) = in_doubt.run("history", SALES, "--format", "json").json["triggers"]
    assert line["coveredBy"] == {"tableName": ORDERS, "id": ABOVE.id}


def test_a_call_that_was_not_made_is_owed_again_with_what_it_covered(in_doubt: Workplace, scheduler: Counting) -> None:
    assert in_doubt.run("resolve", ABOVE.id, "--as", "not-triggered", "--reason", "looked").code == 0
    assert in_doubt.apply().code == 0
    assert scheduler.runs(SALES) == dict.fromkeys(map(hour, (1, 2, 5)), 1)


def test_damage_downstream_keeps_the_call_that_covers_it_in_doubt(in_doubt: Workplace) -> None:
    in_doubt.put_state({f"prod/{SALES}.jsonl": b"{}\n"}, name="vandal")
    assert in_doubt.run("resolve", ABOVE.id, "--as", "triggered", "--reason", "looked").code == 3
    assert in_doubt.apply().code == 7
    assert [intent["id"] for intent in in_doubt.pending()] == [ABOVE.id]
    assert [line["scheduleTimes"] for line in in_doubt.ledger(ORDERS)] == [[hour(4)]]


def test_an_approved_rerun_downstream_settles_its_own_part_alone(in_doubt: Workplace, scheduler: Counting) -> None:
    for table, name in ((SALES, "below"), (ORDERS, "above")):
        assert [intent["id"] for intent in in_doubt.pending()] == [ABOVE.id]
        rerun = backfill(f"again-{name}", again(f"again-{name}", at(1, 2, 3), "dana"), table=table)
        in_doubt.declare(f"again-{name}.yaml", rerun)
        in_doubt.apply()
    assert in_doubt.pending() == []
    assert scheduler.runs(ORDERS) == dict.fromkeys(map(hour, (1, 2, 3, 4)), 1)
    assert scheduler.runs(SALES) == dict.fromkeys(map(hour, (1, 2, 3, 5)), 1)
    assert in_doubt.apply().code == 0


def test_a_covered_line_without_the_line_that_covers_it_is_found(in_doubt: Workplace) -> None:
    _by_hand(in_doubt)
    in_doubt.put_state({f"prod/{ORDERS}.jsonl": None}, name="vandal")
    verified = in_doubt.clone("fresh").run("state", "verify")
    assert verified.code == 3
    assert f".state/prod/{SALES}.jsonl:2:1" in verified.err
    assert f"covered by call {ABOVE.id} of {ORDERS}" in verified.err
