// The page: what is shown, which rows are in sight, and what keys, pointers and controls do about it.

const page = {
  index: null,
  shards: new Shards(),
  view: null, // {from, to} in seconds of the wall clock
  order: [], // rows of the index that the filters leave
  rows: new Map(), // position in `order` -> its element, for those in sight
  active: 0, // the position that the keyboard is at
  chosen: -1, // the segment of it that the keyboard is at
  pinned: false,
  hovered: null,
  heat: true,
  only: null, // the statuses that are asked for: the others are drawn faintly
  names: 0, // pixels that a name has room for
  stacked: false, // whether names stand above the timelines
  paper: false,
  printable: new Map(), // row of the index -> what paper draws of it, for the first rows in order
};
const $ = (id) => document.getElementById(id);
const controls = { search: $("search"), target: $("filter-target"), owner: $("filter-owner") };
const still = matchMedia("(prefers-reduced-motion: reduce)");
let palette = readPalette();
let waiting = 0;

/** Draw soon: once a frame, however often it is asked for. */
function draw() {
  waiting ||= requestAnimationFrame(() => {
    waiting = 0;
    render();
  });
}

/** Pixels that a name and the lines under it take. */
const NAME = 58;

// Rows in sight -----------------------------------------------------------------------------------------------------

/** How wide and how high things are now. */
function measure() {
  const box = $("rows").getBoundingClientRect();
  const style = getComputedStyle($("rows"));
  const names = parseFloat(style.getPropertyValue("--names")) * parseFloat(getComputedStyle(document.documentElement).fontSize) || 0;
  const stacked = style.getPropertyValue("--stacked").trim() === "1";
  const height = rowHeight(page.heat) + 13;
  return {
    top: box.top,
    width: Math.max(60, Math.floor(box.width - (stacked ? 0 : names))),
    height: stacked ? height + NAME : Math.max(height, NAME + 10),
    name: (stacked ? box.width : names) - 22,
    stacked,
  };
}

function render() {
  if (page.paper) return;  // a frame that was asked for before: paper has all rows
  const size = measure();
  page.stacked = size.stacked;
  if (size.name !== page.names) {
    page.names = size.name;
    for (const at of [...page.rows.keys()]) if (!page.rows.get(at).contains(document.activeElement)) forget(at);
  }
  $("rows").style.height = `${page.order.length * size.height}px`;
  drawAxis($("axis"), page.view, size.width, palette, page.index.targets.length === 1 ? page.today : 0);
  const first = Math.max(0, Math.floor((-size.top - 300) / size.height));
  const last = Math.min(page.order.length, Math.ceil((innerHeight - size.top + 300) / size.height));
  for (const [at, row] of page.rows) {
    if ((at < first || at >= last) && !row.contains(document.activeElement)) forget(at);
  }
  for (let at = first; at < last; at++) show(at, size);
  for (const at of page.rows.keys()) if (at < first || at >= last) show(at, size);
  tabStop(first, last);
}

function forget(at) {
  page.rows.get(at).remove();
  page.rows.delete(at);
}

/** Put the row at a position of the order where it belongs, and draw it, now or when its data is there. */
function show(at, size) {
  const row = page.rows.get(at) ?? addRow(at);
  row.style.transform = `translateY(${at * size.height}px)`;
  row.style.height = `${size.height}px`;
  drawCanvas(row, at, size.width);
}

function drawCanvas(row, at, width) {
  const entry = page.order[at], read = page.shards.table(page.index, entry), table = read ?? page.printable.get(entry);
  if (!read && !page.paper) page.shards.load(page.index.shard[entry]).then(draw);
  const now = page.index.targets[page.index.target[entry]][2], only = page.only;
  const chosen = at === page.active ? page.chosen : -1;
  drawRow(row.querySelector("canvas"), table, page.view, width, palette, { now, heat: page.heat, chosen, only });
}

