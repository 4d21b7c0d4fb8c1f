// What is chosen, what is told of it, and what pointers and keys do.

// What is chosen ----------------------------------------------------------------------------------------------------

function activeTable() {
  return page.order.length ? page.shards.table(page.index, page.order[page.active]) : undefined;
}

/** Go to a row, and where a segment was chosen, to the one that is nearest in time. */
async function goRow(at) {
  const last = page.order.length - 1, before = activeTable();
  const moment = before && page.chosen >= 0 ? before.start[page.chosen] : null;
  page.active = Math.max(0, Math.min(last, at));
  page.chosen = -1;
  close();
  reveal(page.active);
  render();
  page.rows.get(page.active)?.focus({ preventScroll: true });
  if (moment === null) return;
  await page.shards.load(page.index.shard[page.order[page.active]]);
  const table = activeTable();
  if (table?.size) choose(nearest(table, moment));
}

function nearest(table, moment) {
  let best = 0;
  for (let at = 1; at < table.size; at++) {
    if (Math.abs(table.start[at] - moment) < Math.abs(table.start[best] - moment)) best = at;
  }
  return best;
}

/** Scroll a row into sight: below the axis that stays at the top. */
function reveal(at) {
  const size = measure(), top = size.top + at * size.height, roof = $("bar").getBoundingClientRect().bottom;
  const over = top - roof - 4, under = top + size.height - innerHeight + 8;
  if (over < 0) scrollBy({ top: over, behavior: "instant" });
  else if (under > 0) scrollBy({ top: under, behavior: "instant" });
}

/** Choose a segment of the active row: outline it, show it, tell it. */
function choose(at) {
  const table = activeTable();
  if (!table?.size) return tell("Nothing on this timeline.");
  page.chosen = Math.max(0, Math.min(table.size - 1, at));
  const { from, to } = page.view, start = table.start[page.chosen], end = table.end[page.chosen];
  if (end < from + (to - from) * 0.02 || start > to - (to - from) * 0.02) {
    const middle = Math.min((start + end) / 2, start + (to - from) / 3);
    look(middle - (to - from) / 2, middle + (to - from) / 2);
  }
  render();
  tell(sentence(page.index, page.order[page.active], table, page.chosen));
  open(page.active, page.chosen, page.pinned);
}

function unchoose() {
  page.chosen = -1;
  close();
  draw();
}

/** The segment that an arrow goes to first: the first or last in view. */
function step(by) {
  const table = activeTable();
  if (!table?.size) return tell("Nothing on this timeline.");
  if (page.chosen >= 0) {
    const next = page.chosen + by;
    return next < 0 || next >= table.size ? tell(by < 0 ? "The first piece." : "The last piece.") : choose(next);
  }
  const inView = [...Array(table.size).keys()].filter((at) => table.end[at] > page.view.from && table.start[at] < page.view.to);
  return choose(inView.at(by > 0 ? 0 : -1) ?? (by > 0 ? 0 : table.size - 1));
}

// Details -----------------------------------------------------------------------------------------------------------

/** Show all of a segment beside it; `pinned` stays until it is closed, and takes clicks. */
function open(at, piece, pinned, x = null) {
  const row = page.rows.get(at), entry = page.order[at];
  const table = page.shards.table(page.index, entry);
  if (!row || !table) return;
  const box = $("details");
  $("details-body").replaceChildren(...details(page.index, entry, table, piece));
  box.hidden = false;
  page.pinned = pinned;
  box.classList.toggle("pinned", pinned);
  box.scrollTop = 0;
  const canvas = row.querySelector("canvas");
  place(box, canvas.getBoundingClientRect(), table, piece, x);
  const hidden = canvas.getBoundingClientRect().bottom + 12 - box.getBoundingClientRect().top;
  if (pinned && page.stacked && hidden > 0) scrollBy({ top: hidden, behavior: "instant" });
}

