// The heat strip under a timeline: how many instances of each day were triggered, where a schedule is known.

const CELLS = [
  { unit: "day", many: 1, words: "day" },
  { unit: "week", many: 1, words: "week" },
  { unit: "month", many: 1, words: "month" },
  { unit: "year", many: 1, words: "year" },
];

/** What a cell of the strip stands for: days, or weeks, months, years where days are too narrow. */
function cellFor(view, width) {
  return CELLS.find((cell) => (LENGTH[cell.unit] * width) / (view.to - view.from) >= 4) ?? CELLS.at(-1);
}

/** How many instances lie before a day. */
function instancesBefore(days, day) {
  let low = 0, high = days.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (days[middle].day <= day) low = middle + 1;
    else high = middle;
  }
  if (!low) return 0;
  const run = days[low - 1];
  return run.number + Math.min(day - run.day, run.days) * run.each;
}

/** The first status that says that a call was sent and accepted. */
const SENT = STATUSES.indexOf("rerun");

/** The cells of the strip in view: {from, to, all, done, asked}: `done` of `all` instances were triggered. */
function heatCells(table, view, width) {
  const cell = cellFor(view, width), cells = [];
  let at = 0;
  for (const from of ticks(view, cell)) {
    const to = after(from, cell);
    const first = instancesBefore(table.days, from / DAY), end = instancesBefore(table.days, to / DAY);
    if (first === end) continue;
    while (at < table.size && (table.number[at] < 0 || table.number[at] + table.instances[at] <= first)) at++;
    let done = 0, asked = false;
    for (let piece = at; piece < table.size && !(table.number[piece] >= end); piece++) {
      const here = Math.min(end, table.number[piece] + table.instances[piece]) - Math.max(first, table.number[piece]);
      if (table.number[piece] < 0 || here <= 0) continue;
      asked = true;
      if (table.again[piece] || table.status[piece] >= SENT) done += here;
    }
    cells.push({ from, to, all: end - first, done, asked });
  }
  return cells;
}

function drawHeat(to, table, view, width, palette) {
  const top = LANE + BAR + 4, x = (second) => ((second - view.from) / (view.to - view.from)) * width;
  to.font = `10px ${FONT}`;
  to.textBaseline = "middle";
  to.textAlign = "center";
  for (const cell of heatCells(table, view, width)) {
    const left = Math.round(x(cell.from)), right = Math.round(x(cell.to)), wide = Math.max(1, right - left - 1);
    const share = cell.done / cell.all;
    to.fillStyle = palette.track;
    to.fillRect(left, top, wide, STRIP);
    if (share) {
      to.globalAlpha = 0.25 + 0.75 * share;
      to.fillStyle = palette.triggered;
      to.fillRect(left, top, wide, STRIP);
      to.globalAlpha = 1;
    }
    const seen = Math.min(width, right) - Math.max(0, left), middle = Math.max(0, left) + seen / 2;
    const texts = share === 1 || !share ? [String(cell.done)] : [`${cell.done}/${cell.all}`, String(cell.done)];
    const text = texts.find((some) => to.measureText(some).width + 6 <= seen);
    if (!text || !cell.asked) continue;
    to.fillStyle = legible(share ? mix(palette.triggered, palette.track, 0.25 + 0.75 * share) : palette.track, palette);
    to.fillText(text, middle, top + STRIP / 2 + 0.5);
  }
  to.textAlign = "left";
}

/** A colour of the theme as three numbers. */
function channels(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

function mix(over, under, share) {
  const below = channels(under);
  return channels(over).map((value, at) => value * share + below[at] * (1 - share));
}

/** The colour of the theme, text or back, that reads better on a ground. Source: WCAG 2.2, relative luminance. */
function legible(ground, palette) {
  const behind = luminance(typeof ground === "string" ? channels(ground) : ground);
  const contrast = (name) => {
    const [dark, bright] = [luminance(channels(palette[name])), behind].sort((one, other) => one - other);
    return (bright + 0.05) / (dark + 0.05);
  };
  return contrast("text") >= contrast("back") ? palette.text : palette.back;
}

function luminance(rgb) {
  const [red, green, blue] = rgb.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
