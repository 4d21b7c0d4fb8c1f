"""What an SVG is made of here: elements, text that is fit to be shown, widths of text, the look that pages share."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from xml.etree.ElementTree import Element, SubElement

from reconciler.core.text import printable
from reconciler.web import asset

_BLOCK = re.compile(r":root\S* \{(.*?)\}", re.DOTALL)
_COLOUR = re.compile(r"--([A-Za-z]+): (#[0-9a-f]{6});")
_NARROW = frozenset("ijlI.,:;'|!()[]ftr -")
_WIDE = frozenset("mwMW@%")


def add(parent: Element, tag: str, text: str = "", **attributes: str | float) -> Element:
    """Add an element; `class_` and `stroke_width` are `class` and `stroke-width`. Text is made fit to be shown."""
    named = {name.rstrip("_").replace("_", "-"): _plain(value) for name, value in attributes.items()}
    element = SubElement(parent, tag, named)
    if text:
        element.text = printable(text)
    return element


def _plain(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def width(text: str, size: float) -> float:
    """Return about how wide text is, rather too much than too little: no font is known here."""
    return size * sum(map(_em, text))


def _em(character: str) -> float:
    if unicodedata.east_asian_width(character) in {"F", "W"}:
        return 1.0
    if character in _NARROW:
        return 0.36
    if character in _WIDE:
        return 0.92
    return 0.7 if character.isupper() or character in "_$" else 0.58


def cut(text: str, size: float, room: float) -> str:
    """Return text that is about as wide as there is room, with `…` in the middle where it was too long."""
    text = printable(text)
    if width(text, size) <= room:
        return text
    left, right, room = 0, len(text), room - width("…", size)
    while left < right:
        at = left if left <= len(text) - right else right - 1
        room -= width(text[at], size)
        if room < 0:
            break
        left, right = (left + 1, right) if at == left else (left, at)
    return f"{text[:left]}…{text[right:]}"


@cache
def colours() -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Return the colours of the theme that all pages share, by name: the light ones and the dark ones."""
    light, dark = (dict(_COLOUR.findall(block)) for block in _BLOCK.findall(asset("theme.css"))[:2])
    return light, dark
