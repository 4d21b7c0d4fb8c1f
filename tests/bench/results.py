"""Writes the figures of `make bench` into the pages that show them, between markers, and draws the plot.

python -m tests.bench.results [RESULTS] [SHARDS]        with a Python that has the extra `bench`
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from tests.bench.figures_file import DEFAULT, Part, load
from tests.bench.goals import Parts, standing

_DOCS = Path(__file__).parents[2] / "docs"
PAGES = (_DOCS / "performance.md", _DOCS / "scale.md")
_PICTURE = _DOCS / "pictures/performance.svg"


def sizes(parts: Parts) -> list[tuple[int, Part]]:
    """Return the parts that measure whole commands, the smallest repository first."""
    found = ((int(name.split()[1]), part) for name, part in parts.items() if name.startswith("tables "))
    return sorted(found, key=lambda pair: pair[0])


def table_of(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; all columns but the first are numbers."""
    rule = ["---", *("---:" for _ in head[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows))


def commands(parts: Parts, key: str) -> str:
    """Return the table of whole commands by wall clock or by processor."""
    by_size = sizes(parts)
    head = ["", "floor", *(f"{size:,} tables" for size, _ in by_size), "10 × the tables"]
    names = list(by_size[0][1])
    return table_of(head, [[name, *_cells(by_size, name, key)] for name in names])


def _cells(by_size: Sequence[tuple[int, Part]], name: str, key: str) -> Iterator[str]:
    yield str(by_size[0][1][name].get("floor", ""))
    for _, part in by_size:
        yield _cell(part, name, key) if name in part else ""
    known = [(tables, float(part[name][key])) for tables, part in by_size if name in part]
    yield _growth(*known[-2:]) if len(known) > 1 else ""


def _growth(small: tuple[int, float], large: tuple[int, float]) -> str:
    return f"{large[1] / small[1] / (large[0] / small[0] / 10):.1f} ×"


def _cell(part: Part, name: str, key: str) -> str:
    one = part[name]
    floor = part.get(f"floor: {one.get('floor')}")
    ratio = f" · {float(one[key]) / float(floor[key]):.2f} ×" if floor else ""
    memory = f" · {float(one.get('pss', one['rss'])):.0f} MB" if key == "wall" else ""
    return f"{float(one[key]):.2f} s{ratio}{memory}{'' if int(one['runs']) >= 3 else ' ¹'}"


def applying(parts: Parts) -> str:
    """Return the table of an apply beside raw httpx."""
    part = parts["apply"]
    return table_of(["", "wall", "of raw httpx", "processor", "of raw httpx", "memory"], map(_apply_row(part), part))


def _apply_row(part: Part) -> Callable[[str], Sequence[str]]:
    floor = part["floor: posts"]

    def row(name: str) -> Sequence[str]:
        one = part[name]
        ratios = (f"{float(one[key]) / float(floor[key]):.2f} ×" for key in ("wall", "cpu"))
        wall, cpu = ratios
        mark = "" if int(one["runs"]) >= 3 else " ¹"
        memory = f"{float(one.get('pss', one['rss'])):.0f} MB"
        return [name, f"{float(one['wall']):.2f} s{mark}", wall, f"{float(one['cpu']):.2f} s", cpu, memory]

    return row


def peers(parts: Parts) -> str:
    """Return the table of whole peers beside ours."""
    pairs = (("validate", "check-jsonschema"), ("plan, cold", "octodns"))
    rows = []
    for size in sorted(int(name.split()[1]) for name in parts if name.startswith("peers ")):
        part = parts[f"peers {size}"]
        for ours, theirs in pairs:
            one, other = part[ours], part[f"floor: {theirs}"]
            times = (f"{float(other[key]) / float(one[key]):.1f} ×" for key in ("wall", "cpu"))
            walls = (f"{float(each['wall']):.2f} s" for each in (one, other))
            rows.append([f"`{ours}` · {theirs}, {size:,}", *walls, *times])
    return table_of(["", "ours", "theirs", "faster, wall", "faster, processor"], rows)


def windows(parts: Parts) -> str:
    """Return the table of interval functions."""
    rows = []
    for name, one in parts["windows"].items():
        ours = float(one["reconciler"])
        others = [
            f"{float(one[peer]) * 1000:.2f} ms · {float(one[peer]) / ours:.1f} ×" if peer in one else "minutes"
            for peer in ("portion", "sqlmesh")
        ]
        rows.append([name, f"{ours * 1000:.2f} ms", *others])
    return table_of(["", "reconciler", "portion", "SQLMesh"], rows)


def goals(parts: Parts) -> str:
    """Return the table of goals and where they stand."""
    rows = []
    for goal, wall, cpu in standing(parts):
        bound = f"{'≥' if goal.rising else '≤'} {goal.bound:g} {goal.unit}"
        verdict = "not measured" if wall is None else "reached" if goal.reached(wall) else "**not reached**"
        rows.append([goal.what, bound, _shown(wall, goal.unit), _shown(cpu, goal.unit), verdict])
    return table_of(["goal", "bound", "measured", "by processor", ""], rows)


def _shown(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:.{1 if value >= 10 else 2}f} {unit}"


def slopes(parts: Parts) -> str:
    """Return what a table costs and what a ledger line does, and what that comes to where there are very many."""
    rows = []
    at = next(int(name.split()[1]) for name in parts if name.startswith("deep "))
    flat, deep = parts[f"tables {at}"], parts[f"deep {at}"]
    for name in ("plan, cold", "plan, nothing changed", "floor: plan", "floor: bytes"):
        (few, small), *_, (many, large) = ((size, part) for size, part in sizes(parts) if name in part)
        line = (float(deep[name]["cpu"]) - float(flat[name]["cpu"])) / (900 * at)
        table = (float(large[name]["cpu"]) - float(small[name]["cpu"])) / (many - few) - 100 * line
        total = 100_000 * max(table, 0) + 100_000_000 * max(line, 0)
        rows.append([name, f"{table * 1000:.2f} ms", f"{line * 1e6:.2f} µs", f"{total / 60:.1f} min"])
    return table_of(["seconds of processor", "a table", "a ledger line", "100,000 tables, 100 million lines"], rows)


def machine(parts: Parts) -> str:
    """Return what it was measured on."""
    one = parts["machine"]["is"]
    return f"Measured on {one['day']}: {one['cores']} cores, {one['system']}, Python {one['python']}, git {one['git']}."


BLOCKS: dict[str, Callable[[Parts], str]] = {
    "machine": machine,
    "goals": goals,
    "wall": lambda parts: commands(parts, "wall"),
    "cpu": lambda parts: commands(parts, "cpu"),
    "apply": applying,
    "peers": peers,
    "windows": windows,
    "slopes": slopes,
}


def written(page: str, parts: Parts) -> str:
    """Return the page with each block between `<!-- figures: NAME -->` and `<!-- end -->` made anew.

    A block of figures that were not measured stays as it is.
    """

    def block(match: re.Match[str]) -> str:
        try:
            return f"<!-- figures: {match[1]} -->\n\n{BLOCKS[match[1]](parts)}\n\n<!-- end -->"
        except (KeyError, StopIteration, ValueError):
            return match[0]

    return re.sub(r"<!-- figures: (\w+) -->\n.*?<!-- end -->", block, page, flags=re.DOTALL)


def sharding(file: Path) -> Part:
    """Return what `tests.bench.shards` wrote of its last batch, as a part: the case of one shard, and of several."""
    if not file.exists():
        return {}
    cases = json.loads(file.read_text("utf-8"))[-2:]
    return {
        f"{one['shards']} shard{'s' if one['shards'] > 1 else ''}": {
            "rate": one["rate"],
            "calling": one["calling_rate"],
        }
        for one in cases
    }


def main(file: str = str(DEFAULT), shards: str = str(DEFAULT.with_name("shards.json"))) -> None:
    """Rewrite the page, and draw."""
    from tests.bench.plot import draw

    parts = {**load(Path(file)), "shards": sharding(Path(shards))}
    for page in PAGES:
        page.write_text(written(page.read_text("utf-8"), parts), encoding="utf-8")
    draw(sizes(parts), _PICTURE)


if __name__ == "__main__":
    main(*sys.argv[1:])
