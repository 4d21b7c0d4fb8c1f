// Drawing: colours of the theme, patterns of the statuses, the time axis, and one canvas a row.

const LANE = 11; // where the marks stand, above the bar
const BAR = 20;
const STRIP = 13; // the heat strip, below the bar
const FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif";

/** The colours of the theme as they are now, and the patterns made of them. */
function readPalette() {
  const style = getComputedStyle(document.documentElement);
  const palette = { patterns: {} };
  for (const name of ["back", "text", "dim", "line", "track", "focus", ...STATUSES]) {
    palette[name] = style.getPropertyValue(`--${name}`).trim();
  }
  palette.patterns.rerun = tile(8, palette.rerun, (to) => stripes(to, 8, palette.back, 2.2, 1));
  palette.patterns.owed = tile(6, palette.back, (to) => dot(to, 3, palette.owed));
  palette.patterns.held = tile(7, palette.back, (to) => stripes(to, 7, palette.held, 2, -1));
  palette.patterns.inDoubt = tile(7, palette.back, (to) => {
    stripes(to, 7, palette.inDoubt, 1.2, 1);
    stripes(to, 7, palette.inDoubt, 1.2, -1);
  });
  return palette;
}

function tile(size, ground, draw) {
  const scale = Math.max(2, Math.ceil(devicePixelRatio));
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = size * scale;
  const to = canvas.getContext("2d");
  to.scale(scale, scale);
  to.fillStyle = ground;
  to.fillRect(0, 0, size, size);
  draw(to);
  const pattern = to.createPattern(canvas, "repeat");
  pattern.setTransform(new DOMMatrix().scale(1 / scale));
  return pattern;
}

function stripes(to, size, colour, width, slope) {
  to.strokeStyle = colour;
  to.lineWidth = width;
  to.beginPath();
  for (const shift of [-size, 0, size]) {
    to.moveTo(shift - 1, slope > 0 ? size + 1 : -1);
    to.lineTo(shift + size + 1, slope > 0 ? -1 : size + 1);
  }
  to.stroke();
}

function dot(to, at, colour) {
  to.fillStyle = colour;
  to.beginPath();
  to.arc(at, at, 1.1, 0, 7);
  to.fill();
}

/** A canvas of a size, in device pixels, and a box as large as that; its context draws in CSS pixels. */
function sized(canvas, width, height) {
  const scale = devicePixelRatio || 1;
  const wide = Math.round(width * scale), high = Math.round(height * scale);
  if (canvas.width !== wide || canvas.height !== high) {
    canvas.width = wide;
    canvas.height = high;
  }
  canvas.style.width = `${wide / scale}px`;
  canvas.style.height = `${high / scale}px`;
  const to = canvas.getContext("2d");
  to.setTransform(scale, 0, 0, scale, 0, 0);
  to.clearRect(0, 0, width, height);
  return to;
}

// The axis ----------------------------------------------------------------------------------------------------------

const STEPS = [
  ...[1, 5, 15, 30].map((many) => ({ unit: "minute", many, room: 46 })),
  ...[1, 2, 3, 6, 12].map((many) => ({ unit: "hour", many, room: 46 })),
  { unit: "day", many: 1, room: 22 },
  { unit: "week", many: 1, room: 24 },
  ...[1, 3, 6].map((many) => ({ unit: "month", many, room: 36 })),
  ...[1, 2, 5, 10, 25, 100, 500, 2000].map((many) => ({ unit: "year", many, room: 44 })),
];
const LENGTH = { minute: 60, hour: HOUR, day: DAY, week: 7 * DAY, month: 30.4 * DAY, year: 365.25 * DAY };
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** The finest step whose labels have room. */
function stepFor(view, width) {
  const second = width / (view.to - view.from);
  return STEPS.find((step) => LENGTH[step.unit] * step.many * second >= step.room) ?? STEPS.at(-1);
}

/** The start of the step that holds a second. */
function floorTo(second, { unit, many }) {
  if (unit === "month" || unit === "year") {
    const date = new Date(second * 1000);
    const months = date.getUTCFullYear() * 12 + date.getUTCMonth();
    const size = unit === "year" ? many * 12 : many;
    return startOfMonth(Math.floor(months / size) * size);
  }
  const length = LENGTH[unit] * many, shift = unit === "week" ? 4 * DAY : 0; // 1970-01-05 was a Monday
  return Math.floor((second - shift) / length) * length + shift;
}

function startOfMonth(months) {
  const date = new Date(0);
  date.setUTCFullYear(Math.floor(months / 12), ((months % 12) + 12) % 12, 1);
  return date.getTime() / 1000;
}

/** The start of the next step. */
function after(second, step) {
  return floorTo(second + LENGTH[step.unit] * step.many * 1.5, step);
}

/** The seconds in view at which a step starts. */
function ticks(view, step) {
  const found = [];
  for (let at = floorTo(view.from, step); at < view.to; at = after(at, step)) found.push(at);
  return found;
}

