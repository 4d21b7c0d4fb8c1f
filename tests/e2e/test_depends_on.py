"""`dependsOn`: a table's calls go after those of the tables it depends on, or are held."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.scheduler.emulator import Arrival, Fault
from tests.e2e.counting import Counting, no_fault
from tests.e2e.manifests import ORDERS, SALES, at, backfill, between, hours
from tests.e2e.workplace import Workplace

CUSTOMER = "default_catalog.dim.CUSTOMER"


def _chain(place: Workplace) -> None:
    """Declare a fact that depends on a dimension, a table that depends on the fact, and one that nobody waits for."""
    place.declare(
        "all.yaml",
        backfill("a-mart", at(3), table="default_catalog.mart.SALES", dependsOn=["fact"]),
        backfill("dim-customer", between(1, 2), between(4, 5), table=CUSTOMER),
        backfill("fact", between(1, 5), dependsOn=["dim-customer"]),
        backfill("orders", at(2), table=ORDERS),
    )


def _failing(table: str, fault: Fault) -> Any:
    def decide(arrival: Arrival) -> Fault | None:
        return fault if arrival.table == table else None

    return decide


def test_tables_are_called_in_the_order_of_their_dependencies(place: Workplace, scheduler: Counting) -> None:
    _chain(place)
    assert place.apply().code == 0
    called = [body["tableName"] for body in scheduler.bodies() if body["tableName"] != ORDERS]
    assert called == [CUSTOMER, CUSTOMER, SALES, "default_catalog.mart.SALES"]


def test_what_depends_on_a_rejected_call_is_held_and_goes_in_order_with_the_next_apply(
    place: Workplace, scheduler: Counting
) -> None:
    _chain(place)
    scheduler.decide = _failing(CUSTOMER, Fault.REJECT)
    first = place.apply("--format", "json")
    assert (first.code, scheduler.runs(SALES), scheduler.runs(ORDERS)) == (6, {}, hours(2, 2))
    calls = {call["tableName"]: call for call in first.json["calls"]}
    fact, mart = calls[SALES], calls["default_catalog.mart.SALES"]
    for call in (fact, mart):
        assert (call["status"], call["held"]["because"], call["outcome"]) == ("held", "dependency", "skipped")
    assert fact["held"]["message"].startswith(f"waits for dim-customer ({CUSTOMER}), of which a call was rejected: ")
    assert mart["held"]["message"].startswith(f"waits for fact ({SALES}), which waits for dim-customer ({CUSTOMER}), ")
    assert place.pending() == []
    scheduler.decide = no_fault
    before = len(scheduler.bodies())
    assert place.apply().code == 0
    called = [body["tableName"] for body in scheduler.bodies()[before:]]
    assert called == [CUSTOMER, CUSTOMER, SALES, "default_catalog.mart.SALES"]


@pytest.mark.parametrize("form", ["text", "markdown"])
def test_a_report_says_what_is_held_and_what_it_waits_for(place: Workplace, scheduler: Counting, form: str) -> None:
    _chain(place)
    scheduler.decide = _failing(CUSTOMER, Fault.REJECT)
    applied = place.apply("--format", form)
    assert applied.code == 6
    assert "2 held" in applied.out
    assert f"waits for dim-customer ({CUSTOMER}), of which a call was rejected" in applied.out


def test_what_depends_on_a_call_in_doubt_is_held_until_that_is_settled(place: Workplace, scheduler: Counting) -> None:
    _chain(place)
    scheduler.decide = _failing(CUSTOMER, Fault.LOST)
    assert place.apply().code == 7
    scheduler.decide = no_fault
    again = place.apply("--format", "json")
    assert (again.code, scheduler.runs(SALES)) == (7, {})
    held = {call["tableName"]: call["held"] for call in again.json["calls"] if call["held"]}
    assert {hold["because"] for hold in held.values()} == {"dependency"}
    assert held.keys() == {SALES, "default_catalog.mart.SALES"}
    (intent,) = place.pending()
    assert place.run("resolve", intent["id"], "--as", "triggered", "--reason", "it ran").code == 0
    assert place.apply().code == 0
    assert (scheduler.runs(SALES), scheduler.runs(CUSTOMER)) == (hours(1, 5), {**hours(1, 2), **hours(4, 5)})
