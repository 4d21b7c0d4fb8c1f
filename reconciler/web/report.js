// What a link keeps, what paper shows, and the start.

// What a link keeps -------------------------------------------------------------------------------------------------

let remembering = 0;

/** Write filters and view into the page's address, soon. */
function remember() {
  clearTimeout(remembering);
  remembering = setTimeout(() => {
    const kept = new URLSearchParams();
    if (controls.search.value) kept.set("q", controls.search.value);
    if (controls.target.value) kept.set("target", controls.target.value);
    if (controls.owner.value) kept.set("owner", controls.owner.value);
    if (chosenStatuses().length) kept.set("status", chosenStatuses().join(","));
    if (!page.heat) kept.set("heat", "off");
    kept.set("from", clock(Math.round(page.view.from)).replace(" ", "T"));
    kept.set("to", clock(Math.round(page.view.to)).replace(" ", "T"));
    page.address = `#${kept}`;
    history.replaceState(null, "", page.address);
  }, 120);
}

/** Take filters and view from the page's address; what it does not name stays as it is on a new page. */
function recall() {
  const named = location.hash.includes("=");
  if (page.view && (!named || location.hash === page.address)) return; // our own, or a place on the page
  const kept = new URLSearchParams(location.hash.slice(1));
  controls.search.value = kept.get("q") ?? "";
  for (const name of ["target", "owner"]) {
    const value = kept.get(name) ?? "", known = [...controls[name].options].some((option) => option.value === value);
    controls[name].value = known ? value : "";
  }
  const preset = (named ? kept.get("status") ?? "" : document.body.dataset.statuses ?? "").split(",");
  for (const button of document.querySelectorAll("#statuses button")) {
    button.setAttribute("aria-pressed", String(preset.includes(button.dataset.status)));
  }
  setHeat(kept.get("heat") !== "off");
  filter();
  const from = parseClock(kept.get("from") ?? ""), to = parseClock(kept.get("to") ?? "");
  const first = page.index.view ? aired(...page.index.view) : whole();
  look(...(from < to ? [from, to] : [first.from, first.to]));
}

function setHeat(on) {
  page.heat = on;
  $("heat").setAttribute("aria-pressed", String(on));
  draw();
}

// Paper -------------------------------------------------------------------------------------------------------------

const SHEET = 300;
/** Pieces that are kept for paper at most, some 34 bytes each. */
const PIECES = 1_000_000;
let preparing = 0;

/** Resolves when nothing else is to be done. */
function idle() {
  return new Promise((resolve) => {
    if (window.requestIdleCallback) requestIdleCallback(resolve, { timeout: 500 });
    else setTimeout(resolve, 20);
  });
}

/** Read ahead what paper shows of the first rows, for a print does not wait; the next filter starts anew. */
async function prepareForPaper() {
  const mine = ++preparing, index = page.index, first = new Set(page.order.slice(0, SHEET));
  delete document.documentElement.dataset.paper;
  let room = PIECES;
  for (const [entry, table] of page.printable) {
    if (first.has(entry)) room -= table.size;
    else page.printable.delete(entry);
  }
  const missing = [...first].filter((entry) => !page.printable.has(entry));
  for (const name of new Set(missing.map((entry) => index.shard[entry]))) {
    await idle();
    const shard = mine === preparing ? await page.shards.borrow(name) : null;
    if (mine !== preparing) return;
    for (const entry of missing.filter((other) => index.shard[other] === name)) {
      const columns = shard.tables[index.place[entry]], pieces = columns.segments.gap.length;
      if (pieces > room) continue;
      page.printable.set(entry, readDrawn(columns));
      room -= pieces;
    }
  }
  document.documentElement.dataset.paper = "ready";
}

/** Whether paper can show a row of the index. */
function drawable(entry) {
  return page.printable.has(entry) || page.shards.open.has(page.index.shard[entry]);
}

