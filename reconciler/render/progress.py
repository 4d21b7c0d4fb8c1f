"""How far long work is, in one line."""

from __future__ import annotations

from reconciler.core.text import count, printable

_BAR = 30
_SMALLEST_BAR = 10


def counting_text(doing: str, done: int, total: int, noun: str, rate: float) -> str:
    """Return how much is done, how fast it goes (`rate` a second), and how long the rest takes at that rate."""
    text = f"{doing} {done:,} of {count(total, noun)}"
    if rate <= 0:
        return printable(text)
    text += f", {rate:,.0f} a second" if rate >= 1 else f", {rate * 60:.0f} a minute"
    return printable(text + (f", about {duration((total - done) / rate)} left" if done < total else ""))


def waiting_text(doing: str, seconds: float) -> str:
    """Return what is done, and for how long so far."""
    return printable(f"{doing}, {duration(seconds)}")


def bar_text(text: str, done: int, total: int, columns: int) -> str:
    """Return `text` behind a bar, on one line of a terminal: a line that wraps could not be taken back.

    Where `total` is 0, the end is not known, and there is no bar.
    """
    size = min(_BAR, columns - _width(text) - 4)
    if size < _SMALLEST_BAR or total < 1:
        return cut(text, columns)
    filled = min(size, size * done // total)
    return f"[{'#' * filled}{'.' * (size - filled)}] {text}"


def cut(text: str, columns: int) -> str:
    """Return as much of `text` as one line of a terminal takes without reaching its end."""
    room = columns - 1
    for at, char in enumerate(text):
        room -= _width(char)
        if room < 0:
            return text[:at]
    return text


def _width(text: str) -> int:
    """Return how many columns text takes at most: two are the widest that a character can be."""
    return len(text) if text.isascii() else sum(1 if char.isascii() else 2 for char in text)


def duration(seconds: float) -> str:
    """Return `12 s`, `3 min`, `2 h`: one second at least."""
    if seconds < 99.5:
        return f"{max(1, round(seconds))} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 99.5 else f"{minutes / 60:.0f} h"
