"""What an answer means: status, headers and body in, one of four outcomes out. Pure."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import quote

from reconciler.core.outcome import Outcome, Rejected, Triggered, Unknown

LIMIT = 64 * 1024
"""The most bytes of an answer that are read. A client hands over one more to show that there was more."""

_REFUSALS = frozenset({400, 401, 403, 404, 405, 413, 415, 422, 429})
_TARGET_WIDE = frozenset({401, 403})
_LONGEST_TEXT = 300
_DEFAULT_WAIT = 1.0
_LONGEST_WAIT = 60.0
_TEXTS = ("errorMsg", "message", "detailErrorMsg")
_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})

Envelope = Mapping[str, object]


def judge(status: int, headers: Mapping[str, str], body: bytes, secret: str = "") -> Outcome:
    """Say what became of a call that was answered.

    `headers` has lower-case names; `body` is raw, at most LIMIT + 1 bytes of it. `secret` is blotted out of every text
    that the outcome carries, before texts are cut, so that no part of it stays.

    - Triggered: HTTP 200, a JSON object, `success` is true, `code` is "200", `data` is true, and no error text.
    - Rejected: a status by which servers refuse, whatever the body; or a 200 with `success` false or an `errorMsg`
      (the vendor's documented failure has `success` true beside it; sibling pages name it `message`).
    - Unknown: everything else. So is an answer that contradicts itself, `data` true beside `success` false or an
      error text: it may stand for work that was begun, and Rejected would send it again.
    """
    try:
        envelope, unreadable = _open(headers, body), ""
    except _Unreadable as error:
        envelope, unreadable = {}, str(error)
    trace_id = _trace_id(envelope, secret)
    if status in _REFUSALS:
        wait = _retry_after(headers) if status == 429 else None
        return Rejected(_status_text(status, envelope, secret), trace_id, status in _TARGET_WIDE, wait)
    if status != 200:
        return Unknown(_status_text(status, envelope, secret))
    if unreadable:
        return Unknown(unreadable)
    return _judge_envelope(envelope, trace_id, secret)


def _judge_envelope(envelope: Envelope, trace_id: str | None, secret: str) -> Outcome:
    success, code, data = envelope.get("success"), envelope.get("code"), envelope.get("data")
    if not isinstance(success, bool):
        return Unknown("the answer's success is neither true nor false")
    if any(not isinstance(envelope.get(name), str | None) for name in _TEXTS):
        return Unknown("the answer's error text is not a text")
    refused = not success or bool(envelope.get("errorMsg")) or bool(envelope.get("message"))
    text = _text(envelope, secret)
    if data is True and (refused or text):
        return Unknown(_joined("the answer contradicts itself: data is true beside an error", text))
    if refused:
        return Rejected(text or "the scheduler answered success: false and no reason", trace_id)
    if data is True and code == "200":
        return Triggered(trace_id)
    return Unknown(_joined("the answer does not say that the call was accepted", text))


class _Unreadable(Exception):
    """The body is not the vendor's envelope; its text says why, in our words."""


def _open(headers: Mapping[str, str], body: bytes) -> Envelope:
    if headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise _Unreadable("the answer has an encoding that was not asked for")
    if len(body) > LIMIT:
        raise _Unreadable(f"the answer is longer than {LIMIT // 1024} KiB")
    try:
        value: object = json.loads(body.decode("utf-8"), object_pairs_hook=_without_twins, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise _Unreadable("the answer is not valid JSON, or has a key twice") from None
    if not isinstance(value, dict):
        raise _Unreadable("the answer is not a JSON object")
    return value


def _without_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key is given twice")
    return fields


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _status_text(status: int, envelope: Envelope, secret: str) -> str:
    return _joined(f"HTTP {status}", _text(envelope, secret))


def _joined(ours: str, theirs: str) -> str:
    return f"{ours}: {theirs}" if theirs else ours


def _text(envelope: Envelope, secret: str) -> str:
    texts = (envelope.get(name) for name in _TEXTS)
    return next((clean(text, secret) for text in texts if isinstance(text, str) and text), "")


def _trace_id(envelope: Envelope, secret: str) -> str | None:
    trace_id = envelope.get("traceId")
    return clean(trace_id, secret) if isinstance(trace_id, str) and trace_id else None


def clean(text: str, secret: str) -> str:
    """Make a stranger's text fit to show: the secret blotted out, invisible characters escaped, at most 300 characters.

    The secret is found as it is and as JSON, HTML and URLs write it.
    """
    if secret:
        forms = {secret, json.dumps(secret)[1:-1], html.escape(secret), quote(secret, safe="")}
        for form in sorted(forms, key=len, reverse=True):
            text = text.replace(form, "***")
    # Escaping only lengthens, so what is beyond the cut already need not be escaped.
    shown = "".join(map(_visible, text[: _LONGEST_TEXT + 1]))
    return shown if len(shown) <= _LONGEST_TEXT else shown[: _LONGEST_TEXT - 1] + "…"


def _visible(character: str) -> str:
    return f"\\u{ord(character):04x}" if unicodedata.category(character) in _INVISIBLE else character


def _retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds to wait that a 429 asks for (RFC 9110, 10.2.3), 0 to 60, or 1 where it does not say.

    A date counts from the answer's own Date header, so that no clock is needed and the two machines' clocks may differ.
    """
    said = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]+", said):
        return min(float(said), _LONGEST_WAIT)
    from email.utils import parsedate_to_datetime

    try:
        wait = (parsedate_to_datetime(said) - parsedate_to_datetime(headers.get("date", ""))).total_seconds()
    except (TypeError, ValueError, OverflowError):
        return _DEFAULT_WAIT
    return max(0.0, min(wait, _LONGEST_WAIT))
