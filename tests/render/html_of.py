"""What becomes of Markdown: HTML by GitHub's own parser and by another one, as tags and text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

import cmarkgfm  # type: ignore[import-untyped]
from markdown_it import MarkdownIt

from reconciler.render.sheet import ROOM

_VOID = {"br", "hr", "img", "input", "wbr"}
_OTHER = MarkdownIt("gfm-like")

Tag = tuple[str, tuple[tuple[str, str | None], ...]]


@dataclass(slots=True, eq=False)
class Page(HTMLParser):
    """A page of HTML: its tags with their attributes in order, its text, and the text that is not code."""

    tags: list[Tag] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    texts: list[tuple[str, bool]] = field(default_factory=list)
    code: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))
        if tag not in _VOID:
            self.open.append(tag)
        if tag in {"code", "pre"}:
            self.code.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.tags.append((f"/{tag}", ()))
        if not self.open or self.open.pop() != tag:
            self.broken.append(tag)

    def handle_data(self, data: str) -> None:
        coded = "code" in self.open or "pre" in self.open
        self.texts.append((data, coded))
        if coded:
            self.code[-1] += data

    @property
    def text(self) -> str:
        """All text."""
        return "".join(text for text, _ in self.texts)

    @property
    def plain(self) -> str:
        """The text that is not code."""
        return "".join(text for text, coded in self.texts if not coded)

    def handle_comment(self, data: str) -> None:
        self.tags.append(("!--", ()))  # what an unseen line says is no matter, as long as it ends there

    def handle_decl(self, decl: str) -> None:
        self.tags.append(("!", ((decl, None),)))

    def handle_pi(self, data: str) -> None:
        self.tags.append(("?", ((data, None),)))

    def unknown_decl(self, data: str) -> None:
        self.tags.append(("![", ((data, None),)))


def pages(markdown: str) -> tuple[Page, Page]:
    """Return what both parsers make of a text: GitHub's, with raw HTML let through, and markdown-it's."""
    return (
        _page(cmarkgfm.github_flavored_markdown_to_html(markdown, cmarkgfm.Options.CMARK_OPT_UNSAFE)),
        _page(_OTHER.render(markdown)),
    )


def _page(html: str) -> Page:
    page = Page()
    page.feed(html)
    page.close()
    return page


def closed(markdown: str) -> Iterator[Page]:
    """Yield both pages of a Markdown text that has to find room in a comment, and to close all that it opens."""
    assert len(markdown.encode()) <= ROOM
    for page in pages(markdown):
        assert not page.broken
        assert not page.open
        yield page
