"""The tests' own eyes: what a page does wrong is seen."""

from __future__ import annotations

from tests.web.watched import Opener, complaints

_HEAD = """<!doctype html><html lang="en" data-ready="true"><head><title>A page</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'"></head>"""


def _sees(open_page: Opener, page: str) -> list[str]:
    open_page.file(page).wait_for_timeout(50)
    open_page.close()
    troubles, open_page.troubles = open_page.troubles, []
    return troubles


def test_a_request_that_leaves_the_page_is_seen(open_page: Opener) -> None:
    open_head = _HEAD.replace("default-src 'none'", "default-src *")
    seen = _sees(open_page, f"{open_head}<script>fetch('http://example.org/').catch(() => {{}})</script>")
    assert "a request to http://example.org/" in seen


def test_a_breach_of_the_policy_is_seen(open_page: Opener) -> None:
    seen = _sees(open_page, f"{_HEAD}<body><img alt='' src='http://example.org/x.png'></body>")
    assert "breach of the policy: img-src" in seen


def test_an_error_a_warning_and_a_dialog_are_seen(open_page: Opener) -> None:
    seen = _sees(open_page, f"{_HEAD}<script>console.warn('careful'); alert('name'); throw Error('oh')</script>")
    assert [each for each in seen if "careful" in each]
    assert [each for each in seen if "a dialog: name" in each]
    assert [each for each in seen if "an error: oh" in each]


def test_a_page_that_not_all_can_use_is_complained_about(open_page: Opener) -> None:
    page = open_page.file(f"{_HEAD}<main><h1>A page</h1><input></main>")
    found = complaints(page)
    assert "label" in found
    open_page.troubles.clear()