/** Put the box under the bar, over it where there is no room, beside the pointer. */
function place(box, canvas, table, piece, x) {
  const { from, to } = page.view, scale = canvas.width / (to - from);
  const left = canvas.left + Math.max(0, (table.start[piece] - from) * scale);
  const right = canvas.left + Math.min(canvas.width, (table.end[piece] - from) * scale);
  const middle = x ?? (left + Math.max(left, right)) / 2;
  const below = innerHeight - canvas.bottom - 12, over = canvas.top - 12;
  const under = box.offsetHeight <= below || below >= over;
  box.style.left = `${Math.max(8, Math.min(innerWidth - box.offsetWidth - 8, middle - box.offsetWidth / 2))}px`;
  box.style.maxHeight = `${Math.max(160, under ? below : over)}px`;
  box.style.top = under ? `${canvas.bottom + 6}px` : "auto";
  box.style.bottom = under ? "auto" : `${innerHeight - canvas.top + 2}px`;
}

function close() {
  const box = $("details"), inside = box.contains(document.activeElement);
  box.hidden = true;
  page.pinned = false;
  page.hovered = null;
  if (inside) page.rows.get(page.active)?.focus({ preventScroll: true });
}

function pin() {
  if (page.chosen < 0) return step(1);
  open(page.active, page.chosen, true);
  $("details").focus();
}

/** The segment that is drawn at a pixel of a row, -1 for none: the most urgent, as in the drawing. */
function hit(table, x, width) {
  const { from, to } = page.view, scale = (second) => ((second - from) / (to - from)) * width;
  let best = -1, least = null;
  for (let at = 0; at < table.size; at++) {
    const [left, right] = pixels(table, at, scale);
    if (x < left - 2 || x > right + 2) continue;
    const beside = x < left || x > right ? 1 : 0;
    const rank = [beside, table.status[at], table.again[at] ? 0 : 1, Math.abs(x - (left + right) / 2)];
    if (best < 0 || ranksBefore(rank, least)) [best, least] = [at, rank];
  }
  return best;
}

function ranksBefore(one, other) {
  const at = one.findIndex((value, place) => value !== other[place]);
  return at >= 0 && one[at] < other[at];
}

// Pointers ----------------------------------------------------------------------------------------------------------

const pointers = new Map();
let dragged = 0;

function rowUnder(event) {
  const row = event.target.closest?.(".row");
  return row ? Number(row.dataset.at) : -1;
}

function onPointerDown(event) {
  if (event.button || !event.target.closest(".time, #axis")) return;
  pointers.set(event.pointerId, { x: event.clientX, first: event.clientX });
  dragged = 0;
}

function onPointerMove(event) {
  const pointer = pointers.get(event.pointerId);
  if (!pointer) return hover(event);
  const box = $("axis").getBoundingClientRect(), second = (page.view.to - page.view.from) / box.width;
  const others = [...pointers.entries()].filter(([name]) => name !== event.pointerId);
  dragged = Math.max(dragged, others.length ? 9 : Math.abs(event.clientX - pointer.first));
  if (others.length) {
    const other = others[0][1].x, before = Math.abs(pointer.x - other), now = Math.max(8, Math.abs(event.clientX - other));
    if (before > 8) zoom(before / now, page.view.from + (other - box.left) * second);
  } else if (dragged > 4) {
    look(page.view.from - (event.clientX - pointer.x) * second, page.view.to - (event.clientX - pointer.x) * second);
  }
  if (dragged > 4) {
    pointer.x = event.clientX;
    $("timelines").classList.add("dragging");
    if (!$("details").hidden) unchoose();
    event.target.setPointerCapture?.(event.pointerId);
  }
}

function onPointerUp(event) {
  pointers.delete(event.pointerId);
  if (!pointers.size) $("timelines").classList.remove("dragging");
}

function hover(event) {
  if (event.pointerType === "touch") return;
  tellCell(event);
  if (page.pinned) return;
  const found = under(event);
  if (!found) {
    if (page.hovered) close();
    return;
  }
  const same = page.hovered && page.hovered[0] === found.at && page.hovered[1] === found.piece;
  page.hovered = [found.at, found.piece];
  if (!same) open(found.at, found.piece, false, event.clientX);
}

/** Close what only the pointer had opened. */
function leave() {
  if (page.hovered && !page.pinned) close();
}

