"""A caller for the emulator: plain http.client, one connection for each request."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from reconciler.scheduler.emulator import Emulator

BASE = "/anymetrics/api/v1/scheduler/task/"
TIMES = f"{BASE}triggerTableTaskInstanceByScheduleTime"
RANGE = f"{TIMES}Range"
HEADERS: Mapping[str, str] = {"tenant-id": "tn_1", "auth-type": "UID", "auth-value": "463663891121963008"}
TABLE = "default_catalog.sales.FACT_SALES"


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def envelope(self) -> dict[str, object]:
        value = json.loads(self.text)
        assert list(value) == ["data", "success", "code", "errorMsg", "detailErrorMsg", "traceId"]
        return dict(value)


@dataclass(frozen=True, slots=True)
class Caller:
    """Calls an emulator; every request on a connection of its own."""

    emulator: Emulator

    def send(self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] = HEADERS) -> Answer:
        host = urlsplit(self.emulator.url).netloc
        connection = http.client.HTTPConnection(host, timeout=20)
        try:
            connection.request(method, path, body, dict(headers))
            response = connection.getresponse()
            names = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, names, response.read().decode())
        finally:
            connection.close()

    def times(self, *times: str, table: str = TABLE) -> Answer:
        body = {"tableName": table, "tenantId": "tn_1", "scheduleTimes": list(times)}
        return self.send("POST", TIMES, json.dumps(body).encode())

    def range(self, start: str, end: str, table: str = TABLE) -> Answer:
        body = {"tableName": table, "tenantId": "tn_1", "startTime": start, "endTime": end}
        return self.send("POST", RANGE, json.dumps(body).encode())
