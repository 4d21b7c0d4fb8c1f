"""The emulator's pages: true totals, nothing fetched or run by the browser, nobody else's names."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest

from reconciler.scheduler.emulator import Emulator
from tests.figures import Tried
from tests.scheduler.emulator.caller import TABLE, TIMES, Caller

NASTY = "a.<script>alert(1)</script>.\"'&amp;`x`"


class Page(HTMLParser):
    """Reads a page: its tags, its links, and the cells of its tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.cells: list[str] = []
        self.inside = False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "action"}]
        if tag in {"td", "dd"}:
            self.cells.append("")
        self.inside = tag in {"td", "dd"} or (self.inside and tag not in {"dt", "th", "tr", "h2"})

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in {"dd", "table"}

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.cells[-1] += data.strip()


@pytest.fixture
def caller() -> Iterator[Caller]:
    with Emulator(None) as emulator:
        yield Caller(emulator)


def test_the_front_page_shows_totals_tables_and_calls(caller: Caller) -> None:
    caller.range("2026-01-20 01:00:00", "2026-01-20 05:00:00")
    caller.times("2026-01-20 02:00:00")
    caller.times("later", table="other")
    page = Page(caller.send("GET", "/").text)
    assert page.cells[:5] == ["3", "1", "5", "6", "1"]
    assert page.cells[5].startswith(f"{TABLE}tn_1")
    assert page.cells[6:9] == ["5", "6", "1"]
    assert page.cells[10:14] == ["rejected", "1", "triggered", "2"]
    assert page.cells[15] == "scheduleTime"
    assert "scheduleTimes[0] is not written as" in page.cells[18]


def test_a_strip_says_what_ran_once_and_what_ran_more_than_once(caller: Caller) -> None:
    caller.range("2026-01-20 01:00:00", "2026-01-20 05:00:00")
    caller.times("2026-01-20 02:00:00")
    caller.times("2026-01-20 02:00:00")
    assert re.findall(r"<rect x=[^>]*(once|again)[^>]*><title>([^<]*)<", caller.send("GET", "/").text) == [
        ("once", "2026-01-20 01:00:00: 1 instance, ran once"),
        ("again", "2026-01-20 02:00:00: 1 instance, ran up to 3 times"),
        ("once", "2026-01-20 03:00:00 to 2026-01-20 05:00:00: 3 instances, ran once"),
    ]


def test_an_empty_emulator_has_a_page_too(caller: Caller) -> None:
    text = caller.send("GET", "/").text
    assert "none yet" in text
    assert "Nothing was called yet.</strong> Name this address as the <code>url</code> of a target" in text
    assert "0 instances" in caller.send("GET", "/?table=unheard.of").text


def test_the_front_page_shows_the_latest_fifty_calls(caller: Caller) -> None:
    for second in range(55):
        caller.times(f"2026-01-20 00:00:{second:02d}")
    text = caller.send("GET", "/").text
    calls = text[text.index('<table id="calls"') :]
    assert calls.count("<summary") == 50
    assert "00:00:54" in calls
    assert "00:00:04" not in calls


def test_markup_in_a_table_name_stays_text(caller: Caller) -> None:
    caller.times("2026-01-20 00:00:00", table=NASTY)
    front = Page(caller.send("GET", "/").text)
    assert front.cells[5].startswith(f"{NASTY}tn_1")
    detail_link = next(link for link in front.links if link.startswith("/?table="))
    detail = caller.send("GET", detail_link).text
    for text in (caller.send("GET", "/").text, detail):
        assert "<script>alert" not in text
        assert Page(text).tags.count("script") == 1
    assert Page(detail).cells[0] == "2026-01-20 00:00:00"


def test_a_page_runs_its_own_script_alone_and_fetches_only_itself(caller: Caller) -> None:
    caller.times("2026-01-20 00:00:00")
    answer = caller.send("GET", "/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    script = answer.text.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.startswith(f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}';")
    assert "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    page = Page(answer.text)
    assert page.tags.count("script") == 1
    assert not {"img", "link", "iframe", "form"} & set(page.tags)
    assert all(link.startswith("/") and not link.startswith("//") for link in page.links)
    assert set(re.findall(r"url\([^)]*\)", answer.text)) == {"url(#again)"}
    assert "@import" not in answer.text


def test_refreshing_can_be_paused(caller: Caller) -> None:
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in caller.send("GET", "/").text
    assert 'http-equiv="refresh"' not in caller.send("GET", "/?paused=1").text


def test_a_page_that_was_seen_is_not_sent_again_until_a_call_comes(caller: Caller) -> None:
    caller.times("2026-01-20 00:00:00")
    seen = re.findall(r'data-seen="([^"]*)"', caller.send("GET", "/").text)[0]
    for path in ("/?", f"/?table={TABLE}&"):
        answer = caller.send("GET", f"{path}seen={seen}")
        assert (answer.status, answer.text) == (204, "")
        assert "content-length" not in answer.headers
    caller.times("later")  # refused, and shown all the same
    for path in ("/?", f"/?table={TABLE}&"):
        assert caller.send("GET", f"{path}seen={seen}").status == 200


