"""All files of a root to its config and its requests, with every problem of every file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from reconciler.cache import Cache
from reconciler.core.change import Key
from reconciler.core.config import Config
from reconciler.core.progress import SILENT, Progress
from reconciler.core.request import Declared, Rules
from reconciler.core.spelling import folded
from reconciler.errors import Problem
from reconciler.manifests import table_name
from reconciler.manifests.backfill import Manifest
from reconciler.manifests.config import read_config
from reconciler.manifests.files import CONFIG, Entry, kind_of, misplaced, read_files
from reconciler.manifests.findings import Findings
from reconciler.manifests.lineages import Named, named_in, read_lineages
from reconciler.manifests.quoting import quoted
from reconciler.manifests.rules import UNWRITTEN, Source, rules_of
from reconciler.manifests.shape import check_shape
from reconciler.manifests.yaml_text import load
from reconciler.parallel import uncollected

__all__ = ["CONFIG", "Reading", "config_of", "is_manifest_path", "read_requests", "read_root"]


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


def read_root(
    files: Mapping[str, bytes],
    unread: Iterable[Problem] = (),
    progress: Progress = SILENT,
    cache: Cache | None = None,
) -> Reading:
    """Read the files of a root: paths relative to it with `/`, and their content. Raises nothing for what they hold.

    `unread` are the problems of files that are there and could not be read: of a lineage among them no more is said.
    Where the config is bad, the manifests are still checked, as far as that goes without it. What sound files say is
    taken from the cache, and put there; whoever opened it saves it.
    """
    with uncollected():
        config, named, problems = _read_config_file(files.get(CONFIG))
        misnamed = {(problem.line, problem.column) for problem in problems}
        entries, reading = _read_manifests(files, config, named, problems, progress, cache)
        refused = {problem.file for problem in unread}
        sound = [each for each in named if each.place not in misnamed and each.file not in refused]
        lineages, found = read_lineages(CONFIG, sound, files, _tables(entries) if config and sound else {})
        failed = any(problem.severity == "error" for problem in found)
        declared = replace(reading.declared, lineage=lineages) if reading.declared and not failed else None
        return replace(reading, declared=declared, problems=tuple(sorted((*reading.problems, *found))))


def config_of(files: Mapping[str, bytes]) -> tuple[Config | None, tuple[Problem, ...]]:
    """Return the config of a root, None where there is an error in it, and the problems of its file."""
    config, named, problems = _read_config_file(files.get(CONFIG))
    misnamed = {(problem.line, problem.column) for problem in problems}
    _, found = read_lineages(CONFIG, [each for each in named if each.place not in misnamed], files, {})
    return config, tuple(sorted(problem for problem in (*problems, *found) if problem.file == CONFIG))


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
    cache: Cache | None = None,
) -> tuple[list[Entry], Reading]:
    """Read all files but the config and the lineages; `problems` are those of the config."""
    manifests = sorted(files.keys() - {CONFIG, *(each.file for each in named)})
    read = read_files(files, manifests, config, cache, progress)
    entries = [entry for each in read for entry in each.entries]
    problems += (problem for each in read for problem in each.problems)
    unread = sum(1 for each in read if not each.entries and each.problems)
    if not manifests:
        hint = "write one with: reconciler new TABLE; or name another folder with --root"
        problems.append(Problem("", 0, 0, "", "the root holds no manifests", hint, "warning"))
    _check_names(entries)
    _check_spelling(entries)
    rules = _rules(entries, config) if config else {}
    problems += (problem for entry in entries for problem in entry.findings.problems)
    requests = tuple([request for entry in entries for request in entry.manifest.requests])
    failed = config is None or any(problem.severity == "error" for problem in problems)
    return entries, Reading(
        config=config,
        declared=None if failed else Declared(len(entries), requests, rules),
        problems=tuple(sorted(problems)),
        manifests=len(entries) + unread,
        requests=sum(entry.manifest.entries for entry in entries),
    )


def _tables(entries: Iterable[Entry]) -> dict[str | None, dict[str, str]]:
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
        if kind_of(document) == "Backfill":
            message, hint = "reconciler.yaml holds the Config alone", "move this manifest to another file"
            problems.append(misplaced(document, message, hint))
            continue
        value, shape = check_shape(document, "config")
        findings = Findings(document, loaded.problems, shape)
        configs.append(read_config(value, findings))
        problems += findings.problems
        if len(configs) > 1:
            problems.append(misplaced(document, "there is a Config already, further up", "keep one of the two"))
    failed = any(problem.severity == "error" for problem in problems)
    return None if failed or not configs else configs[0], named, problems


def _rules(entries: list[Entry], config: Config) -> dict[Key, Rules]:
    valid = [(entry, entry.manifest.name) for entry in entries if entry.manifest.requests]
    tables = {name: _key(manifest) for (_, manifest), name in valid if name is not None}
    writing = [manifest for (_, manifest), _ in valid if manifest.written is not UNWRITTEN]
    named = {name for manifest in writing for name in manifest.written.depends_on}
    concerned = {*map(_key, writing), *(tables[name] for name in named if name in tables)}
    sources = [
        Source(findings, name, _key(manifest), manifest.written, manifest.requests, manifest.times)
        for (findings, manifest), name in valid
        if name is not None and _key(manifest) in concerned
    ]
    names = (entry.manifest.name for entry in entries)
    return rules_of(sources, tables, [name for name in names if name is not None], config)


def _key(manifest: Manifest) -> Key:
    """Return the table that a valid manifest is about."""
    return manifest.requests[0].target, manifest.requests[0].table


def _check_names(entries: list[Entry]) -> None:
    names = [entry.manifest.name for entry in entries]
    if len(set(names)) == len(names):
        return
    seen: dict[str, Findings] = {}
    for entry in entries:
        findings, manifest = entry.findings, entry.manifest
        if manifest.name is None:
            continue
        first = seen.setdefault(manifest.name, findings)
        if first is not findings:
            message = f"the name {quoted(manifest.name)} is taken by {_where(first, 'metadata', 'name')}"
            findings.error(("metadata", "name"), message, "give one of the two another name")


def _check_spelling(entries: list[Entry]) -> None:
    tables = {(entry.manifest.target, entry.manifest.table) for entry in entries}
    if len({(target, folded(table or "")) for target, table in tables}) == len(tables):
        return
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
