"""Timelines of block characters: a cell a piece of time, all tables on one axis, for terminals and logs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from reconciler.core.layers import Layers
from reconciler.core.schedule import Schedule
from reconciler.core.timeline import Status
from reconciler.core.window import Window, Windows
from reconciler.render.paint import Paint

MARKS: dict[Status, str] = {"rerun": "▓", "owed": "░", "held": "!", "inDoubt": "?"}
WHOLE, PART, EMPTY, NOW = "█", "▄", "·", "▼"
WORDS = {
    "█": "triggered",
    "▄": "triggered for less than half that time",
    "▓": "rerun",
    "░": "owed",
    "!": "held",
    "?": "in doubt",
    "·": "not asked",
    "▼": "now",
}
"""What each character says, in the order in which a legend names them."""

ASCII = str.maketrans("█▄▓░·▼…", "#:=+.v~")
"""What stands for the characters where an output's encoding has them not."""


@dataclass(frozen=True)
class Axis:
    """Wall-clock seconds from `start` to `end`, in as many cells as there are columns; at least a second a cell."""

    start: int
    end: int
    columns: int

    @cached_property
    def bounds(self) -> tuple[int, ...]:
        """Where each cell starts, and where the last one ends."""
        span = self.end - self.start
        return tuple(self.start + span * cell // self.columns for cell in range(self.columns + 1))

    def cell(self, second: int) -> int:
        """Return the cell of a second that is on the axis."""
        return bisect_right(self.bounds, second) - 1


@dataclass(frozen=True, slots=True)
class _Grid:
    """The cells of an axis in windows of numbers: `bounds` as an axis has them.

    Cells in which no instant begins hold no number. `reach` says for each cell up to which of these its last instant
    lasts. `schedule` is kept so that no other is taken for it.
    """

    bounds: Sequence[int]
    reach: Sequence[int]
    schedule: Schedule | None


class Strips:
    """Draws tables on one axis. What a schedule makes of the axis is worked out once."""

    def __init__(self, axis: Axis) -> None:
        self._axis = axis
        self._plain = _Grid(axis.bounds, range(axis.columns), None)
        self._grids: dict[tuple[int, Window], _Grid] = {}

    def of(self, layers: Layers) -> str:
        """Return a table's timeline, a character a cell: the most urgent status of what is in it.

        With a schedule, instants are in the cell in which they begin; cells in which none begins show the one that
        lasts into them. What lies off the schedule is shown by the second.
        """
        grid = self._grid(layers.schedule, layers.known)
        cells = [EMPTY] * self._axis.columns
        for layer in reversed(layers.layers):
            if layer.status == "triggered":
                self._fill(cells, grid, layer.numbers, layer.seconds)
                continue
            for windows, where in ((layer.seconds, self._plain), (layer.numbers, grid)):
                for first, _, last, _, _ in _over(windows, where):
                    cells[first : last + 1] = MARKS[layer.status] * (last + 1 - first)
        return "".join(cells)

    def _fill(self, cells: list[str], grid: _Grid, numbers: Windows, seconds: Windows) -> None:
        """Draw what was triggered: in part where that is less than half of a cell's instants, or else its seconds."""
        for cell, done in _edges(seconds, self._plain, cells).items():
            instants = grid.bounds[cell + 1] - grid.bounds[cell] if grid is not self._plain else 0
            few = instants > 0 or 2 * done < self._plain.bounds[cell + 1] - self._plain.bounds[cell]
            cells[cell] = PART if few else WHOLE
        for cell, done in _edges(numbers, grid, cells).items():
            cells[cell] = PART if 2 * done < grid.bounds[cell + 1] - grid.bounds[cell] else WHOLE

    def _grid(self, schedule: Schedule | None, known: Window | None) -> _Grid:
        if schedule is None or known is None:
            return self._plain
        key = id(schedule), known
        if key not in self._grids:
            self._grids[key] = _grid(self._axis.bounds, schedule, known)
        return self._grids[key]


def _grid(bounds: Sequence[int], schedule: Schedule, known: Window) -> _Grid:
    start, end = known
    numbers = [schedule.before(min(max(second, start), end)) for second in bounds]
    reach = list(range(len(bounds) - 1))
    inside = schedule.before(start), schedule.before(end)
    owner = -1
    until = 0
    for cell in reach:
        if numbers[cell] < numbers[cell + 1]:
            last = numbers[cell + 1] - 1
            owner, until = cell, schedule.at(last) + schedule.lasts(last, inside)
        elif owner >= 0 and bounds[cell] < until:
            reach[owner] = cell
    return _Grid(numbers, reach, schedule)


def _over(windows: Windows, grid: _Grid) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield the cells of each window that is on the axis, and what of it is there.

    That is the first, the last in which some of it begins, the last into which it lasts, its start and its end.
    """
    bounds, reach = grid.bounds, grid.reach
    begin, finish = bounds[0], bounds[-1]
    for start, end in windows:
        start, end = max(start, begin), min(end, finish)
        if start >= end:
            continue
        last = bisect_right(bounds, end - 1) - 1
        yield bisect_right(bounds, start) - 1, last, reach[last] if end == bounds[last + 1] else last, start, end


def _edges(windows: Windows, grid: _Grid, cells: list[str]) -> dict[int, int]:
    """Fill the cells between the first and the last of each window, and return how much is in those two."""
    bounds = grid.bounds
    found: dict[int, int] = {}
    for first, last, until, start, end in _over(windows, grid):
        found[first] = found.get(first, 0) + min(end, bounds[first + 1]) - start
        if first < last:
            found[last] = found.get(last, 0) + end - bounds[last]
            cells[first + 1 : last] = WHOLE * (last - first - 1)
        cells[last + 1 : until + 1] = WHOLE * (until - last)
    return found


def painted(strip: str, paint: Paint, *, blocks: bool) -> str:
    """Return a timeline in colours, which say nothing that its characters do not; without `blocks` in ASCII."""
    colours = {
        "█": paint.green,
        "▄": paint.green,
        "▓": paint.cyan,
        "░": paint.yellow,
        "!": paint.magenta,
        "?": paint.red,
        "·": paint.dim,
    }
    runs = [(mark, "".join(some)) for mark, some in groupby(strip)] if paint.enabled else []
    shown = "".join(colours[mark](text) for mark, text in runs) if runs else strip
    return shown if blocks else shown.translate(ASCII)
