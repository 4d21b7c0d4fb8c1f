"""Draws how whole commands grow with the number of tables: an SVG that can be read in light and in dark."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import import_module
from io import StringIO
from pathlib import Path

from tests.bench.figures_file import Part

_LINES = {
    "plan, cold": ("#0072b2", "o", "-"),
    "plan, one manifest changed": ("#009e73", "s", "-"),
    "plan, nothing changed": ("#56b4e9", "^", "-"),
    "validate": ("#e69f00", "D", "-"),
    "status": ("#cc79a7", "v", "-"),
    "report": ("#d55e00", "P", "-"),
    "floor: plan": ("#888888", "", "--"),
    "floor: click": ("#888888", "", ":"),
}
"""A colour that all eyes tell apart (Okabe and Ito's), a mark and a line for each."""

_PANELS = (("wall", "seconds"), ("cpu", "seconds of processor"), ("pss", "MB"))
_INK = "#808080"


def draw(by_size: Sequence[tuple[int, Part]], file: Path) -> None:
    """Draw seconds and memory over the number of tables, all on logarithmic scales, into an SVG file."""
    matplotlib = import_module("matplotlib")
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "bench", "font.size": 9, "text.color": _INK, "axes.labelcolor": _INK})
    matplotlib.rcParams.update(
        {"xtick.color": _INK, "ytick.color": _INK, "axes.edgecolor": _INK, "svg.fonttype": "none"}
    )
    figure, axes = import_module("matplotlib.pyplot").subplots(1, 3, figsize=(12, 4))
    for panel, (key, unit) in zip(axes, _PANELS, strict=True):
        for name, (colour, mark, line) in _LINES.items():
            points = [(size, float(part[name][key])) for size, part in by_size if key in part.get(name, {})]
            if points:
                panel.plot(*zip(*points, strict=True), color=colour, marker=mark, linestyle=line, label=name)
        panel.set(xscale="log", yscale="log", xlabel="tables, a hundred ledger lines each", ylabel=unit)
        for axis, form in ((panel.xaxis, "{x:,.0f}"), (panel.yaxis, "{x:g}")):
            axis.set_major_formatter(form)
        panel.grid(visible=True, alpha=0.3, color=_INK)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="lower center", ncols=8, frameon=False)
    figure.tight_layout(rect=(0, 0.08, 1, 1))
    text = StringIO()
    figure.savefig(text, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    file.write_text(re.sub(r"[ \t]+\n", "\n", text.getvalue()), encoding="utf-8")
