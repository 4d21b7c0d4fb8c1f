"""State files as JSON Lines: written the one canonical way, read so that no damage passes for an empty file."""

from __future__ import annotations

import json
from collections.abc import Iterable

from reconciler.core.call import canonical
from reconciler.errors import InvalidInput, Problem


class DamagedState(InvalidInput):
    """A state file that cannot be trusted. `problem` names the file and the line."""

    def __init__(self, path: str, line: int, message: str, hint: str = "") -> None:
        """`hint` is a further way out, on a line of its own."""
        self.problem = Problem(
            file=path,
            line=line,
            column=1,
            path="",
            message=f"the state file is damaged: {message}",
            hint="state is never repaired by guessing: find the commit that changed it with "
            f"`git log -p -- '*{path}'` on the state branch, and put the file back as it was before"
            + (f"\n{hint}" if hint else ""),
        )
        super().__init__(f"{path}:{line}: {self.problem.message}", self.problem.hint, (self.problem,))


def write_lines(values: Iterable[object]) -> bytes:
    """Write each value as one canonical line."""
    return "".join(canonical(value) + "\n" for value in values).encode()


def read_lines(path: str, data: bytes, known: tuple[int, ...] = (1,)) -> tuple[tuple[bytes, dict[str, object]], ...]:
    """Return each line's bytes and object. `path` names the file in complaints.

    Raises DamagedState for an empty file, a cut-off last line, anything that is no JSON object, a key twice, other
    than canonical writing (which shows CRLF rewrites and conflict markers), and a header whose version is not `known`.
    """
    if not data:
        raise DamagedState(path, 1, "it is empty")
    lines = data.split(b"\n")
    if lines.pop():
        raise DamagedState(path, len(lines) + 1, "its last line is cut short")
    found = []
    for number, line in enumerate(lines, 1):
        if line.startswith((b"<<<<<<<", b"=======", b">>>>>>>", b"|||||||")):
            raise DamagedState(path, number, "it holds merge-conflict markers")
        value = _object(path, number, line)
        if _rewritten(value) != line:
            raise DamagedState(path, number, "the line is not as the reconciler writes it")
        found.append((line, value))
    version = found[0][1].get("version")
    if type(version) is not int or version not in known:
        versions = ", ".join(map(str, known))
        raise DamagedState(path, 1, f"its first line names no version that this reconciler knows ({versions})")
    return tuple(found)


def _object(path: str, number: int, line: bytes) -> dict[str, object]:
    try:
        value = _DECODER.decode(line.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, _Twice) else "the line is not JSON"
        raise DamagedState(path, number, reason) from None
    if not isinstance(value, dict):
        raise DamagedState(path, number, "the line is not a JSON object")
    return value


def _rewritten(value: dict[str, object]) -> bytes | None:
    """Return the canonical line of a value, None for a value that has none: infinity, half a surrogate pair."""
    try:
        return canonical(value).encode()
    except (ValueError, RecursionError):
        return None


class _Twice(ValueError):
    """A key that stands twice in one object."""


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Twice("a key stands twice in the line")
    return value


def _refuse(name: str) -> object:
    raise ValueError(name)


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)


def text_field(value: dict[str, object], name: str) -> str:
    """Return a field that has to be text. Raises ValueError otherwise."""
    field = value.get(name)
    if not isinstance(field, str):
        raise ValueError(f"{name} is not text")
    return field


def optional_text(value: dict[str, object], name: str) -> str | None:
    """Return a field that has to be text or null. Raises ValueError otherwise."""
    return None if value.get(name) is None else text_field(value, name)


def texts_field(value: dict[str, object], name: str) -> tuple[str, ...]:
    """Return a field that has to be a list of texts. Raises ValueError otherwise."""
    field = value.get(name)
    if not isinstance(field, list) or not all(isinstance(item, str) for item in field):
        raise ValueError(f"{name} is not a list of texts")
    return tuple(field)


def refuse_other_keys(value: dict[str, object], known: frozenset[str]) -> None:
    """Raise ValueError where the object has a key that the format does not know."""
    other = sorted(value.keys() - known)
    if other:
        raise ValueError(f"it has an unknown field, {other[0][:40]!r}")
