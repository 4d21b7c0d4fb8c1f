"""However manifests are edited, each instant is triggered exactly once."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.e2e.counting import Counting
from tests.e2e.manifests import ORDERS, SALES, Document, again, at, backfill, between, hours
from tests.e2e.workplace import Workplace

Edit = Callable[[Workplace], None]


def start(place: Workplace) -> None:
    place.declare("fact.yaml", backfill("fact", between(3, 8, name="outage"), at(12, 13)))
    assert place.apply().code == 0


def declare(*manifests: Document, path: str = "fact.yaml") -> Edit:
    return lambda place: place.declare(path, *manifests)


def rename_file(place: Workplace) -> None:
    os.rename(place.base / "fact.yaml", place.base / "moved.yaml")
    place.publish()


def split(place: Workplace) -> None:
    place.write("early/fact.yaml", "")
    place.declare("early/fact.yaml", backfill("early", between(3, 5)))
    place.declare("fact.yaml", backfill("late", between(6, 8), at(12), at(13)))


def delete(place: Workplace) -> None:
    (place.base / "fact.yaml").unlink()
    place.declare("other.yaml", backfill("other", between(3, 8), at(12, 13)))


DONE = hours(3, 8) | hours(12, 13)

EDITS: dict[str, tuple[Edit, dict[str, int]]] = {
    "widened": (declare(backfill("fact", between(1, 10, name="outage"), at(12, 13))), hours(1, 10) | DONE),
    "shrunk": (declare(backfill("fact", between(4, 6, name="outage"), at(12))), DONE),
    "renamed manifest": (declare(backfill("facts", between(3, 8, name="outage"), at(12, 13))), DONE),
    "renamed request": (declare(backfill("fact", between(3, 8, name="incident"), at(12, 13, name="late"))), DONE),
    "renamed file": (rename_file, DONE),
    "overlapping": (
        declare(backfill("fact", between(3, 8), between(5, 10), between(1, 4), at(12, 13), at(4, 9, 14))),
        hours(1, 10) | hours(12, 14),
    ),
    "split into two manifests": (split, DONE),
    "two manifests, one table": (
        declare(backfill("fact", between(3, 8), at(12, 13)), backfill("more", between(7, 11))),
        hours(3, 13),
    ),
    "deleted, declared elsewhere": (delete, DONE),
    "range to points": (declare(backfill("fact", at(3, 4, 5, 6, 7, 8, 9), at(12, 13))), hours(3, 9) | DONE),
    "points to range": (declare(backfill("fact", between(3, 13))), hours(3, 13)),
    "order and names of requests": (declare(backfill("fact", at(13, 12), between(3, 8))), DONE),
}


@pytest.mark.parametrize("edit", EDITS)
def test_each_instant_is_triggered_once_when_manifests_are(place: Workplace, scheduler: Counting, edit: str) -> None:
    start(place)
    change, expected = EDITS[edit]
    change(place)
    assert place.apply().code == 0
    assert scheduler.runs(SALES) == expected


def test_widening_sends_the_new_hours_alone(place: Workplace, scheduler: Counting) -> None:
    start(place)
    place.declare("fact.yaml", backfill("fact", between(1, 10, name="outage"), at(12, 13)))
    assert place.apply().code == 0
    spans = [(body["startTime"][11:13], body["endTime"][11:]) for body in scheduler.bodies() if "startTime" in body]
    assert spans == [("03", "08:00:00"), ("01", "02:59:59"), ("08", "10:00:00")]
    assert scheduler.runs(SALES) == hours(1, 10) | hours(12, 13)


def test_requests_moved_between_tables_are_new_for_the_other_table_only(place: Workplace, scheduler: Counting) -> None:
    start(place)
    place.declare("fact.yaml", backfill("fact", at(12, 13)), backfill("orders", between(3, 8), table=ORDERS))
    assert place.apply().code == 0
    assert (scheduler.runs(SALES), scheduler.runs(ORDERS)) == (DONE, hours(3, 8))


def test_an_exclusive_target_runs_each_instant_once(place: Workplace, scheduler: Counting) -> None:
    """A manifest's endTime is always part of its range; how the scheduler reads one matters to the call alone."""
    place.configure(scheduler.url, target={"rangeEnd": "exclusive"})
    place.declare("fact.yaml", backfill("fact", between(1, 3), between(3, 5)))
    assert place.apply().code == 0
    (body,) = scheduler.bodies()
    assert (body["startTime"][11:], body["endTime"][11:]) == ("01:00:00", "05:00:01")
    assert place.ledger(SALES)[0]["rangeEnd"] == "exclusive"


def test_a_rerun_is_held_then_approved_then_done_then_widened_then_asked_for_again(
    place: Workplace, scheduler: Counting
) -> None:
    start(place)

    def rerun(token: str, first: int, last: int, *approved: str) -> Document:
        return backfill("fact", between(3, 8), at(12, 13), again(token, between(first, last, name="late"), *approved))

    place.declare("fact.yaml", rerun("late-1", 4, 5))
    held = place.apply()
    assert (held.code, scheduler.runs(SALES)) == (5, DONE)
    assert "approvedBy" in held.out
    assert "dana" in held.out

    place.declare("fact.yaml", rerun("late-1", 4, 5, "Dana"))
    assert place.apply().code == 0
    twice = dict.fromkeys(hours(4, 5), 2)
    assert scheduler.runs(SALES) == DONE | twice
    last = place.ledger(SALES)[-1]
    assert (last["rerun"], last["approvedBy"]) == (["late-1"], ["dana"])
    assert place.apply().code == 0

    place.declare("fact.yaml", rerun("late-1", 4, 6, "dana"))
    assert place.apply().code == 0
    assert scheduler.runs(SALES) == DONE | dict.fromkeys(hours(4, 6), 2)

    place.declare("fact.yaml", rerun("late-2", 6, 6, "lee"))
    assert place.apply().code == 0
    assert scheduler.runs(SALES) == DONE | dict.fromkeys(hours(4, 5), 2) | dict.fromkeys(hours(6, 6), 3)


def test_one_trigger_satisfies_a_new_request_and_two_reruns_over_the_same_hours(
    place: Workplace, scheduler: Counting
) -> None:
    reruns = [again(token, between(1, 5, name=token), "dana") for token in ("a", "b")]
    place.declare("fact.yaml", backfill("fact", between(1, 5), *reruns))
    assert place.apply().code == 0
    assert place.apply().code == 0
    assert scheduler.runs(SALES) == hours(1, 5)
    assert place.ledger(SALES)[0]["rerun"] == ["a", "b"]


@pytest.mark.parametrize(("provider", "code"), [({"provider": "none"}, 0), (None, 5)])
def test_who_approves_is_what_the_config_says(
    place: Workplace, scheduler: Counting, provider: Document | None, code: int
) -> None:
    place.configure(scheduler.url, approvals={"reruns": provider} if provider else None)
    place.declare("fact.yaml", backfill("fact", again("t", at(1))))
    done = place.apply()
    assert done.code == code
    assert scheduler.runs(SALES) == (hours(1, 1) if code == 0 else {})
    assert code == 0 or "approvals.reruns" in done.out
