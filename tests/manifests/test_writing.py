"""What `new` writes is read back by the loader, word for word."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.manifests.root import read_root
from reconciler.manifests.writing import Draft, flow_list, manifest_text, scalar
from reconciler.manifests.yaml_text import load

CONFIG = b"""\
apiVersion: reconciler/v1
kind: Config
defaultTarget: prod
targets: {prod: {url: embedded, tenantId: tn_1, timeZone: UTC}}
"""

_PART = st.text(st.sampled_from("abcXYZ019_-$üß表テ中ñ"), min_size=1, max_size=12)
_RUN = st.one_of(_PART, st.lists(_PART, min_size=1, max_size=3).map(lambda parts: f"`{'.'.join(parts)}`"))
TABLES = st.lists(_RUN, min_size=1, max_size=4).map(".".join)
# Everything that may stand in a reviewed file: no control, surrogate, format or line-separating characters.
_SEEN = st.characters(exclude_categories=("Cc", "Cs", "Cf", "Cn", "Co", "Zl", "Zp"), exclude_characters="\ufeff")
REASONS = st.text(_SEEN | st.sampled_from("\n\t'\":#{}[]&*!|>%@`,-?~= "), min_size=1, max_size=200).filter(
    lambda text: bool(text.strip())
)


@given(TABLES, REASONS)
def test_any_table_and_any_reason_come_back_as_they_were_typed(table: str, reason: str) -> None:
    draft = Draft("x", table, reason=reason, start="2026-01-20 01:00:00", end="2026-01-20 05:00:00")
    reading = read_root({"reconciler.yaml": CONFIG, "x.yaml": manifest_text(draft, None).encode()})
    assert not [problem for problem in reading.problems if problem.severity == "error"]
    assert reading.declared
    (request,) = reading.declared.requests
    assert (request.table, request.reason) == (table, reason)


@given(st.text(_SEEN | st.sampled_from("\n\t"), max_size=60))
def test_a_scalar_is_the_same_text_again_alone_and_in_a_list(text: str) -> None:
    loaded = load("x.yaml", f"one: {scalar(text)}\nmany: {flow_list([text, text])}\n".encode())
    assert not loaded.problems
    assert loaded.documents[0].value == {"one": text, "many": [text, text]}


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("1h", "{every: 1h}"),
        ("every 15M", "{every: 15m}"),
        ("{every: 1h}", "{every: 1h}"),
        ("every 7h from 2026-01-01 00:00:00", "{every: 7h, from: 2026-01-01 00:00:00}"),
        ("0 0 * * * ?", '"0 0 * * * ?"'),
        ("every hour", "every hour"),
    ],
)
def test_an_interval_is_written_as_one_and_all_else_as_cron(typed: str, written: str) -> None:
    draft = Draft("x", "a.b", at=("2026-01-20 01:00:00",), schedule=typed)
    assert f"\n  schedule: {written}\n" in manifest_text(draft, None)


@pytest.mark.parametrize("text", ["no", "Null", "true", "1", "1e3", "~", "", "- x", "a: b", "a #b", "x:", "0x1f", "@x"])
def test_what_other_parsers_take_for_something_else_is_quoted(text: str) -> None:
    assert scalar(text).startswith('"')


@pytest.mark.parametrize("text", ["dana", "2026-01-20 01:00:00", "default_catalog.sales.FACT", "Europe/Paris", "a b"])
def test_what_is_plain_stays_plain(text: str) -> None:
    assert scalar(text) == text
