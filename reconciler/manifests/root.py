"""All files of a root to its config and its requests, with every problem of every file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.core.change import Key
from reconciler.core.config import Config
from reconciler.core.progress import SILENT, Progress, each
from reconciler.core.request import Declared, Rules
from reconciler.core.spelling import folded
from reconciler.errors import Problem
from reconciler.manifests import table_name
from reconciler.manifests.backfill import Manifest, read_backfill
from reconciler.manifests.config import read_config
from reconciler.manifests.findings import Findings
from reconciler.manifests.lineages import Named, named_in, read_lineages
from reconciler.manifests.marks import Document, Value
from reconciler.manifests.quoting import escaped, quoted
from reconciler.manifests.rules import Source, rules_of
from reconciler.manifests.shape import check_shape
from reconciler.manifests.yaml_text import load

CONFIG = "reconciler.yaml"
"""The file of the config, in the root itself."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a root says. `config` and `declared` are None where there is an error in them.

    `problems` are all problems of all files, sorted by file, line and column. `manifests` counts Backfill documents,
    the bad ones too, and a file that holds nothing readable as one; `requests` counts their entries.
    """

    config: Config | None
    declared: Declared | None
    problems: tuple[Problem, ...]
    manifests: int
    requests: int


def is_manifest_path(path: str) -> bool:
    """Say whether a file of the root, its path relative to it with `/`, is read: YAML, and in no dot-folder."""
    folders = path.split("/")[:-1]
    return path.lower().endswith((".yaml", ".yml")) and not any(folder.startswith(".") for folder in folders)


def read_root(files: Mapping[str, bytes], unread: Iterable[Problem] = (), progress: Progress = SILENT) -> Reading:
    """Read the files of a root: paths relative to it with `/`, and their content. Raises nothing for what they hold.

    `unread` are the problems of files that are there and could not be read: of a lineage among them no more is said.
    Where the config is bad, the manifests are still checked, as far as that goes without it.
    """
    config, named, problems = _read_config_file(files.get(CONFIG))
    misnamed = {(problem.line, problem.column) for problem in problems}
    entries, reading = _read_manifests(files, config, named, problems, progress)
    refused = {problem.file for problem in unread}
    sound = [each for each in named if each.place not in misnamed and each.file not in refused]
    lineages, found = read_lineages(CONFIG, sound, files, _tables(entries) if config else {})
    failed = any(problem.severity == "error" for problem in found)
    declared = replace(reading.declared, lineage=lineages) if reading.declared and not failed else None
    return replace(reading, declared=declared, problems=tuple(sorted((*reading.problems, *found))))


def read_requests(files: Mapping[str, bytes]) -> Reading:
    """Read some files of a root as `read_root` does, for their requests alone: of lineages nothing is said."""
    config, named, problems = _read_config_file(files.get(CONFIG))
    return _read_manifests(files, config, named, problems)[1]


def _read_manifests(
    files: Mapping[str, bytes],
    config: Config | None,
    named: Iterable[Named],
    problems: list[Problem],
    progress: Progress = SILENT,
) -> tuple[list[_Entry], Reading]:
    """Read all files but the config and the lineages; `problems` are those of the config."""
    entries: list[_Entry] = []
    unread = 0
    manifests = sorted(files.keys() - {CONFIG, *(each.file for each in named)})
    with each(progress, "validating", manifests, "file") as some:
        for file in some:
            read, refused = _read_manifest_file(file, files[file], config)
            entries += read
            problems += refused
            unread += not read and bool(refused)
    if not manifests:
        hint = "write one with: reconciler new TABLE; or name another folder with --root"
        problems.append(Problem("", 0, 0, "", "the root holds no manifests", hint, "warning"))
    _check_names(entries)
    _check_spelling(entries)
    rules = _rules(entries, config) if config else {}
    problems += (problem for entry in entries for problem in entry.findings.problems)
    requests = tuple(request for entry in entries for request in entry.manifest.requests)
    failed = config is None or any(problem.severity == "error" for problem in problems)
    return entries, Reading(
        config=config,
        declared=None if failed else Declared(len(entries), requests, rules),
        problems=tuple(sorted(problems)),
        manifests=len(entries) + unread,
        requests=sum(entry.manifest.entries for entry in entries),
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    """A manifest, and what is wrong with it."""

    findings: Findings
    manifest: Manifest


def _tables(entries: Iterable[_Entry]) -> dict[str | None, dict[str, str]]:
    """Return the tables that manifests declare, by target, with the file of the first that does."""
    found: dict[str | None, dict[str, str]] = {}
    for entry in entries:
        if entry.manifest.table is not None:
            tables = found.setdefault(entry.manifest.target, {})
            tables.setdefault(entry.manifest.table, entry.findings.document.file)
    return found


def _read_config_file(data: bytes | None) -> tuple[Config | None, list[Named], list[Problem]]:
    if data is None:
        hint = "write the file (kind: Config), or name another folder with --root"
        return None, [], [Problem(CONFIG, 0, 0, "", "the root has no config", hint)]
    loaded = load(CONFIG, data)
    named = [each for document in loaded.documents for each in named_in(document)]
    problems = list(loaded.problems)
    configs: list[Config | None] = []
    for document in loaded.documents:
        if _kind(document) == "Backfill":
            message, hint = "reconciler.yaml holds the Config alone", "move this manifest to another file"
            problems.append(_misplaced(document, message, hint))
            continue
        value, shape = check_shape(document, "config")
        findings = Findings(document, loaded.problems, shape)
        configs.append(read_config(value, findings))
        problems += findings.problems
        if len(configs) > 1:
            problems.append(_misplaced(document, "there is a Config already, further up", "keep one of the two"))
    failed = any(problem.severity == "error" for problem in problems)
    return None if failed or not configs else configs[0], named, problems


def _read_manifest_file(file: str, data: bytes, config: Config | None) -> tuple[list[_Entry], list[Problem]]:
    if not file.isprintable():
        message = "the file's name has characters that cannot be seen in a review"
        return [], [Problem(escaped(file, 200), 0, 0, "", message, "rename the file")]
    loaded = load(file, data)
    alone = sum(_kind(document) != "Config" for document in loaded.documents) == 1
    entries = []
    problems = list(loaded.problems)
    for document in loaded.documents:
        if _kind(document) == "Config":
            message, hint = "a Config is only read from reconciler.yaml in the root", f"move it to {CONFIG}"
            problems.append(_misplaced(document, message, hint))
            continue
        value, shape = check_shape(document, "backfill")
        findings = Findings(document, loaded.problems, shape)
        entries.append(_Entry(findings, read_backfill(value, findings, config, alone)))
    return entries, problems


def _kind(document: Document) -> Value | None:
    return document.value.get("kind") if isinstance(document.value, dict) else None


def _misplaced(document: Document, message: str, hint: str) -> Problem:
    line, column = document.place(("kind",))
    return Problem(document.file, line, column, "kind", message, hint)


def _rules(entries: list[_Entry], config: Config) -> dict[Key, Rules]:
    sources = []
    for entry in entries:
        manifest, requests = entry.manifest, entry.manifest.requests
        if requests and manifest.name is not None:
            key = (requests[0].target, requests[0].table)
            windows = tuple(request.windows for request in requests)
            sources.append(Source(entry.findings, manifest.name, key, manifest.written, windows, manifest.times))
    names = (entry.manifest.name for entry in entries)
    return rules_of(sources, [name for name in names if name is not None], config)


def _check_names(entries: list[_Entry]) -> None:
    seen: dict[str, Findings] = {}
    for entry in entries:
        findings, manifest = entry.findings, entry.manifest
        if manifest.name is None:
            continue
        first = seen.setdefault(manifest.name, findings)
        if first is not findings:
            message = f"the name {quoted(manifest.name)} is taken by {_where(first, 'metadata', 'name')}"
            findings.error(("metadata", "name"), message, "give one of the two another name")


def _check_spelling(entries: list[_Entry]) -> None:
    seen: dict[tuple[str | None, str], dict[str, Findings]] = {}
    for entry in entries:
        findings, manifest = entry.findings, entry.manifest
        if manifest.table is None:
            continue
        spellings = seen.setdefault((manifest.target, folded(manifest.table)), {})
        if spellings and manifest.table not in spellings:
            other, first = next(iter(spellings.items()))
            how = table_name.difference(manifest.table, other)
            message = f"differs only in {how} from {quoted(other)} in {_where(first, 'spec', 'tableName')}"
            hint = "if both mean one table, write both alike: each spelling has a ledger of its own"
            findings.warning(("spec", "tableName"), f"{quoted(manifest.table)} {message}", hint)
        spellings.setdefault(manifest.table, findings)


def _where(findings: Findings, *path: str) -> str:
    line, _ = findings.document.place(path)
    return f"{findings.document.file}:{line}"