function addRow(at) {
  const entry = page.order[at], index = page.index;
  const name = make("div", "name", tableName(index.name[entry]), underline(entry));
  name.setAttribute("role", "rowheader");
  const canvas = document.createElement("canvas");
  canvas.setAttribute("aria-hidden", "true");
  const time = make("div", "time", canvas, make("span", "unseen", extent(entry)));
  time.setAttribute("role", "gridcell");
  const row = make("div", "row", name, time);
  row.setAttribute("role", "row");
  row.setAttribute("aria-rowindex", String(at + 1));
  row.dataset.table = index.name[entry];
  row.dataset.target = index.targets[index.target[entry]][0];
  row.dataset.at = String(at);
  row.tabIndex = -1;
  page.rows.set(at, row);
  const next = [...page.rows.keys()].filter((other) => other > at).sort((one, other) => one - other)[0];
  $("rows").insertBefore(row, page.rows.get(next) ?? null);
  return row;
}

/** A table's name that loses its middle where it is too long, and is whole for those who hover or hear it. */
function tableName(name) {
  const shown = outside(cut(name, page.names), "cut");
  const full = make("div", "full", shown);
  full.title = name;
  if (shown.textContent !== name) {
    shown.setAttribute("aria-hidden", "true");
    full.append(make("span", "unseen", name));
  }
  return full;
}

const ruler = document.createElement("canvas").getContext("2d");

/** A text as long as there is room for: its middle goes first, for names tell most at their ends. */
function cut(text, room) {
  ruler.font = `600 14.5px ${FONT}`;
  if (ruler.measureText(text).width <= room) return text;
  const letters = Array.from(text);
  let low = 1, high = letters.length;
  const shortened = (many) => {
    const tail = Math.ceil(many * 0.6);
    return `${letters.slice(0, many - tail).join("")}…${letters.slice(-tail).join("")}`;
  };
  while (low < high) {
    const many = (low + high + 1) >> 1;
    if (ruler.measureText(shortened(many)).width <= room) low = many;
    else high = many - 1;
  }
  return shortened(low);
}

/** The lines under a name: its counts, the most urgent first; then its target, how far it is, and its owners. */
function underline(entry) {
  const index = page.index, more = [];
  const counts = counted(index, entry).map(([status, words]) => make("span", status ? `status ${status}` : "", words));
  const [done, asked] = index.instances[entry];
  const owners = page.owners[entry];
  if (index.targets.length > 1) more.push(make("span", "target", outside(index.targets[index.target[entry]][0])));
  if (!index.asked[entry]) more.push("no manifest asks for it");
  if (asked) more.push(`${number.format(done)} of ${count(asked, "instance")}`);
  if (owners.length) more.push(outside(owners.join(", ")));
  return make("div", "", dotted(counts), dotted(more));
}

/** A line of parts with dots in between. */
function dotted(parts) {
  const line = make("div", "under");
  parts.forEach((part, at) => line.append(at ? " · " : "", part));
  line.title = line.textContent;
  return line;
}

function extent(entry) {
  const [from, to] = page.index.window[entry];
  return from === undefined ? "Nothing on its timeline" : `Timeline from ${clock(from)} to ${clock(to - 1)}`;
}

/** Make one row, and one alone, reachable by Tab. */
function tabStop(first, last) {
  const at = page.active >= first && page.active < last ? page.active : first;
  for (const [place, row] of page.rows) row.tabIndex = place === at ? 0 : -1;
}

// Filters -----------------------------------------------------------------------------------------------------------

function chosenStatuses() {
  return [...document.querySelectorAll("#statuses button[aria-pressed=true]")].map((button) => button.dataset.status);
}

/** Whether a row of the index passes all filters but that of the statuses. */
function passes(entry, words) {
  const index = page.index;
  if (controls.target.value && index.targets[index.target[entry]][0] !== controls.target.value) return false;
  if (controls.owner.value && !page.owners[entry].includes(controls.owner.value)) return false;
  return words.every((word) => page.hay[entry].includes(word));
}

function filter() {
  const index = page.index, words = controls.search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = chosenStatuses().reduce((bits, status) => bits | (1 << STATUSES.indexOf(status)), 0);
  const many = STATUSES.map(() => 0);
  page.only = wanted ? new Set(chosenStatuses()) : null;
  page.order = [];
  for (let entry = 0; entry < index.name.length; entry++) {
    if (!passes(entry, words)) continue;
    STATUSES.forEach((_, at) => (many[at] += (index.statuses[entry] >> at) & 1));
    if (!wanted || index.statuses[entry] & wanted) page.order.push(entry);
  }
  for (const button of document.querySelectorAll("#statuses button")) {
    button.querySelector(".n").textContent = number.format(many[STATUSES.indexOf(button.dataset.status)]);
  }
  page.active = 0;
  unchoose();
  for (const at of [...page.rows.keys()]) forget(at);
  tellCount();
  draw();
  if (document.documentElement.dataset.ready) prepareForPaper();
}