/** Say of a cell of the heat strip what it stands for, as the browser's own tip. */
function tellCell(event) {
  const at = rowUnder(event), row = page.rows.get(at), canvas = row?.querySelector("canvas");
  const table = canvas && page.shards.table(page.index, page.order[at]);
  if (!table) return;
  const box = canvas.getBoundingClientRect(), y = event.clientY - box.top;
  const second = page.view.from + ((event.clientX - box.left) / box.width) * (page.view.to - page.view.from);
  const strip = page.heat && y > LANE + BAR + 3 && event.clientX >= box.left;
  const cell = strip && heatCells(table, page.view, box.width).find(({ from, to }) => from <= second && second < to);
  canvas.title = cell ? `${cellName(cell, box.width)}: ${number.format(cell.done)} of ${count(cell.all, "instance")} triggered` : "";
}

function cellName({ from }, width) {
  const { unit } = cellFor(page.view, width), day = clock(from).slice(0, 10);
  return { day, week: `week from ${day}`, month: day.slice(0, 7), year: day.slice(0, 4) }[unit];
}

/** What is under the pointer: {at, piece}, or null. */
function under(event) {
  const at = rowUnder(event), canvas = page.rows.get(at)?.querySelector("canvas");
  if (!canvas) return null;
  const box = canvas.getBoundingClientRect(), y = event.clientY - box.top;
  if (event.clientX < box.left || y < 0 || y > LANE + BAR + 3) return null;
  const table = page.shards.table(page.index, page.order[at]);
  const piece = table ? hit(table, event.clientX - box.left, box.width) : -1;
  return piece < 0 ? null : { at, piece };
}

function onClick(event) {
  if (dragged > 4) return;
  const at = rowUnder(event);
  if (at < 0) return;
  const found = under(event);
  page.active = at;
  page.chosen = found ? found.piece : -1;
  render();
  page.rows.get(at).focus({ preventScroll: true });
  if (!found) return close();
  open(at, found.piece, true, event.clientX);
  tell(sentence(page.index, page.order[at], activeTable(), found.piece));
}

function onWheel(event) {
  if (!event.target.closest(".time, #axis")) return;
  const box = $("axis").getBoundingClientRect(), across = event.shiftKey && !event.deltaX ? event.deltaY : event.deltaX;
  if (event.ctrlKey || event.metaKey) {
    event.preventDefault();
    const share = (event.clientX - box.left) / box.width, pixelsOf = event.deltaMode ? 20 : 1;
    const around = page.view.from + share * (page.view.to - page.view.from);
    zoom(Math.exp(Math.max(-120, Math.min(120, event.deltaY * pixelsOf)) * 0.004), around);
  } else if (Math.abs(across) > Math.abs(event.shiftKey ? 0 : event.deltaY)) {
    event.preventDefault();
    pan(across / box.width);
  } else return;
  if (!page.pinned) close();
}

// Keys --------------------------------------------------------------------------------------------------------------

const KEYS = {
  ArrowDown: () => goRow(page.active + 1),
  ArrowUp: () => goRow(page.active - 1),
  PageDown: () => goRow(page.active + 10),
  PageUp: () => goRow(page.active - 10),
  ArrowRight: () => step(1),
  ArrowLeft: () => step(-1),
  Home: () => choose(0),
  End: () => choose(Infinity),
  Enter: pin,
  "+": () => zoomed(0.5),
  "=": () => zoomed(0.5),
  "-": () => zoomed(2),
  a: () => viewed(whole()),
};

function zoomed(factor) {
  zoom(factor);
  if (page.chosen >= 0) choose(page.chosen);
  tell(`Showing ${rangeText(page.view)}`);
}

function viewed({ from, to }) {
  look(from, to);
  if (!page.pinned) close();
  tell(`Showing ${rangeText(page.view)}`);
}

function onKey(event) {
  if (event.key === "Escape" && !$("details").hidden) {
    event.preventDefault();
    return close();
  }
  if (event.key === "/" && !event.target.closest("input, select, textarea")) {
    event.preventDefault();
    return controls.search.focus();
  }
  const row = event.target.closest?.(".row"), act = KEYS[event.key];
  if (!row || !act || event.ctrlKey || event.metaKey || event.altKey) return undefined;
  event.preventDefault();
  if (Number(row.dataset.at) !== page.active) {
    page.active = Number(row.dataset.at);
    page.chosen = -1;
  }
  return act();
}
