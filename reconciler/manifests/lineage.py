"""A lineage file: a plain mapping of tables to their direct downstreams, and what is wrong with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

from reconciler.core.lineage import Edges, cycles
from reconciler.core.spelling import folded
from reconciler.errors import Problem, Severity
from reconciler.manifests import table_name
from reconciler.manifests.marks import Document, ListMarks, MapMarks, Mark, Value, is_plain, unpack
from reconciler.manifests.quoting import escaped, quoted
from reconciler.manifests.yaml_text import load

_REPORTED = 100
_MOST_CYCLES = 10
_SHOWN = 6
_LIKE = "write it like `catalog.ods.ORDERS: [catalog.dwd.FACT_SALES]`"
_NAME_HINT = "parts of letters, digits, _, - and $, joined by dots; backticks may wrap parts: catalog.db.table"
_SPELLING = "if both mean one table, write both alike: another spelling is another table"


@dataclass(frozen=True, slots=True)
class LineageFile:
    """What a lineage file says: its edges, where each table is written first, and its problems.

    `edges` are None where there is an error. What lies in between may be declared by no manifest.
    """

    edges: Edges | None
    places: Mapping[str, tuple[int, int]]
    problems: tuple[Problem, ...]


def read_lineage(file: str, data: bytes) -> LineageFile:
    """Read a lineage file, whose content is `data`. Raises nothing for what it holds."""
    loaded = load(file, data, f"{_LIKE}, or delete it and remove `lineage` from the config")
    reader = _Reader(file, [*loaded.problems])
    for number, document in enumerate(loaded.documents):
        if number:
            reader.add(document.place(()), "a lineage is one document", "put all tables into the first")
        else:
            reader.read(document)
    failed = any(problem.severity == "error" for problem in reader.problems)
    return LineageFile(None if failed else reader.edges, reader.places, tuple(reader.problems))


@dataclass(slots=True)
class _Reader:
    """Takes a file's tables one after another, and collects edges, places and problems."""

    file: str
    problems: list[Problem]
    edges: dict[str, tuple[str, ...]] = field(default_factory=dict)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    told: Counter[Severity] = field(default_factory=Counter)

    @property
    def full(self) -> bool:
        """Say whether there are more errors than are told: the rest of the file is not worth looking at."""
        return self.told["error"] > _REPORTED

    def add(self, place: tuple[int, int], message: str, hint: str, severity: Severity = "error") -> None:
        """Add a problem; of errors and of warnings, the first ones each, and that there are more."""
        told = self.told[severity]
        if told > _REPORTED:
            return
        if told == _REPORTED:
            message, hint = f"there are more {severity}s in this file", "mend those above first"
        self.told[severity] += 1
        self.problems.append(Problem(self.file, *place, "", message, hint, severity))

    def read(self, document: Document) -> None:
        value, marks = document.value, document.marks
        if not isinstance(value, dict) or not isinstance(marks, MapMarks):
            what = "a list" if isinstance(value, list) else "text"
            self.add(document.place(()), f"must be a mapping of tables to lists of tables, not {what}", _LIKE)
        elif isinstance(value.get("kind"), str):
            message = f"a lineage is expected here, not a document of kind {quoted(str(value['kind']))}"
            hint = "a lineage is a plain mapping; name another file in `lineage` of reconciler.yaml, or move this one"
            self.add(document.key_place((), "kind"), message, hint)
        else:
            for table, below in value.items():
                self._table(table, unpack(marks.keys[table]))
                self._list(table, below, document)
                if self.full:
                    return
            self._cycles(document)
            self._spelling()

    def _table(self, table: str, place: tuple[int, int]) -> bool:
        """Note where a table is written; False, with a problem, where it is not the name of one."""
        if table in self.places:
            return True
        complaint = table_name.complaint(table)
        if complaint:
            self.add(place, f"{quoted(table)} {complaint}", _NAME_HINT)
            return False
        self.places[table] = place
        mixed = table_name.mixed_part(table)
        if mixed:
            message = f"the part {quoted(mixed)} mixes scripts; some of its letters may only look like others"
            self.add(place, message, "type the name anew, or copy it from the scheduler", "warning")
        return True

    def _list(self, table: str, below: Value, document: Document) -> None:
        marks = document.mark((table,))
        if not isinstance(below, list) or not isinstance(marks, ListMarks):
            what = "a mapping" if isinstance(below, dict) else "empty" if _is_null(below, marks) else "text"
            message = f"the downstreams of {escaped(table)} must be a list of tables; this is {what}"
            self.add(unpack(marks), message, f"{_LIKE}, or leave the table out")
            return
        seen: dict[str, None] = {}
        for item, mark in zip(below, marks.items, strict=True):
            place = unpack(mark)
            if self.full:
                return
            if not isinstance(item, str) or _is_null(item, mark):
                self.add(place, "is not the name of a table", _LIKE)
            elif item == table:
                self.add(place, f"{escaped(table)} is listed as its own downstream", "remove it")
            elif item in seen:
                self.add(place, f"{escaped(item)} is in the list twice", "remove one of them")
            elif self._table(item, place):
                seen[item] = None
        self.edges[table] = tuple(seen)

    def _cycles(self, document: Document) -> None:
        for cycle in cycles(self.edges, _MOST_CYCLES):
            last, first = cycle[-1], cycle[0]
            value, marks = self._raw(document, last)
            place = unpack(marks.items[value.index(first)])
            hint = "no table can lie downstream of itself: remove one of these edges"
            self.add(place, f"the lineage has a cycle: {_shown(cycle)}", hint)

    def _raw(self, document: Document, table: str) -> tuple[list[Value], ListMarks]:
        value, marks = document.value, document.mark((table,))
        below = value[table] if isinstance(value, dict) else []
        return (below, marks) if isinstance(below, list) and isinstance(marks, ListMarks) else ([], ListMarks(0, []))

    def _spelling(self) -> None:
        spelled: dict[str, str] = {}
        for table, place in self.places.items():
            other = spelled.setdefault(folded(table), table)
            if other != table:
                how = table_name.difference(table, other)
                where = f"{self.file}:{self.places[other][0]}"
                message = f"{quoted(table)} differs only in {how} from {quoted(other)} in {where}"
                self.add(place, message, _SPELLING, "warning")


def _is_null(value: Value, mark: Mark) -> bool:
    return value == "" or (value in ("~", "null", "Null", "NULL") and is_plain(mark))


def _shown(cycle: tuple[str, ...]) -> str:
    """Write a cycle; of a long one the begin and the end."""
    names = [escaped(name) for name in (*cycle, cycle[0])]
    if len(names) > 2 * _SHOWN:
        names = [*names[:_SHOWN], f"… {len(names) - 2 * _SHOWN:,} more …", *names[-_SHOWN:]]
    return " -> ".join(names)


def misspelled(file: str, lineage: LineageFile, declared: Mapping[str, str], target: str) -> Iterator[Problem]:
    """Yield a warning for each table of a lineage that looks like one that a target's manifests declare, and is not it.

    `declared` has the files of the tables by name. Other tables that nobody declares are no problem: they lie between.
    """
    spelled = {folded(table): table for table in sorted(declared, reverse=True)}
    odd = (table for table in lineage.places if table not in declared and folded(table) in spelled)
    for table in islice(odd, _REPORTED):
        near = spelled[folded(table)]
        how = table_name.difference(table, near)
        message = f"{quoted(table)} differs only in {how} from {quoted(near)}, which {declared[near]} declares"
        hint = f"did you mean {escaped(near)}? On {target} the lineage says nothing of that table as it stands"
        yield Problem(file, *lineage.places[table], "", message, hint, "warning")
