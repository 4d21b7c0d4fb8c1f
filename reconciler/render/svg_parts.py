"""The look of the picture of timelines: its styles, the patterns of the statuses, its legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

from reconciler.core.timeline import URGENCY
from reconciler.render.svg import add, colours, width
from reconciler.render.svg_row import GROWN, HIGH, LEFT, RIGHT, SIGNS, Row, Scale, add_bar
from reconciler.render.words import WORDS

_USED = ("back", "text", "dim", "line", "track", "triggered", "rerun", "owed", "held", "inDoubt")
_STATUSES = _USED[5:]
_LOOK = (
    "text{font:15px system-ui,-apple-system,'Segoe UI',sans-serif}"
    ".heading{font-size:20px;font-weight:600}.name{font-weight:600}"
    ".dim,.axis text{font-size:13px;font-weight:400}.axis .major{font-weight:600}"
    ".sign{font-size:13px;font-weight:700;stroke-width:3px;paint-order:stroke}"
    ".grid,.now{fill:none}.now{stroke-width:2px}.cell{font-size:10px}"
    # A phone shows the picture at less than half its size: what is read grows, and room was left for that.
    "@media (max-width:520px){text{font-size:19.5px}.heading{font-size:25px}.dim,.axis text{font-size:17px}"
    ".sign{font-size:15px}.cell{display:none}}"
)


def _paint(theme: Mapping[str, str]) -> str:
    """Return the rules that colour everything. Plain values: renderers other than browsers know no variables."""
    return (
        f"text,.axis .major{{fill:{theme['text']}}}.dim,.axis text{{fill:{theme['dim']}}}"
        f".back,.full{{fill:{theme['back']}}}.track{{fill:{theme['track']}}}.sign{{stroke:{theme['back']}}}"
        f".grid{{stroke:{theme['line']}}}.now{{stroke:{theme['text']}}}"
        + "".join(f".{name}{{fill:{theme[name]}}}.{name}-line{{stroke:{theme[name]}}}" for name in _STATUSES)
    )


def add_looks(svg: Element) -> None:
    """Add the styles, with the colours of the theme, and the patterns."""
    light, dark = map(_paint, colours())
    add(
        svg, "style"
    ).text = f":root{{color-scheme:light dark}}{_LOOK}{light}@media (prefers-color-scheme:dark){{{dark}}}"
    definitions = add(svg, "defs")
    owed = _pattern(definitions, "owed", 6)
    add(owed, "circle", class_="owed", cx=3, cy=3, r=1.3)
    rerun = _pattern(definitions, "rerun", 7, "rotate(45)")
    rerun[0].set("class", "rerun")
    add(rerun, "rect", class_="back", width=2.2, height=7, opacity=0.55)
    held = _pattern(definitions, "held", 6, "rotate(-45)")
    add(held, "path", class_="held-line", d="M1.5 0V6", stroke_width=2.6)
    doubt = _pattern(definitions, "inDoubt", 6, "rotate(45)")
    add(doubt, "path", class_="inDoubt-line", d="M0 3H6M3 0V6", fill="none", stroke_width=1.8)


def _pattern(parent: Element, name: str, size: int, turned: str = "rotate(0)") -> Element:
    units = {"patternUnits": "userSpaceOnUse", "patternTransform": turned}
    pattern = add(parent, "pattern", id=name, width=size, height=size, **units)
    add(pattern, "rect", class_="track", width=size, height=size)
    return pattern


def add_legend(svg: Element, top: float, rows: Sequence[Row], scale: Scale) -> float:
    """Add what the picture has, swatch and word, in as many lines as it takes; return the last one's bottom."""
    x, y = float(LEFT), top + 12
    for kind, words in _kinds(rows, scale):
        swatch = 12 if kind == "now" else 34
        wide = swatch + width(words, 13 * GROWN) + 18
        if x + wide > RIGHT + 18:
            x, y = float(LEFT), y + 26
        _swatch(svg, kind, x, y)
        add(svg, "text", words, class_="dim", x=x + swatch, y=y + 12)
        x += wide
    return y + HIGH


def _kinds(rows: Sequence[Row], scale: Scale) -> list[tuple[str, str]]:
    segments = [segment for row in rows for segment in row.timeline.segments]
    found = [(str(status), WORDS[status]) for status in URGENCY if any(row.has(status) for row in rows)]
    found.append(("track", "not asked"))
    if any(segment.again for segment in segments):
        found.append(("again", "will run again"))
    if any(row.days(scale) for row in rows):
        found.append(("days", "instances triggered, by day"))
    if any(scale.holds(row.now) for row in rows):
        found.append(("now", "now"))
    return found


def _swatch(svg: Element, kind: str, x: float, y: float) -> None:
    match kind:
        case "track":
            add(svg, "rect", class_="track", x=x, y=y, width=26, height=HIGH)
        case "again":
            add(svg, "rect", class_="track", x=x, y=y, width=26, height=HIGH)
            add(svg, "rect", class_="triggered", x=x, y=y + HIGH - 4, width=26, height=4)
        case "days":
            for part, shade in enumerate((0.25, 0.6, 1.0)):
                add(svg, "rect", class_="triggered", x=x + 9 * part, y=y + 4, width=8, height=8, opacity=shade)
        case "now":
            add(svg, "path", class_="now", d=f"M{x + 4:g} {y - 2:g}v{HIGH + 4}")
        case _:
            add_bar(svg, kind, x, y, 26)
            _sign(svg, kind, x, y)


def _sign(svg: Element, kind: str, x: float, y: float) -> None:
    if kind in SIGNS:
        add(svg, "text", SIGNS[kind], class_="sign", x=x + 13, y=y + 12.5, text_anchor="middle")