/** Draw every row that passes the filters, as far as paper and what was read go, in the light colours. */
function toPaper() {
  page.paper = true;
  document.documentElement.classList.add("paper");
  palette = readPalette();
  const shown = [...page.order.keys()].filter((at) => drawable(page.order[at])).slice(0, SHEET), width = 640;
  page.names = 15 * 16 - 22;
  for (const at of [...page.rows.keys()]) forget(at);
  drawAxis($("axis"), page.view, width, palette, 0);
  for (const at of shown) drawCanvas(addRow(at), at, width);
  const left = page.order.length - shown.length;
  const way = document.documentElement.dataset.paper ? "filter the page to print others" : "still being read, print again soon";
  $("left-out").textContent = left ? `${count(left, "more table")} not printed: ${way}.` : "";
}

function fromPaper() {
  page.paper = false;
  document.documentElement.classList.remove("paper");
  palette = readPalette();
  for (const at of [...page.rows.keys()]) forget(at);
  $("left-out").textContent = "";
  draw();
}

// The start ---------------------------------------------------------------------------------------------------------

/** Fill a select with what there is to choose; it stays hidden where there is but one. */
function fill(select, values) {
  for (const value of values) select.append(new Option(value, value));
  select.closest("label").hidden = values.length < 2;
}

function prepare(index) {
  page.index = index;
  page.owners = index.owners.map((at) => index.lists[at].map((text) => index.texts[text]));
  const files = index.files.map((at) => index.lists[at].map((text) => index.texts[text]).join("\n"));
  page.hay = index.name.map((name, at) => `${name}\n${page.owners[at].join("\n")}\n${files[at]}`.toLowerCase());
  page.today = Math.max(0, ...index.targets.map((target) => target[2]));
  fill(controls.target, index.targets.map((target) => target[0]));
  fill(controls.owner, [...new Set(page.owners.flat())].sort());
}

function listen() {
  controls.search.addEventListener("input", () => (filter(), remember()));
  for (const select of [controls.target, controls.owner]) select.addEventListener("change", () => (filter(), remember()));
  $("statuses").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
    filter();
    remember();
  });
  const clicks = {
    "zoom-in": () => zoomed(0.5), "zoom-out": () => zoomed(2), "pan-left": () => pan(-0.5), "pan-right": () => pan(0.5),
    "view-all": () => viewed(whole()), "view-year": () => span(365 * DAY), "view-month": () => span(31 * DAY),
    "view-week": () => span(7 * DAY), "view-day": () => span(DAY),
    heat: () => (setHeat(!page.heat), remember()), clear: clearFilters, "details-close": close,
  };
  for (const [name, act] of Object.entries(clicks)) $(name).addEventListener("click", act);
  const lines = $("timelines");
  lines.addEventListener("pointerdown", onPointerDown);
  lines.addEventListener("pointermove", onPointerMove);
  lines.addEventListener("pointerleave", leave);
  addEventListener("pointerup", onPointerUp);
  addEventListener("pointercancel", onPointerUp);
  lines.addEventListener("click", onClick);
  lines.addEventListener("wheel", onWheel, { passive: false });
  document.addEventListener("keydown", onKey);
  document.addEventListener("pointerdown", (event) => {
    if (page.pinned && !event.target.closest("#details, .time")) close();
  });
  addEventListener("scroll", () => (leave(), draw()), { passive: true });
  addEventListener("resize", draw);
  addEventListener("hashchange", recall);
  addEventListener("beforeprint", toPaper);
  addEventListener("afterprint", fromPaper);
  for (const query of ["(prefers-color-scheme: dark)", `(resolution: ${devicePixelRatio}dppx)`]) {
    matchMedia(query).addEventListener("change", () => ((palette = readPalette()), draw()));
  }
}

/** The shards of the first rows in order. */
function shardsOf(rows) {
  return [...new Set(page.order.slice(0, rows).map((entry) => page.index.shard[entry]))];
}

/** Read what the first rows need, and then what scrolling and paper would: all, on a page that is not large. */
async function start() {
  prepare(await unpack(await found("index")));
  listen();
  recall();
  const small = page.index.shard.every((shard) => shard < 6);
  await Promise.all(shardsOf(small ? SHEET : 16).map((name) => page.shards.load(name)));
  render();
  performance.mark("first-rows");
  document.documentElement.dataset.ready = "true";
  for (const name of shardsOf(SHEET).slice(0, KEPT - 8)) await page.shards.load(name);
  prepareForPaper();
}

start();
