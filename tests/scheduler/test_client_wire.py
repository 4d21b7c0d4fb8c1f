"""What leaves the client is what the vendor's page documents, and nothing else."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace

import pytest

from reconciler import __version__
from reconciler.core.call import Range, Span, Times
from reconciler.core.outcome import Triggered
from reconciler.core.wallclock import parse
from reconciler.scheduler.client import Scheduler
from reconciler.scheduler.credential import Credential
from tests.scheduler.calls import CREDENTIAL, TARGET, a_call
from tests.scheduler.faulty_server import OK, FaultyServer, reply

VENDOR_EXAMPLES = (
    r"""
curl --location --request POST \
'http://anymetrics:8083/anymetrics/api/v1/scheduler/task/triggerTableTaskInstanceByScheduleTime' \
--header 'tenant-id: tn_19487697' \
--header 'auth-value: 463663891121963008' \
--header 'auth-type: UID' \
--data-raw '{
  "tableName":"kehuzhisheng.chaos_prod.chaos_onsite_bug",
  "tenantId":"tn_19487697",
  "scheduleTimes":[
    "2026-01-20 00:00:00",
    "2026-01-20 01:00:00"
  ]
}'""",
    r"""
curl --location --request POST \
'http://anymetrics:8083/anymetrics/api/v1/scheduler/task/triggerTableTaskInstanceByScheduleTimeRange' \
--header 'tenant-id: tn_19487697' \
--header 'auth-value: 463663891121963008' \
--header 'auth-type: UID' \
--data-raw '{
  "tableName":"default_catalog.sales.FACT_SALES",
  "tenantId":"tn_19487697",
  "startTime":"2026-01-20 01:00:00",
  "endTime":"2026-01-20 05:00:00"
}'""",
)
VENDOR_SPANS: tuple[Span, ...] = (
    Times((parse("2026-01-20 00:00:00"), parse("2026-01-20 01:00:00"))),
    Range((parse("2026-01-20 01:00:00"), parse("2026-01-20 05:00:00") + 1), "inclusive"),
)


@pytest.mark.parametrize(("example", "span"), list(zip(VENDOR_EXAMPLES, VENDOR_SPANS, strict=True)))
def test_the_vendors_examples_leave_as_they_are_documented(example: str, span: Span) -> None:
    words = shlex.split(example.replace("\\\n", " "))
    wanted = dict(words[at + 1].split(": ") for at, word in enumerate(words) if word == "--header")
    wanted_body = json.loads(words[words.index("--data-raw") + 1])
    with FaultyServer(reply(OK)) as server:
        call = a_call(span, wanted_body["tableName"], wanted_body["tenantId"])
        with Scheduler(replace(TARGET, url=server.url), Credential("UID", "463663891121963008")) as scheduler:
            assert isinstance(scheduler.post(call), Triggered)
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("POST", words[words.index("POST") + 1].removeprefix("http://anymetrics:8083"))
    assert json.loads(seen.body) == wanted_body
    assert list(json.loads(seen.body)) == list(wanted_body)
    assert sorted(seen.headers) == sorted(
        {
            **wanted,
            "host": f"127.0.0.1:{server.port}",
            "content-type": "application/json",
            "accept": "application/json",
            "accept-encoding": "identity",
            "connection": "close",
            "user-agent": f"backfill-reconciler/{__version__}",
            "content-length": str(len(seen.body)),
        }.items()
    )


def test_a_body_is_utf_8_and_a_base_path_is_kept() -> None:
    with FaultyServer(reply(OK)) as server:
        target = replace(TARGET, url=server.url + "/gateway/")
        with Scheduler(target, CREDENTIAL) as scheduler:
            assert isinstance(scheduler.post(a_call(table="db.`表`")), Triggered)
    (seen,) = server.seen
    assert seen.path.startswith("/gateway/anymetrics/api/")
    assert '"tableName":"db.`表`"'.encode() in seen.body
