"""Which statuses a picture shows: its pixels, compared with the colours of the theme."""

from __future__ import annotations

from typing import cast

from playwright.sync_api import Locator, Page

_COUNT = """([source, names]) => {
  const style = getComputedStyle(document.documentElement);
  const rgb = (name) => {
    const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    probe.fillStyle = style.getPropertyValue("--" + name).trim();
    probe.fillRect(0, 0, 1, 1);
    return probe.getImageData(0, 0, 1, 1).data;
  };
  const wanted = names.map((name) => [name, rgb(name)]);
  const found = Object.fromEntries(names.map((name) => [name, 0]));
  const { width, height } = source;
  const canvas = document.createElement("canvas");
  canvas.width = width; canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(source, 0, 0);
  const data = context.getImageData(0, 0, width, height).data;
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] < 128) continue;
    for (const [name, colour] of wanted) {
      const apart = Math.abs(data[at] - colour[0]) + Math.abs(data[at + 1] - colour[1])
        + Math.abs(data[at + 2] - colour[2]);
      if (apart <= 12) found[name] += 1;
    }
  }
  return found;
}"""

_SOLID = """([source, name]) => {
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  probe.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
  probe.fillRect(0, 0, 1, 1);
  const colour = probe.getImageData(0, 0, 1, 1).data;
  const canvas = document.createElement("canvas");
  canvas.width = source.width; canvas.height = source.height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(source, 0, 0);
  const scale = source.width / source.getBoundingClientRect().width;
  const near = (data, at) => data[at + 3] >= 128 && Math.abs(data[at] - colour[0]) + Math.abs(data[at + 1] - colour[1])
    + Math.abs(data[at + 2] - colour[2]) <= 12;
  const columns = [];
  for (let x = 0; x < canvas.width; x += 1) {
    const data = context.getImageData(x, 0, 1, canvas.height).data;
    let most = 0, run = 0;
    for (let at = 0; at < data.length; at += 4) { run = near(data, at) ? run + 1 : 0; most = Math.max(most, run); }
    if (most >= 6 * scale) columns.push(x / scale);
  }
  return columns;
}"""

STATUSES = ("inDoubt", "held", "owed", "rerun", "triggered")


def pixels(page: Page, source: Locator) -> dict[str, int]:
    """Return how many pixels of a canvas or an image have the colour of each status."""
    handle = source.element_handle()
    return cast("dict[str, int]", page.evaluate(_COUNT, [handle, list(STATUSES)]))


def shown(page: Page, source: Locator) -> set[str]:
    """Return the statuses that a canvas or an image shows."""
    return {name for name, count in pixels(page, source).items() if count >= 4}


def solid(page: Page, source: Locator, status: str = "triggered") -> list[tuple[float, float]]:
    """Return where a canvas has solid bars in the colour of a status: from and to, in pixels of the page."""
    columns = cast("list[float]", page.evaluate(_SOLID, [source.element_handle(), status]))
    bars: list[tuple[float, float]] = []
    for x in columns:
        if bars and x - bars[-1][1] <= 1.01:
            bars[-1] = (bars[-1][0], x)
        else:
            bars.append((x, x))
    return bars
