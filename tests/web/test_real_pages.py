"""The pages of a real repository, by the command line: the report and the plan, each as one file that is looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from reconciler.scheduler.emulator import Fault
from tests.e2e.counting import Counting, no_fault
from tests.e2e.manifests import ORDERS, SALES, again, at, backfill, between
from tests.e2e.workplace import Workplace
from tests.figures import Tried
from tests.web.reports import Report
from tests.web.watched import Opener, complaints, scrolls_sideways, shoot

HOURLY = "0 0 * * * ?"
CLICKS = "default_catalog.web.CLICKS"


@pytest.fixture
def lived(place: Workplace, scheduler: Counting) -> Workplace:
    """Return a repository where something was triggered and rerun, is owed, held and in doubt."""
    place.declare("sales.yaml", backfill("sales", between(1, 5, name="outage"), schedule=HOURLY))
    assert place.apply().code == 0
    rerun = again("late-files", between(2, 3, name="late"), "dana")
    place.declare("sales.yaml", backfill("sales", between(1, 5, name="outage"), rerun, schedule=HOURLY))
    assert place.apply().code == 0
    place.declare("clicks.yaml", backfill("clicks", at(7), table=CLICKS))
    scheduler.decide = lambda _arrival: Fault.LOST
    assert place.apply().code == 7
    scheduler.decide = no_fault
    wider = between(1, 9, name="outage")
    held = again("prices", at(4, name="prices"))
    place.declare("sales.yaml", backfill("sales", wider, rerun, held, schedule=HOURLY))
    place.declare("orders.yaml", backfill("orders", between(1, 3), table=ORDERS))
    return place


def made(place: Workplace, *command: str) -> str:
    """Return the page that a command writes."""
    done = place.run(*command, "--out", "page.html")
    assert done.code == 0, done.err
    return Path(place.top / "page.html").read_text("utf-8")


@pytest.mark.claim("pages and pictures that axe-core finds nothing wrong with")
def test_the_pages_of_a_repository_tell_how_it_stands(lived: Workplace, open_page: Opener, tried: Tried) -> None:
    for name, command in (("report", ("report",)), ("plan", ("plan", "--format", "html"))):
        text = made(lived, *command)
        seen = Report(open_page.file(text))
        shoot(seen.page, f"real-{name}", whole=True)
        assert {ORDERS, SALES, CLICKS} == set(seen.names)
        assert seen.statuses(ORDERS) == {"owed"}
        assert seen.statuses(CLICKS) == {"inDoubt"}
        assert {"owed", "held"} <= seen.statuses(SALES)
        assert not complaints(seen.page)
        small = open_page.phone(text, color_scheme="dark")
        shoot(small, f"real-{name}-390-dark", whole=True)
        assert not scrolls_sideways(small)
        assert not complaints(small)
    tried(4)
    page = open_page.at((lived.top / "page.html").as_uri(), ready=False, java_script_enabled=False)
    shoot(page, "plan-no-script", whole=True)
    text = page.locator("body").inner_text().replace('": "', '":"')
    assert '"startTime":"2026-01-20 01:00:00"' in text, "the exact bodies of a plan need no script"


def test_a_plan_of_what_is_done_says_so(place: Workplace, open_page: Opener) -> None:
    place.declare("sales.yaml", backfill("sales", between(1, 5)))
    assert place.apply().code == 0
    page = open_page.file(made(place, "plan", "--format", "html"))
    shoot(page, "plan-nothing-to-do")
    assert "nothing to do" in page.locator("body").inner_text().lower()
    assert not complaints(page)


def test_damage_is_told_before_all_else(place: Workplace, open_page: Opener) -> None:
    place.declare("sales.yaml", backfill("sales", between(1, 5)))
    assert place.apply().code == 0
    _damage(place)
    done = place.run("report", "--out", "page.html")
    assert done.code == 3, done.err
    page = open_page.file(Path(place.top / "page.html").read_text("utf-8"))
    shoot(page, "report-damaged")
    assert SALES in page.locator("body").inner_text()
    assert not complaints(page)


def _damage(place: Workplace) -> None:
    """Push a state branch where a line of a ledger is not what it was."""
    place.git("fetch", "-q", "origin", f"+refs/heads/{place.state}:refs/heads/broken")
    place.git("worktree", "add", "-q", "../broken", "broken")
    (ledger,) = (place.top.parent / "broken").rglob(f"{SALES}.jsonl")
    ledger.write_text(ledger.read_text().replace("2026-01-20 01:00:00", "2026-01-20 02:00:00"))
    broken = place.top.parent / "broken"
    Workplace(broken, place.remote, place.nursery).git("commit", "-q", "-am", "Damage")
    Workplace(broken, place.remote, place.nursery).git("push", "-q", "--force", "origin", f"HEAD:{place.state}")