/** The coarser step that the upper line of the axis names. */
function above({ unit }) {
  if (unit === "minute" || unit === "hour") return { unit: "day", many: 1 };
  if (unit === "day" || unit === "week") return { unit: "month", many: 1 };
  return unit === "month" ? { unit: "year", many: 1 } : null;
}

function label(second, unit) {
  const text = clock(second), date = new Date(second * 1000);
  if (unit === "minute" || unit === "hour") return text.slice(11, 16);
  if (unit === "day" || unit === "week") return String(date.getUTCDate());
  return unit === "month" ? MONTHS[date.getUTCMonth()] : text.slice(0, 4);
}

function upperLabel(second, unit, room) {
  const date = new Date(second * 1000), year = date.getUTCFullYear();
  if (unit === "year") return String(year);
  const month = `${MONTHS[date.getUTCMonth()]} ${year}`;
  if (unit === "month") return room > 66 ? month : MONTHS[date.getUTCMonth()];
  const day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
  return room > 110 ? `${WEEKDAYS[date.getUTCDay()]} ${day} ${year}` : room > 44 ? day : String(date.getUTCDate());
}

/**
 * Draw the axis: steps below, what they are part of above, which stays in sight at the left; and `now`, where all
 * clocks agree on it.
 */
function drawAxis(canvas, view, width, palette, now) {
  const to = sized(canvas, width, 36);
  const step = stepFor(view, width), upper = above(step);
  const x = (second) => ((second - view.from) / (view.to - view.from)) * width;
  to.textBaseline = "middle";
  to.strokeStyle = palette.line;
  to.lineWidth = 1;
  to.font = `12px ${FONT}`;
  to.fillStyle = palette.dim;
  for (const second of ticks(view, step)) {
    const left = Math.round(x(second)) + 0.5;
    line(to, left, upper ? 19 : 10, 36);
    const text = label(second, step.unit), room = to.measureText(text).width;
    if (left >= 0 && left + room + 5 <= width) to.fillText(text, left + 4, 28);
  }
  if (now && now > view.from && now < view.to) drawNowLabel(to, x(now), width, palette);
  if (!upper) return;
  const starts = ticks(view, upper);
  starts.forEach((second, at) => {
    const left = Math.max(0, Math.round(x(second))), end = at + 1 < starts.length ? x(starts[at + 1]) : width;
    if (second > view.from) line(to, left + 0.5, 3, 36);
    to.font = `600 12px ${FONT}`;
    to.fillStyle = palette.text;
    const text = upperLabel(second, upper.unit, end - left - 8);
    if (to.measureText(text).width + 6 <= end - left) to.fillText(text, left + 4, 10);
  });
}

function drawNowLabel(to, at, width, palette) {
  const left = Math.max(0, Math.min(width - 32, at - 16));
  to.fillStyle = palette.text;
  to.beginPath();
  to.roundRect(left, 21, 32, 14, 3);
  to.fill();
  to.font = `600 11px ${FONT}`;
  to.fillStyle = palette.back;
  to.textAlign = "center";
  to.fillText("now", left + 16, 28.5);
  to.textAlign = "left";
}

function line(to, x, top, bottom) {
  to.beginPath();
  to.moveTo(x, top);
  to.lineTo(x, bottom);
  to.stroke();
}

// A row -------------------------------------------------------------------------------------------------------------

/** How high a row's canvas is. */
function rowHeight(heat) {
  return LANE + BAR + (heat ? STRIP + 4 : 0) + 2;
}

/** Draw a table's time. `chosen` is the segment to outline, -1 for none; `now` is 0 where no clock is known. */
function drawRow(canvas, table, view, width, palette, { now, heat, chosen, only }) {
  const to = sized(canvas, width, rowHeight(heat));
  const x = (second) => ((second - view.from) / (view.to - view.from)) * width;
  const strip = heat && table && table.days.length > 0;
  const floor = LANE + BAR + (strip ? STRIP + 4 : 0);
  to.fillStyle = palette.track;
  to.fillRect(0, LANE, width, BAR);
  drawGrid(to, view, width, floor, palette);
  if (table) {
    const found = runs(table, view, width);
    drawRuns(to, found, palette, only);
    drawJoints(to, table, x, width, palette);
    drawMarks(to, found, palette, only);
    if (strip) drawHeat(to, table, view, width, palette);
    if (chosen >= 0) drawChosen(to, ...pixels(table, chosen, x), palette);
  }
  if (now && now > view.from && now < view.to) drawNow(to, Math.round(x(now)), floor, palette);
}

function drawGrid(to, view, width, floor, palette) {
  const step = stepFor(view, width), upper = above(step);
  to.lineWidth = 1;
  to.strokeStyle = palette.line;
  for (const [kind, alpha] of [[step, 0.55], [upper, 1]]) {
    if (!kind) continue;
    to.globalAlpha = alpha;
    for (const second of ticks(view, kind)) {
      const left = Math.round(((second - view.from) / (view.to - view.from)) * width) + 0.5;
      if (left > 0) line(to, left, LANE, floor);
    }
  }
  to.globalAlpha = 1;
}

/** Where a segment is drawn: at least two pixels. */
function pixels(table, at, x) {
  const left = x(table.start[at]);
  return [left, Math.max(x(table.end[at]), left + 2)];
}

