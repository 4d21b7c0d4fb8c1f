"""Text that others wrote, as Markdown that shows it and does nothing else: no element, mention, link or command.

Two places for it: a code span in running Markdown, `<code>` in an HTML table. Both are code to GitHub and GitLab, so
no mention, issue, commit, emoji, formula or address in them comes alive. HTML tables and not those of pipes, because
parsers disagree on how `|` and a backslash before it are escaped there.

Sources: CommonMark 0.31 on code spans, fences and HTML blocks; GitHub's pages on writing mentions, references and
mathematical expressions; actions/runner, which takes `##[` for a command anywhere in a line of a log.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable

from reconciler.core.call import canonical
from reconciler.core.text import printable

LONGEST = 300
"""The most characters of a foreign text that are shown; a table's name always fits."""

# Printable to Python, nothing to the eye: Unicode's Default_Ignorable_Code_Point of the categories L and M, and the
# braille blank.
_UNSEEN = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
_COMMAND = "##["
_TICKS = re.compile("`+")
_URL = re.compile(r"https?://[A-Za-z0-9._~:/?#@!$&*+,;=%-]+")


def visible(text: str, longest: int = LONGEST) -> str:
    """Return text on one line, what cannot be seen written as escapes, cut to `longest` characters."""
    shown = _UNSEEN.sub(_escape, printable(text[: longest + 1]))
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def code(text: str, longest: int = LONGEST) -> str:
    """Return text as a code span, for running Markdown; never for a table made of pipes.

    Padded where its ends would join the delimiters, or make with them the dollar and backtick of a formula.
    """
    shown = visible(text, longest)
    ticks = "`" * _ticks(shown, 1)
    padded = not shown.strip(" ") or shown[0] in "`$ " or shown[-1] in "`$ "
    return f"{ticks} {shown} {ticks}" if padded else f"{ticks}{shown}{ticks}"


def html_code(text: str, longest: int = LONGEST) -> str:
    """Return text as `<code>`, for a table written in HTML."""
    return f"<code>{html.escape(visible(text, longest))}</code>"


def json_line(value: object) -> str:
    """Return canonical JSON on one line; what cannot be seen is written as JSON's own escapes, so its value stays."""
    line = canonical(value)
    if not line.isprintable() or not line.isascii():
        line = "".join(c if c.isprintable() and not _UNSEEN.match(c) else json.dumps(c)[1:-1] for c in line)
    return line.replace(_COMMAND, "##\\u005b")


def fenced(lines: Iterable[str], language: str) -> str:
    """Return lines in a fence that none of them can close. They have to be visible already."""
    body = "\n".join(lines)
    fence = "`" * _ticks(body, 3)
    return f"{fence}{language}\n{body}\n{fence}"


def _ticks(text: str, least: int) -> int:
    """Return how many backticks are more than any run of them in `text`."""
    return max([least - 1, *(len(run) for run in _TICKS.findall(text))]) + 1


def linked(text: str, url: str | None) -> str:
    """Return text as a code span, linked where `url` is a plain http(s) address."""
    return f"[{code(text)}](<{url}>)" if url and _URL.fullmatch(url) else code(text)


def diagram_label(text: str, longest: int = 48) -> str:
    """Return what Mermaid takes as a label and as nothing else: letters, digits, `.`, `_` and `-`, a dot for the rest.

    Of a long text the end is shown, where a table's own name is. Mermaid's grammar ends labels at `:`, `#` and `;`,
    reads directives in `%%{`, HTML in `<` and formulas in `$$`.
    Source: Mermaid's gantt grammar (gantt.jison) and its page on directives.
    """
    cut = text[-longest:]
    label = "".join(c if (c.isalnum() and not _UNSEEN.match(c)) or c in "._-" else "·" for c in cut)
    return ("…" if len(text) > longest else "") + (label or "·")
