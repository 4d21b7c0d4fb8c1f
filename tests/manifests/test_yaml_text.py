"""The strict loader: what it keeps as written, where it says that things are, and what it refuses."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from reconciler.manifests.marks import Document, Path, Value, is_plain
from reconciler.manifests.text import hidden_character
from reconciler.manifests.yaml_text import Loaded, load


def _load(text: str | bytes) -> Loaded:
    return load("a.yaml", text.encode() if isinstance(text, str) else text)


def _document(text: str) -> Document:
    loaded = _load(text)
    assert loaded.problems == ()
    assert len(loaded.documents) == 1
    return loaded.documents[0]


@pytest.mark.parametrize(
    "written",
    [
        "2026-01-20 01:00:00",
        "2026-01-20",
        "1:30:00",
        "yes",
        "null",
        "~",
        "012",
        "0x1F",
        "1_000",
        "1.0",
        "=",
        ".nan",
        "1e3",
    ],
)
def test_a_scalar_stays_as_it_is_written(written: str) -> None:
    assert _document(f"a: {written}\nb: ['{written}']\n").value == {"a": written, "b": [written]}


def _text_at(lines: list[str], place: tuple[int, int]) -> str:
    line, column = place
    return lines[line - 1][column - 1 :]


def _check_places(document: Document, value: Value, path: Path, lines: list[str]) -> int:
    """Check that every key and every plain scalar below `path` starts where its place says; count them."""
    if isinstance(value, str):
        assert _text_at(lines, document.place(path)).lstrip("\"'").startswith(value[:10])
        return 1
    if isinstance(value, list):
        return sum(_check_places(document, item, (*path, at), lines) for at, item in enumerate(value))
    for key in value:
        assert _text_at(lines, document.key_place(path, key)).lstrip("\"'").startswith(key)
    return sum(1 + _check_places(document, item, (*path, key), lines) for key, item in value.items())


PLACES = """\
# 订单 first
"quoted key": {flow: [one, 'two', "three"], 名: 值}
block:
    - - deep one
      - deep two
    -   key: spaced
        'other':   "far away"
    - {a: b,
       c: d}
  # a comment
