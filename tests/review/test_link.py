"""The next page: found in a Link header, and only where the API is."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.review.link import ElsewhereError, next_page
from reconciler.review.place import read_api

API = read_api("https://git.acme.example:8443/api/v3")
_HERE = "https://git.acme.example:8443/api/v3/"
_MARKS = ("/", "..", "%2e", "%2f", "@", ":", "?", "#", "\\", "\t", " ", "//", ";", ",", "<", ">", "é", "evil.example")
_ENDS = st.lists(st.sampled_from((*_MARKS, "x", "page=2", _HERE)), max_size=6).map("".join)
_STARTS = st.sampled_from(
    (_HERE, _HERE.upper(), "https://evil.example/api/v3/", "/api/v3/", "https://git.acme.example")
)


def test_a_list_without_a_next_page_ends() -> None:
    for header in ("", f'<{_HERE}x>; rel="last"', f'<{_HERE}x>; rel="prev", <{_HERE}y>; rel="first"', "nonsense"):
        assert next_page(header, API) is None


def test_a_next_page_may_have_another_path_and_a_host_in_capitals() -> None:
    assert next_page('<https://GIT.acme.example:8443/api/v3/repositories/1/x?page=2>; rel="next"', API) == (
        "/api/v3/repositories/1/x?page=2"
    )


@pytest.mark.claim("a token goes to the API's own address, whatever a forge answers")
@given(_STARTS, _ENDS)
@example(_HERE, "%2e%2e/%2E./user")
@example(_HERE, "..%2fuser")
@example(_HERE, "x%2F..")
@example("https://git.acme.example", "@evil.example/api/v3/")
def test_whatever_a_header_says_the_next_page_is_within_the_api(start: str, end: str) -> None:
    try:
        path = next_page(f'<{start}{end}>; rel="next"', API)
    except ElsewhereError:
        return
    if path is None:
        return
    asked = httpx.URL(API.origin + path)
    assert (asked.scheme, asked.host, asked.port) == ("https", "git.acme.example", 8443)
    assert asked.path.startswith("/api/v3/")
    assert ".." not in asked.path.split("/")
