"""A forge's JSON, read into typed values: whatever it holds, the answer is a value or a ForgeFailure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from reconciler.errors import ForgeFailure

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_LINK = re.compile(r"https?://[!-~]{1,2000}")


def read_json(body: bytes, about: str) -> object:
    """Read a document. Keys given twice, NaN, and texts that are no Unicode are refused as other nonsense is."""
    with suppress(ValueError, RecursionError):
        value: object = json.loads(body.decode("utf-8"), object_pairs_hook=_without_twins, parse_constant=_no_constant)
        return value
    # Raised out here, so that the parser's exception, which holds the whole text, is no part of ours.
    raise ForgeFailure(f"{about} is not JSON", "is this address the API of the forge? try again later")


def _without_twins(pairs: list[tuple[str, object]]) -> dict[str, object]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a key is given twice")
    return fields


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


@dataclass(frozen=True, slots=True)
class Record:
    """A JSON object. `about` says for messages what it is: `GitHub's answer about the reviews of #7`."""

    fields: Mapping[str, object]
    about: str

    @classmethod
    def of(cls, value: object, about: str) -> Self:
        """Take a value for an object. Raises ForgeFailure where it is none."""
        if not isinstance(value, dict):
            raise _unlike(about)
        return cls(value, about)

    def text(self, name: str) -> str:
        """Return a text that is not empty."""
        value = self.fields.get(name)
        if not isinstance(value, str) or not value or not _is_unicode(value):
            raise _unlike(self.about, name)
        return value

    def maybe_text(self, name: str) -> str:
        """Return a text, "" for null or where there is none."""
        return self.text(name) if self.fields.get(name) not in (None, "") else ""

    def number(self, name: str) -> int:
        """Return a whole number from 0 to what 63 bits hold."""
        value = self.fields.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:
            raise _unlike(self.about, name)
        return value

    def truth(self, name: str) -> bool:
        """Return true or false, false where there is none."""
        value = self.fields.get(name)
        if not isinstance(value, bool | None):
            raise _unlike(self.about, name)
        return bool(value)

    def commit(self, name: str) -> str:
        """Return the full name of a commit."""
        value = self.text(name)
        if not _COMMIT.fullmatch(value):
            raise _unlike(self.about, name)
        return value

    def maybe_commit(self, name: str) -> str | None:
        return self.commit(name) if self.fields.get(name) is not None else None

    def link(self, name: str) -> str:
        """Return a web address in printable ASCII."""
        value = self.text(name)
        if not _LINK.fullmatch(value):
            raise _unlike(self.about, name)
        return value

    def time(self, name: str) -> datetime:
        """Return an instant, as ISO 8601 with an offset."""
        try:
            value = datetime.fromisoformat(self.text(name))
        except ValueError:
            raise _unlike(self.about, name) from None
        if value.tzinfo is None:
            raise _unlike(self.about, name)
        return value

    def record(self, name: str) -> Record:
        """Return the object under a name."""
        value = self.fields.get(name)
        if not isinstance(value, dict):
            raise _unlike(self.about, name)
        return Record(value, self.about)

    def maybe_record(self, name: str) -> Record | None:
        """Return the object under a name; None for null, for {} and where there is none."""
        return self.record(name) if self.fields.get(name) not in (None, {}) else None

    def records(self, name: str) -> tuple[Record, ...]:
        """Return the list of objects under a name."""
        return records(self.fields.get(name), self.about)


def records(value: object, about: str) -> tuple[Record, ...]:
    """Take a value for a list of objects. Raises ForgeFailure where it is none."""
    if not isinstance(value, list):
        raise _unlike(about)
    return tuple(Record.of(item, about) for item in value)


def is_commit(text: str) -> bool:
    """Tell whether a text is the full name of a commit, in lower case."""
    return _COMMIT.fullmatch(text) is not None


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _unlike(about: str, name: str = "") -> ForgeFailure:
    part = f", by its {name}" if name else ""
    return ForgeFailure(f"{about} is not as documented{part}", "is this address the API of the forge? try again later")