def test_parts_that_the_script_and_others_look_for_are_there(caller: Caller) -> None:
    caller.times("2026-01-20 00:00:00")
    front, table = caller.send("GET", "/").text, caller.send("GET", f"/?table={TABLE}").text
    for name in ("tables", "calls", "answers", "pause", "live", "main"):
        assert f'id="{name}"' in front
    for name in ("instances", "pause", "live", "main"):
        assert f'id="{name}"' in table


def test_the_ends_of_the_calendar_have_a_strip_too(caller: Caller) -> None:
    caller.times("0001-01-01 00:00:00", "9999-12-31 23:59:59")
    text = caller.send("GET", "/").text
    assert [told for told in ("0001-01-01 00:00:00: 1 inst", "9999-12-31 23:59:59: 1 inst") if told not in text] == []
    caller.times("9999-12-31 23:59:59", table="last")
    assert caller.send("GET", "/?table=last").status == 200


def test_many_tables_are_paged(caller: Caller) -> None:
    for number in range(103):
        caller.times("2026-01-20 00:00:00", table=f"t{number:03}")
    front = caller.send("GET", "/").text
    assert front.count('href="/?table=') == 100
    assert "page 1 of 2" in front
    assert [link for link in Page(caller.send("GET", "/?page=2").text).links if "table=" in link] == [
        f"/?table=t{number}" for number in (100, 101, 102)
    ]
    assert Page(front).cells[1] == "103"


@pytest.mark.claim("the emulator's page stays small, whatever it ran")
def test_a_hundred_thousand_instances_make_no_large_page(caller: Caller, tried: Tried) -> None:
    for year in range(2010, 2021):
        caller.range(f"{year}-01-01 00:00:00", f"{year}-12-31 23:00:00")
        caller.range(f"{year}-03-01 00:00:00", f"{year}-03-31 23:00:00")
    caller.range("2009-01-01 00:00:00", "2009-06-30 00:00:00")
    text = caller.send("GET", "/").text
    assert len(text) < 100_000
    assert text.count("<rect") < 240
    tried(sum(1 for _ in caller.emulator.database.instances()), note=f"{len(text):,} characters")


def test_the_instances_of_a_table_are_paged(caller: Caller) -> None:
    caller.range("2026-01-01 00:00:00", "2026-01-21 00:00:00")
    caller.times("2026-01-01 00:00:00")
    first = caller.send("GET", f"/?table={TABLE}").text
    assert "481 instances, 482 runs, 1 ran more than once" in first
    assert Page(first).cells[:3] == ["2026-01-01 00:00:00", "tn_1", "2"]
    assert "page 1 of 3" in first
    assert "earlier" not in first
    last = caller.send("GET", f"/?table={TABLE}&page=3").text
    assert Page(last).cells[-6] == "2026-01-21 00:00:00"
    assert "later" not in last
    for odd in ("9999999999999", "-1", "0", "x", "²", ""):
        assert caller.send("GET", f"/?table={TABLE}&page=" + ascii(odd).strip("'")).status == 200


def test_scripts_read_instances_as_json(caller: Caller) -> None:
    caller.range("2026-01-20 01:00:00", "2026-01-20 05:00:00")
    caller.times("2026-01-20 01:00:00", table="other")
    answer = caller.send("GET", f"/api/instances?table={TABLE}&limit=2&offset=1")
    assert answer.headers["content-type"] == "application/json"
    found = json.loads(answer.text)
    assert found["version"] == 1
    assert [(row["time"], row["runs"]) for row in found["instances"]] == [
        ("2026-01-20 02:00:00", 1),
        ("2026-01-20 03:00:00", 1),
    ]
    assert len(json.loads(caller.send("GET", "/api/instances").text)["instances"]) == 6


def test_head_answers_without_a_body(caller: Caller) -> None:
    answer = caller.send("HEAD", "/")
    assert (answer.status, answer.text) == (200, "")
    assert int(answer.headers["content-length"]) > 1000


@pytest.mark.parametrize(
    ("method", "path", "status"), [("POST", "/", 405), ("PUT", "/api/instances", 405), ("GET", "/favicon.ico", 404)]
)
def test_pages_are_only_read(caller: Caller, method: str, path: str, status: int) -> None:
    assert caller.send(method, path).status == status


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "localhost@evil", "", "[::2]", "10.0.0.1"]
)
def test_a_name_that_was_rebound_to_loopback_is_refused(caller: Caller, host: str) -> None:
    for method, path in (("GET", "/"), ("GET", "/api/instances"), ("POST", TIMES)):
        answer = caller.send(method, path, None, {"Host": host})
        assert answer.status == 403
        assert "use 127.0.0.1" in str(answer.envelope["errorMsg"])
    assert caller.emulator.database.calls() == ()


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8083", "127.0.0.1:1", "[::1]:8083"])
def test_names_of_this_machine_are_served(caller: Caller, host: str) -> None:
    assert caller.send("GET", "/", None, {"Host": host}).status == 200


def test_bound_to_every_address_any_name_is_served() -> None:
    with Emulator(None, host="0.0.0.0") as emulator:  # noqa: S104 - that it is said so is the point
        assert Caller(emulator).send("GET", "/", None, {"Host": "scheduler.test"}).status == 200
