"""The lineages that a config names: read from the root's files, and held against what the manifests declare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from reconciler.core.lineage import Lineage
from reconciler.errors import Problem
from reconciler.manifests.lineage import LineageFile, misspelled, read_lineage
from reconciler.manifests.marks import Document
from reconciler.manifests.quoting import escaped, quoted

Declared = Mapping[str | None, Mapping[str, str]]
"""The tables that manifests declare, by target, each with a file that does."""


@dataclass(frozen=True, slots=True)
class Named:
    """A target's lineage file, and where the config names it."""

    target: str
    file: str
    place: tuple[int, int]


def named_in(config: Document) -> Iterator[Named]:
    """Yield the lineages that a config names, a bad one too: those files are no manifests in any case."""
    targets = config.value.get("targets") if isinstance(config.value, dict) else None
    for target, fields in targets.items() if isinstance(targets, dict) else ():
        file = fields.get("lineage") if isinstance(fields, dict) else None
        if isinstance(file, str) and file != config.file:
            yield Named(target, file, config.place(("targets", target, "lineage")))


def read_lineages(
    config: str, named: Sequence[Named], files: Mapping[str, bytes], declared: Declared
) -> tuple[dict[str, Lineage], list[Problem]]:
    """Return the lineages of targets, and what is wrong with them; `config` is the file that names them.

    A lineage that has an error is missing. A file that several targets name is read once.
    """
    read = {file: read_lineage(file, files[file]) for file in sorted({each.file for each in named}) if file in files}
    problems = [problem for lineage in read.values() for problem in lineage.problems]
    made = {file: Lineage(lineage.edges) for file, lineage in read.items() if lineage.edges is not None}
    for each in named:
        problems += _check(config, each, read.get(each.file), declared)
    return {each.target: made[each.file] for each in named if each.file in made}, list(dict.fromkeys(problems))


def _check(config: str, named: Named, lineage: LineageFile | None, declared: Declared) -> Iterator[Problem]:
    """Yield what is wrong between a lineage and the manifests: none there, other spellings, no table in common."""
    where, tables = f"targets.{named.target}.lineage", declared.get(named.target, {})
    if lineage is None:
        message = f"there is no file {quoted(named.file)} in the root"
        hint = "write it, correct its path, or remove `lineage`"
        yield Problem(config, *named.place, where, message, hint)
    elif lineage.edges is not None:
        yield from misspelled(named.file, lineage, tables, named.target)
        if declared and tables.keys().isdisjoint(lineage.places):
            message = f"has no effect: no manifest declares a table of {escaped(named.file)} on {named.target}"
            hint = "write its tables as the manifests do, or remove `lineage`"
            yield Problem(config, *named.place, where, message, hint, "warning")
