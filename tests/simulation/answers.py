"""What a scheduler answers, raw: the product's own classification judges it, and only the world knows what ran."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, headers with lower-case names, a body."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


ACCEPTED = Answer(200, b'{"success": true, "code": "200", "data": true, "traceId": "t-1"}')

REFUSED = (
    # The vendor's documented failure, and its sibling pages' names for it.
    Answer(200, b'{"success": true, "code": "200", "data": null, "errorMsg": "no such table"}'),
    Answer(200, b'{"success": false, "code": "500", "data": null, "errorMsg": "busy"}'),
    Answer(200, b'{"success": false, "code": "400", "message": "bad time"}'),
    Answer(400, b'{"success": false, "errorMsg": "bad time"}'),
    Answer(401, b"<html>who are you</html>"),
    Answer(403, b""),
    Answer(404, b"not here"),
)
"""Given only where the call did not run: an answer that plainly lies is outside of what can be promised."""

THROTTLED = (
    Answer(429, b"", {"retry-after": "3"}),
    Answer(429, b"slow down", {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}),
)

MUDDLED = (
    Answer(200, ACCEPTED.body[:37]),
    Answer(200, b""),
    Answer(200, b"<html><title>Sign in</title></html>"),
    Answer(200, b'{"success": true, "code": "200", "data": "true"}'),
    Answer(200, b'{"success": true, "code": "200", "data": null}'),
    Answer(200, b'{"success": "false", "code": "500", "data": false}'),
    Answer(200, b'{"success": true, "success": false, "code": "200", "data": null}'),
    Answer(200, b'{"success": true, "code": "200", "data": true, "errorMsg": "queue is full"}'),
    Answer(200, b'{"success": false, "code": "500", "data": true}'),
    Answer(200, b'{"success": true, "code": "500", "data": true}'),
    Answer(200, b'[{"success": false}]'),
    Answer(200, ACCEPTED.body, {"content-encoding": "gzip"}),
    Answer(202, ACCEPTED.body),
    Answer(302, b"", {"location": "http://127.0.0.1/login"}),
    Answer(408, b""),
    Answer(409, b'{"success": false, "errorMsg": "already running"}'),
    Answer(500, b'{"success": false, "code": "500", "data": null, "errorMsg": "database is down"}'),
    Answer(502, b"<html>bad gateway</html>"),
    Answer(504, b""),
)
"""Given whether the call ran or not: half a document, a proxy's page, a failure after the work was begun."""