/** What each pixel shows, the most urgent of all that fall there, as runs: {left, right, status, again}. */
function runs(table, view, width) {
  const scale = width / (view.to - view.from), shown = new Uint8Array(Math.ceil(width));
  for (let at = 0; at < table.size; at++) {
    if (table.end[at] <= view.from || table.start[at] >= view.to) continue;
    const from = (table.start[at] - view.from) * scale, to = Math.max((table.end[at] - view.from) * scale, from + 2);
    const look = (STATUSES.length - table.status[at]) * 2 + table.again[at];
    const first = Math.min(Math.max(0, Math.round(from)), shown.length - 1);
    const last = Math.max(first + 1, Math.min(shown.length, Math.round(to)));
    for (let pixel = first; pixel < last; pixel++) {
      if (shown[pixel] < look) shown[pixel] = look;
    }
  }
  const found = [];
  for (let left = 0, right; left < shown.length; left = right) {
    for (right = left + 1; right < shown.length && shown[right] === shown[left]; ) right++;
    if (!shown[left]) continue;
    const status = STATUSES[STATUSES.length - (shown[left] >> 1)];
    found.push({ left, right, status, again: shown[left] & 1 });
  }
  return found;
}

function drawRuns(to, found, palette, only) {
  for (const run of found) {
    to.globalAlpha = !only || only.has(run.status) ? 1 : 0.3;
    drawRun(to, run, palette);
  }
  to.globalAlpha = 1;
}

/** Write what needs somebody into its bar, or above it where there is no room. */
function drawMarks(to, found, palette, only) {
  let free = -Infinity;
  const urgent = found.filter((run) => MARKS[run.status] && run.status !== "rerun" && (!only || only.has(run.status)));
  for (const run of urgent) {
    const width = run.right - run.left, middle = (run.left + run.right) / 2;
    if (drawWord(to, run, width, middle, palette) || middle - 5 < free) continue;
    to.font = `800 11px ${FONT}`;
    to.textAlign = "center";
    to.textBaseline = "middle";
    to.fillStyle = palette[run.status];
    to.fillText(MARKS[run.status], middle, LANE / 2);
    to.textAlign = "left";
    free = middle + 5;
  }
}

function drawRun(to, { left, right, status, again }, palette) {
  const width = right - left, high = again ? BAR - 5 : BAR;
  to.fillStyle = width < 4 ? palette[status] : palette.patterns[status] ?? palette[status];
  to.fillRect(left, LANE, width, high);
  if (width >= 4 && status !== "triggered" && status !== "rerun") {
    to.strokeStyle = palette[status];
    to.lineWidth = 1.5;
    to.strokeRect(left + 0.75, LANE + 0.75, width - 1.5, high - 1.5);
  }
  if (again) {
    to.fillStyle = palette.back;
    to.fillRect(left, LANE + high, width, 1);
    to.fillStyle = palette.triggered;
    to.fillRect(left, LANE + BAR - 4, width, 4);
  }
}

/** Write a status into its bar where there is room: its word, or its mark alone. Says whether there was. */
function drawWord(to, { left, status, again }, width, middle, palette) {
  to.font = `650 11px ${FONT}`;
  const whole = `${MARKS[status]} ${WORDS[status]}`;
  const text = to.measureText(whole).width + 18 <= width ? whole : width >= 28 && !again ? MARKS[status] : "";
  if (!text) return false;
  const room = to.measureText(text).width + 8, high = (again ? BAR - 5 : BAR) - 4;
  to.fillStyle = palette.back;
  to.beginPath();
  to.roundRect(Math.max(middle - room / 2, left + 2), LANE + 2, room, high, 3);
  to.fill();
  to.fillStyle = palette[status];
  to.textBaseline = "middle";
  to.textAlign = "center";
  to.fillText(text, middle, LANE + 2 + high / 2 + 0.5);
  to.textAlign = "left";
  return true;
}

/** Part pieces that touch by a thin line, where both are wide enough to be told apart. */
function drawJoints(to, table, x, width, palette) {
  to.fillStyle = palette.back;
  let before = -Infinity;
  for (let at = 0; at < table.size; at++) {
    const [left, right] = pixels(table, at, x);
    if (left > width) break;
    if (left - before < 1 && left > 0 && right - left > 5) to.fillRect(Math.round(left) - 0.5, LANE, 1, BAR);
    before = right - left > 5 ? right : -Infinity;
  }
}

function drawChosen(to, left, right, palette) {
  to.strokeStyle = palette.text;
  to.lineWidth = 2;
  to.strokeRect(left - 2, LANE - 2, right - left + 4, BAR + 4);
}

function drawNow(to, left, floor, palette) {
  to.fillStyle = palette.text;
  to.fillRect(left - 0.5, LANE - 3, 1, floor - LANE + 3);
  to.beginPath();
  to.moveTo(left - 3.5, LANE - 5);
  to.lineTo(left + 3.5, LANE - 5);
  to.lineTo(left, LANE);
  to.fill();
}
