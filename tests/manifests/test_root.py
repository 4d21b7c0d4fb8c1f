"""A whole root: config and manifests together, and what is wrong with the set of them."""

from __future__ import annotations

from reconciler.core.request import Declared
from reconciler.manifests.quoting import code_point, escaped, quoted
from reconciler.manifests.root import is_manifest_path, read_root
from tests.manifests.roots import CONFIG, MANIFEST, changed, only, read


def test_a_root_without_a_config_is_a_problem_and_manifests_are_still_checked() -> None:
    bad = changed(MANIFEST, "05:00:00", "00:00:00")
    reading = read_root({"sales/a.yaml": bad.encode()})
    assert [problem.file for problem in reading.problems] == ["reconciler.yaml", "sales/a.yaml"]
    assert "--root" in reading.problems[0].hint
    assert (reading.config, reading.declared) == (None, None)


def test_a_root_without_manifests_is_begun_so_it_gets_a_warning_with_a_way_out() -> None:
    reading = read()
    problem = only(reading)
    assert problem.severity == "warning"
    assert "reconciler new" in problem.hint
    assert "--root" in problem.hint
    assert reading.config is not None
    assert reading.declared == Declared(0, ())


def test_a_bad_config_gives_no_requests_but_no_follow_on_problems_either() -> None:
    reading = read(changed(CONFIG, "defaultTarget: demo", "defaultTarget: dem"), a=MANIFEST)
    assert only(reading).path == "defaultTarget"
    assert reading.declared is None


def test_a_bad_manifest_leaves_the_config_standing() -> None:
    reading = read(a=MANIFEST, b="kind: Backfill\n")
    assert reading.config is not None
    assert reading.declared is None
    assert {problem.file for problem in reading.problems} == {"b.yaml"}


def test_a_config_anywhere_else_is_refused() -> None:
    reading = read_root(
        {"reconciler.yaml": CONFIG.encode(), "a.yaml": MANIFEST.encode(), "sales/reconciler.yaml": CONFIG.encode()}
    )
    problem = only(reading)
    assert (problem.file, problem.line, problem.hint) == ("sales/reconciler.yaml", 2, "move it to reconciler.yaml")


def test_a_manifest_in_the_configs_file_is_refused() -> None:
    problem = only(read(CONFIG + "---\n" + MANIFEST, a=changed(MANIFEST, "name: orders", "name: a")))
    assert (problem.file, problem.path) == ("reconciler.yaml", "kind")


def test_the_name_of_a_manifest_is_unique_in_the_root() -> None:
    problem = only(read(a=MANIFEST, b=MANIFEST))
    assert (problem.file, problem.line, problem.column) == ("b.yaml", 4, 9)
    assert 'the name "orders" is taken by a.yaml:4' in problem.message


def test_documents_and_entries_are_counted_the_bad_ones_too() -> None:
    good = read(a=MANIFEST + "---\n" + changed(MANIFEST, "name: orders", "name: more"))
    assert (good.manifests, good.requests) == (2, 6)
    assert good.declared is not None
    assert good.declared.manifests == 2
    bad = read(a=changed(MANIFEST, "  owner:", "  ownr:"), b="[", c="")
    assert (bad.manifests, bad.requests) == (3, 3)


def test_a_file_name_that_cannot_be_seen_is_refused() -> None:
    problem = only(read_root({"reconciler.yaml": CONFIG.encode(), "sales/a\n\u202e.yaml": MANIFEST.encode()}))
    assert problem.file == "sales/a\\n\\u202e.yaml"


def test_only_yaml_outside_of_dot_folders_is_read() -> None:
    read_paths = [path for path in ("a.yaml", "b/c.yml", "b/D.YAML", ".e.yaml") if is_manifest_path(path)]
    assert read_paths == ["a.yaml", "b/c.yml", "b/D.YAML", ".e.yaml"]
    assert not any(map(is_manifest_path, ("a.json", ".state/a.yaml", "b/.c/d.yaml", "yaml")))


def test_the_order_of_the_files_changes_nothing() -> None:
    files = {"reconciler.yaml": CONFIG.encode(), "b.yaml": MANIFEST.encode(), "a.yaml": b"a: 1"}
    assert read_root(files) == read_root(dict(reversed(files.items())))


def test_shown_text_is_escaped_and_cut() -> None:
    assert quoted('a"\\\n\t\r\x1b\u202e\u3164\U000e0041é') == '"a\\"\\\\\\n\\t\\r\\x1b\\u202e\\u3164\\U000e0041é"'
    assert escaped("x" * 100) == "x" * 80 + "…"
    assert code_point("\u00ad") == "U+00AD SOFT HYPHEN"
