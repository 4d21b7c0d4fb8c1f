"""How far long work is, in one line."""

from __future__ import annotations

_BAR = 30
_SMALLEST_BAR = 10


def progress_text(done: int, total: int, what: str, seconds: float) -> str:
    """Return how much is done, how fast it went so far (in `seconds`), and how long the rest takes at that rate."""
    text = f"{done:,}/{total:,} {what}"
    if done < 1 or seconds <= 0:
        return text
    rate = done / seconds
    text += f", {rate:.0f} a second" if rate >= 1 else f", {rate * 60:.0f} a minute"
    return text + (f", about {_duration((total - done) / rate)} left" if done < total else "")


def bar_text(text: str, done: int, total: int, columns: int) -> str:
    """Return `text` behind a bar, on one line of a terminal: a line that wraps could not be taken back."""
    size = min(_BAR, columns - len(text) - 4)
    if size < _SMALLEST_BAR:
        return text[: columns - 1]
    filled = size * done // max(total, 1)
    return f"[{'#' * filled}{'.' * (size - filled)}] {text}"


def _duration(seconds: float) -> str:
    if seconds < 99.5:
        return f"{max(1, round(seconds))} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 99.5 else f"{minutes / 60:.0f} h"
