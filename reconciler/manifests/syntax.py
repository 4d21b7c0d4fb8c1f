"""What libyaml's parser complains about, in words that say the way out."""

from __future__ import annotations

import re

import yaml

from reconciler.manifests.quoting import code_point

_SCHEDULE = re.compile(r"\bschedule[\"']? *: +[*?&@%!|>`-]")
# What libyaml says begins with the first text of a row.
_WORDS = (
    (
        "mapping values are not allowed",
        "a `:` does not fit here",
        "quote the value, or indent the key like its neighbours",
    ),
    (
        "could not find expected ':'",
        "a key has no `:`",
        "write `key: value`, and indent lines that belong together alike",
    ),
    (
        "did not find expected ','",
        "a bracket is not closed, or a comma is missing",
        "close it, or put a comma between the items",
    ),
    (
        "did not find expected key",
        "the line does not fit what is around it",
        "indent the keys of a mapping alike, and quote text that has quotes in it",
    ),
    (
        "did not find expected '-'",
        "the line does not fit the list around it",
        "start each item of the list with `- `, all indented alike",
    ),
    (
        "did not find expected <document start>",
        "there is text after the document's end",
        "write `---` before it, or remove it",
    ),
    ("did not find expected alphabetic", "an anchor or alias is not read", "quote the value if it starts with & or *"),
    (
        "block sequence entries are not allowed",
        "a `- ` does not fit here",
        "put it on a line of its own, or quote the value",
    ),
    ("mapping keys are not allowed", "a `?` does not fit here", "quote the value"),
    ("found unexpected end of stream", "a quote is not closed", "close it"),
    ("found unexpected document indicator", "a quote is not closed", "close it before the `---` or `...`"),
    (
        "found unknown escape",
        "a backslash starts no known escape",
        "put the text in single quotes, where a backslash is a backslash",
    ),
    (
        "found invalid Unicode character escape",
        "an escape names no character",
        "put the text in single quotes, or mend the escape",
    ),
    ("found unknown directive", "a line that starts with % is a directive, which is not read", "remove the line"),
    ("found a tab character", "a tab is used for indentation", "indent with spaces"),
)


def explain(error: yaml.YAMLError, text: str) -> tuple[int, int, str, str]:
    """Return line, column (both from 1), message and hint of an error that libyaml found in `text`."""
    mark = getattr(error, "problem_mark", None)
    said = str(getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read")
    line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
    message, hint = _cannot_start(text, line, column) if "cannot start any token" in said else _words(said)
    if _is_schedule(text, line):
        hint = 'put the expression in quotes, as in "0 0 * * * ?"'
    context = getattr(error, "context_mark", None)
    if context is not None and context.line + 1 < line:
        message += f"; it began in line {context.line + 1}"
    return line, column, message, hint


def _words(said: str) -> tuple[str, str]:
    for begins, message, hint in _WORDS:
        if said.startswith(begins):
            return message, hint
    return f"is not YAML: {said}", "look at quotes, brackets and indentation here"


def _is_schedule(text: str, line: int) -> bool:
    """Say whether a line has a schedule that starts with a sign of YAML's, such as `*` or `?`, without quotes."""
    rows = text.split("\n")
    return line <= len(rows) and _SCHEDULE.search(rows[line - 1]) is not None


def _cannot_start(text: str, line: int, column: int) -> tuple[str, str]:
    rows = text.split("\n")
    char = rows[line - 1][column - 1 : column] if line <= len(rows) else ""
    if char == "\t":
        return "a tab is used for indentation", "indent with spaces"
    if not char:
        return "a value cannot start here", "quote the value"
    return f"a value cannot start with {code_point(char)}", "put the value in single quotes"