function tellCount() {
  const all = page.index.name.length, shown = page.order.length;
  $("count").textContent = shown === all ? count(all, "table") : `${number.format(shown)} of ${count(all, "table")}`;
  $("rows").setAttribute("aria-rowcount", String(shown));
  $("empty").hidden = shown > 0;
  $("timelines").classList.toggle("none", !shown);
  $("clear").hidden = !all;
  if (all) $("empty-text").textContent = "No table matches these filters.";
}

function clearFilters() {
  for (const control of Object.values(controls)) control.value = "";
  for (const button of document.querySelectorAll("#statuses button")) button.setAttribute("aria-pressed", "false");
  filter();
  remember();
  controls.search.focus();
}

// The view ----------------------------------------------------------------------------------------------------------

/** All that the rows that pass the filters have, with some air. */
function whole() {
  let from = Infinity, to = -Infinity;
  for (const entry of page.order.length ? page.order : page.index.name.keys()) {
    const [start, end] = page.index.window[entry];
    if (start < from) from = start;
    if (end > to) to = end;
  }
  return from < to ? aired(from, to) : aired(page.today - 15 * DAY, page.today);
}

/** A view of some time with air around it; the clock's now is in it where that is near. */
function aired(from, to) {
  const least = 6 * HOUR, span = Math.max(to - from, least), middle = (from + to) / 2;
  if (to - from < least) [from, to] = [middle - span / 2, middle + span / 2];
  if (page.today > to && page.today - to < span * 0.15) to = page.today;
  const air = (to - from) * 0.025;
  return { from: from - air, to: to + air };
}

/** Show from one second to another, within what can be written and no closer than ten minutes. */
function look(from, to) {
  const all = whole(), least = 600, most = Math.min(Math.max(200 * 365 * DAY, all.to - all.from), 253402300799 + 62135596800);
  const span = Math.min(most, Math.max(least, to - from)), middle = (from + to) / 2;
  const start = Math.max(-62135596800, Math.min(253402300799 - span, to - from === span ? from : middle - span / 2));
  page.view = { from: start, to: start + span };
  $("range").textContent = rangeText(page.view);
  draw();
  remember();
}

function rangeText({ from, to }) {
  const many = to - from < 3 * DAY ? 16 : 10;
  return `${clock(from).slice(0, many)} – ${clock(to).slice(0, many)}`;
}

function zoom(factor, around = centre()) {
  const { from, to } = page.view;
  look(around - (around - from) * factor, around + (to - around) * factor);
}

/** What a zoom keeps in place: what is chosen, where it is in view, or the middle. */
function centre() {
  const { from, to } = page.view, table = activeTable();
  if (table && page.chosen >= 0) {
    const middle = (table.start[page.chosen] + table.end[page.chosen]) / 2;
    if (middle > from && middle < to) return middle;
  }
  return (from + to) / 2;
}

function pan(share) {
  const { from, to } = page.view, step = (to - from) * share;
  look(from + step, to + step);
}

/** Show so many seconds: around what a zoom keeps in place, or the nearest piece of the rows in sight. */
function span(length) {
  const middle = peopled(centre(), length);
  look(middle - length / 2, middle + length / 2);
}

/** A second such that a view of a length around it is not empty: the given one, where a piece lies about there. */
function peopled(middle, length) {
  const near = nearestPiece(middle);
  if (!near || near.away < length / 4) return middle;
  if (near.end - near.start < length) return (near.start + near.end) / 2;
  return near.start > middle ? near.start + length / 2 : near.end - length / 2;
}

/** The piece of the rows in sight that is the fewest seconds away: {start, end, away}, or null. */
function nearestPiece(second) {
  let best = null;
  for (const at of page.rows.keys()) {
    const table = page.shards.table(page.index, page.order[at]);
    for (let piece = 0; piece < (table?.size ?? 0); piece++) {
      const start = table.start[piece], end = table.end[piece], away = Math.max(0, start - second, second - end);
      if (!best || away < best.away) best = { start, end, away };
    }
  }
  return best;
}

function tell(text) {
  $("live").textContent = text;
}
