"""What the page of timelines takes: seconds to make it, bytes, and what a browser takes to draw, zoom and scroll it.

python -m tests.bench.report [TABLES] [TRIGGERS] [FILE]

Tables stand in memory, so reading git and planning are not part of it. FILE keeps the page. The browser is Chromium,
from the environment variable CHROMIUM or /usr/bin/chromium; without one, the page alone is measured.
"""

from __future__ import annotations

import hashlib
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from reconciler.core.call import Call, Range, Span, Times
from reconciler.core.config import Limits, Target
from reconciler.core.ledger import Ledger, Trigger
from reconciler.core.needs import Table
from reconciler.core.plan import Plan
from reconciler.core.planner import plan_table
from reconciler.core.request import Place, Request, Rerun, Rules
from reconciler.core.schedule import Every, Schedule
from reconciler.core.timeline import Standing
from reconciler.core.wallclock import parse, render
from reconciler.render.about import About
from reconciler.render.report_page import report_page
from reconciler.render.sheet import Sheet

_HOUR, _DAY = 3600, 86_400
_TARGETS = tuple(
    Target(name, "embedded", f"tn_{name}", None, zone)
    for name, zone in (("prod", "Asia/Shanghai"), ("eu", "Europe/Berlin"), ("us", "America/New_York"))
)
_FROM, _NOW = parse("2023-01-01 00:00:00"), parse("2026-01-20 09:30:00")
_HOURLY = Schedule("0 0 * * * ?", Every(_HOUR))
_AREAS = ("sales", "finance", "logistics", "marketing", "support", "platform", "risk", "hr")


def standings(tables: int, triggers: int) -> Iterator[Standing]:
    """Yield tables that share so many triggers evenly: hourly ones over three years, one in ten owes something."""
    for number in sorted(range(tables), key=lambda number: (number % 10 != 0, number % 3)):  # as commands have them
        yield _standing(number, triggers // tables + (number < triggers % tables))


def _standing(number: int, triggers: int) -> Standing:
    dice = random.Random(number)
    target, area = _TARGETS[number % 3], _AREAS[number % 8]
    name, file = f"lake_catalog.{area}.FACT_{area.upper()}_{number:05}", f"{area}/fact_{number:05}.yaml"
    step = max(_HOUR, (_NOW - _FROM) // max(1, triggers) // _HOUR * _HOUR)
    lines = tuple(_trigger(target, name, f"{file}#daily", _FROM + at * step, step, dice) for at in range(triggers))
    end = _FROM + triggers * step + (5 * _DAY if number % 10 == 0 else 0)
    requests = [_request(target, name, f"{file}#daily", (_FROM, max(end, _FROM + _DAY)), area)]
    if number % 97 == 0:
        requests.append(_request(target, name, f"{file}#late", (_FROM, _FROM + 9 * _DAY), area, "late-files"))
    rules = Rules(_HOURLY if number % 4 else None)
    ledger = Ledger(target.name, name, lines, "head") if lines else None
    table = Table(target, name, tuple(requests), ledger, (), _NOW, rules)
    return Standing(table, plan_table(table, {}))


def _request(
    target: Target, name: str, key: str, window: tuple[int, int], owner: str, token: str | None = None
) -> Request:
    rerun = Rerun(token, "files came a day late") if token else None
    place = Place(key.split("#", maxsplit=1)[0], 12, 5)
    return Request(key, key, target.name, name, (window,), rerun, "INC-4211", f"{owner}-data", Limits(), place)


def _trigger(target: Target, name: str, key: str, start: int, step: int, dice: random.Random) -> Trigger:
    span: Span = Range((start, start + step), "inclusive")
    if dice.random() < 0.1 and step <= 2 * _DAY:
        span = Times(tuple(range(start, start + step, _HOUR)))
    rerun = ("fix",) if dice.random() < 0.05 else ()
    made = Call(target.name, name, target.tenant, span, rerun, (key,), ())
    second = start + step + dice.randrange(_HOUR)
    at = render(second).replace(" ", "T") + "Z"
    run = f"{at[:10].replace('-', '')}T040000Z-{hashlib.sha256(at[:10].encode()).hexdigest()[:12]}"
    commit = hashlib.sha256(at[:7].encode()).hexdigest()[:40]
    trace = f"{dice.getrandbits(128):032x}.1.{second * 10**7 + dice.randrange(10**7)}"
    return Trigger(made.id, span, rerun, (key,), ("dana",) if rerun else (), trace, at, run, commit)


def made(tables: int, triggers: int) -> str:
    """Return the page."""
    plan = Plan("5e7a0d1c" * 5, ())
    about = About("report", "bench", "triggers", Sheet(plan, {}, {}), "2026-01-20T01:30:00Z")
    return report_page(about, standings(tables, triggers))


def main(tables: int, triggers: int, file: Path) -> None:
    """Print what making and drawing the page takes."""
    begun = time.process_time()
    for _ in standings(tables, triggers):
        pass
    bare = time.process_time() - begun
    begun = time.process_time()
    text = made(tables, triggers)
    took = time.process_time() - begun - bare
    file.write_text(text, encoding="utf-8")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    what = f"{tables:,} tables, {triggers:,} triggers"
    print(f"{what}: {len(text) / 1e6:.1f} MB in {took:.1f} s of processor, {peak:.0f} MB of memory")
    browser = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    if Path(browser).exists():
        _draw(browser, file)
    else:
        print("no browser: set CHROMIUM")


_ZOOM = """async () => { const begun = performance.now();
  for (let at = 0; at < 20; at++) { document.getElementById(at % 2 ? 'zoom-out' : 'zoom-in').click();
    await new Promise(requestAnimationFrame); }
  return (performance.now() - begun) / 20; }"""
_SCROLL = """async () => { const begun = performance.now(); const far = document.documentElement.scrollHeight / 40;
  for (let at = 0; at < 20; at++) { scrollBy(0, far); await new Promise(requestAnimationFrame); }
  return (performance.now() - begun) / 20; }"""
_SEARCH = """async () => { const box = document.getElementById('search'); const begun = performance.now();
  for (const text of ['f', 'fi', 'fin', 'finance', 'finance_0001', '']) {
    box.value = text; box.dispatchEvent(new Event('input')); await new Promise(requestAnimationFrame); }
  return (performance.now() - begun) / 6; }"""


def _draw(browser: str, file: Path) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1360, "height": 900})
        page.goto(file.resolve().as_uri(), wait_until="commit")
        page.wait_for_selector("html[data-ready=true]", timeout=120_000)
        painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        drawn = page.evaluate("performance.getEntriesByName('first-rows')[0].startTime")
        page.wait_for_load_state("load")
        print(f"first paint {painted:.0f} ms, timelines {drawn:.0f} ms after the page was opened")
        for what, script in (("zoom", _ZOOM), ("scroll", _SCROLL), ("search", _SEARCH)):
            print(f"{what}: {page.evaluate(script):.0f} ms a step")
        chromium.close()


if __name__ == "__main__":
    given = [int(argument.replace("_", "")) for argument in sys.argv[1:3]]
    many, lines = (given + [10_000, 1_000_000][len(given) :])[:2]
    with tempfile.TemporaryDirectory() as folder:
        main(many, lines, Path(sys.argv[3]) if len(sys.argv) > 3 else Path(folder) / "report.html")