? explicit
: yes
"""


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_every_value_and_every_key_has_its_place(line_end: str, mark: str) -> None:
    document = _document(mark + PLACES.replace("\n", line_end))
    assert _check_places(document, document.value, (), PLACES.split("\n")) == 20


def test_a_missing_value_has_the_place_of_what_is_around_it() -> None:
    document = _document("a:\n  b: c\n")
    assert document.place(("a", "nothing", 3)) == (2, 3)
    assert document.key_place(("a",), "nothing") == (2, 3)


@pytest.mark.parametrize("value", ["*/15 * * * *", "* * * * *", "? 0 * * *", "@daily"])
@pytest.mark.parametrize("text", ["spec:\n  schedule: {}\n", "spec: {{a: b, schedule: {}}}\n"])
def test_a_schedule_without_quotes_that_need_be_is_told_to_have_them(text: str, value: str) -> None:
    (problem, *_) = _load(text.format(value)).problems
    assert problem.hint == 'put the expression in quotes, as in "0 0 * * * ?"'
    (other, *_) = _load(text.format(value).replace("schedule", "tableName")).problems
    assert "expression" not in other.hint


def test_quotes_are_remembered() -> None:
    document = _document("a: 1\nb: '1'\nc: |\n  1\n")
    assert [is_plain(document.mark((key,))) for key in "abc"] == [True, False, False]


def test_several_documents_of_a_file_are_read() -> None:
    loaded = _load("a: 1\n---\nb: 2\n...\n---\nc: 3\n")
    assert [document.value for document in loaded.documents] == [{"a": "1"}, {"b": "2"}, {"c": "3"}]
    assert loaded.documents[2].place(("c",)) == (6, 4)
    assert loaded.problems == ()


def test_a_repeated_key_keeps_the_first_value_and_the_rest_is_still_read() -> None:
    loaded = _load("a: 1\na: {x: [2]}\nb: 3\n")
    assert loaded.documents[0].value == {"a": "1", "b": "3"}
    assert [(problem.line, problem.column) for problem in loaded.problems] == [(2, 1)]


def test_all_refusals_of_a_file_are_reported_at_once() -> None:
    loaded = _load("a: &x 1\nb: *x\nc: !t 2\na: 3\n<<: {d: 4}\n'': 5\n[k]: 6\n")
    assert [problem.line for problem in loaded.problems] == [1, 2, 3, 4, 5, 6, 7]
    assert loaded.documents == ()


def test_names_of_anchors_aliases_and_tags_are_not_repeated() -> None:
    loaded = _load("a: &s3cret 1\nb: *s3cret\nc: !s3cret 1\n")
    assert len(loaded.problems) == 3
    assert "s3cret" not in str(loaded.problems)


def test_a_bad_document_does_not_hide_the_others() -> None:
    loaded = _load("a: !x 1\n---\nb: 2\n")
    assert [document.value for document in loaded.documents] == [{"b": "2"}]


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? ", "[{a: "])
def test_nesting_without_end_is_one_clean_problem(opening: str) -> None:
    loaded = _load(opening * 20_000)
    assert loaded.documents == ()
    assert "deep" in loaded.problems[-1].message


def test_thirty_two_levels_are_read() -> None:
    assert _load("[" * 32 + "]" * 32).problems == ()
    assert len(_load("[" * 33 + "]" * 33).problems) == 1


@pytest.mark.parametrize(
    ("data", "named"),
    [
        ("a: b".encode("utf-16"), "UTF-16 (little-endian)"),
        ("a: b".encode("utf-16-be"), "UTF-16 (big-endian)"),
        ("a: b".encode("utf-32-le"), "UTF-32 (little-endian)"),
        (b"\0\0\xfe\xff" + "a: b".encode("utf-32-be"), "UTF-32 (big-endian)"),
        ("a: 数据".encode("gbk"), "GBK"),
        ("a: Käthe".encode("latin-1"), "Latin-1"),
        (b"a: \xff", "Latin-1"),
        (b"a: \x81", "no text in an encoding"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\n", "git-lfs"),
        (b"a: 1\r\n>>>>>>> feature\r\n", "merge conflict"),
    ],
)
def test_what_is_no_utf8_text_is_called_by_its_name(data: bytes, named: str) -> None:
    loaded = _load(data)
    assert loaded.documents == ()
    assert named in loaded.problems[0].message
    assert loaded.problems[0].hint


def test_the_place_of_a_bad_byte_is_counted_in_characters() -> None:
    problem = _load("\ufeff数: 1\n数据: ".encode() + b"\xff\n").problems[0]
    assert (problem.line, problem.column) == (2, 5)


@pytest.mark.parametrize(
    ("char", "named"),
    [
        ("\u00ad", "U+00AD SOFT HYPHEN"),
        ("\u200b", "U+200B ZERO WIDTH SPACE"),
        ("\u202e", "U+202E RIGHT-TO-LEFT OVERRIDE"),
        ("\u2028", "U+2028 LINE SEPARATOR"),
        ("\x85", "U+0085 NEXT LINE"),
        ("\x1b", "U+001B ESCAPE"),
        ("\x9f", "U+009F a control character"),
        ("\ufeff", "U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("\U000e0041", "U+E0041 TAG LATIN CAPITAL LETTER A"),
        ("\uffff", "U+FFFF a character without a name"),
    ],
)
def test_an_invisible_character_is_refused_by_name_raw_and_as_an_escape(char: str, named: str) -> None:
    raw = _load(f"数: x\n# 据 {char}\n").problems[0]
    assert named in raw.message
    assert (raw.line, raw.column) == (2, 5)
    escaped = _load(f'a: "\\U{ord(char):08x}"\n').problems[0]
    assert named in escaped.message
    assert (escaped.line, escaped.column) == (1, 4)


def test_every_control_and_format_character_of_unicode_is_known() -> None:
    every = (chr(code) for code in range(sys.maxunicode + 1))
    hidden = [char for char in every if unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp") and char not in "\t\n"]
    assert [hex(ord(char)) for char in hidden if hidden_character(f"a{char}b") != char] == []
    assert hidden_character("a\tb\nc é 数 \u00a0 \ufe0f \u0301") is None


def test_newline_and_tab_inside_a_value_are_fine() -> None:
    assert _document('a: "x\\n\\ty"\n').value == {"a": "x\n\ty"}


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("a:\n\tb: 1\n", 2, 1, "a tab"),
        ("a: `b`\n", 1, 4, "U+0060"),
        ("a: @b\n", 1, 4, "U+0040"),
        ("a: [b\nc: d\n", 2, 2, "bracket"),
        ('a: "b\n', 2, 1, "quote is not closed"),
        ("a: b: c\n", 1, 5, "`:`"),
        ("- a\nb: c\n", 2, 1, "list"),
        ('a: "\\q"\n', 1, 5, "backslash"),
        ("a: 1\n...\nb: 2\n", 3, 1, "after the document's end"),
        ("%FOO x\n---\na: 1\n", 1, 5, "directive"),
    ],
)
def test_a_syntax_error_says_where_what_and_the_way_out(text: str, line: int, column: int, says: str) -> None:
    problem = _load(text).problems[0]
    assert (problem.line, problem.column) == (line, column)
    assert says in problem.message
    assert problem.hint
