// What the page knows: the index of all tables, and the shards that hold what is drawn and told of each.
// Everything here is text from outside: it is shown by textContent alone, never as markup.

/** Statuses in the order of their urgency: of several that fall into one pixel the first is drawn. */
const STATUSES = ["inDoubt", "held", "owed", "rerun", "triggered"];
const WORDS = { inDoubt: "in doubt", held: "held", owed: "owed", rerun: "rerun", triggered: "triggered" };
const MARKS = { inDoubt: "?", held: "!", owed: "+", rerun: "~", triggered: "" };
const HOUR = 3600;
const DAY = 86400;
/** Shards that are kept when they are out of sight. */
const KEPT = 48;

const number = new Intl.NumberFormat("en");

/** "1 call", "2 calls". */
function count(many, noun) {
  return `${number.format(many)} ${noun}${many === 1 ? "" : "s"}`;
}

/** A wall-clock second as the scheduler writes it: yyyy-MM-dd HH:mm:ss. */
function clock(second) {
  return new Date(second * 1000).toISOString().slice(0, 19).replace("T", " ");
}

/** The inverse of `clock`; NaN for other text. */
function parseClock(text) {
  return Date.parse(`${text.replace(" ", "T")}Z`) / 1000;
}

/** The text of an element that holds base64 of deflated JSON, as a value. */
async function unpack(element) {
  const stream = new DecompressionStream("deflate"), writer = stream.writable.getWriter();
  writer.write(bytesOf(element.textContent.trim()));
  writer.close();
  return JSON.parse(await new Response(stream.readable).text());
}

function bytesOf(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text), bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);
  return bytes;
}

/** The shards: unpacked when they are needed, forgotten when they were not for long. */
class Shards {
  constructor() {
    this.open = new Map();
    this.coming = new Map();
  }

  /** What is known of the table in row `at` of the index, or undefined where its shard is not unpacked yet. */
  table(index, at) {
    const shard = this.open.get(index.shard[at]);
    if (!shard) return undefined;
    this.open.delete(index.shard[at]);
    this.open.set(index.shard[at], shard);
    const place = index.place[at];
    return (shard.read[place] ??= readTable(shard.tables[place], shard));
  }

  /** Resolves once a shard is open. */
  load(name) {
    if (this.open.has(name)) return Promise.resolve();
    if (!this.coming.has(name)) this.coming.set(name, this.fetch(name));
    return this.coming.get(name);
  }

  /** A shard that is used once: it is kept where it was kept before. */
  async borrow(name) {
    return this.open.get(name) ?? (await (this.coming.get(name) ?? unpack(await found(`shard-${name}`))));
  }

  async fetch(name) {
    const shard = await unpack(await found(`shard-${name}`));
    shard.read = [];
    this.open.set(name, shard);
    this.coming.delete(name);
    for (const old of this.open.keys()) {
      if (this.open.size <= KEPT) break;
      this.open.delete(old);
    }
    return shard;
  }
}

/** Resolves with an element once the page has been read so far that it is there, whole. */
function found(id) {
  const whole = () => {
    const element = document.getElementById(id);
    return element && (element.nextElementSibling || document.readyState !== "loading") ? element : null;
  };
  return new Promise((resolve) => {
    const look = () => (whole() ? resolve(whole()) : setTimeout(look, 30));
    look();
  });
}

/** What is drawn of a table, without what is told of it. */
function readDrawn(columns) {
  return { ...readSegments(columns.segments), days: readDays(columns.days), of: [], last: null };
}

/** Columns of a table as an object: segments in typed arrays, facts in the order in which segments name them. */
function readTable(columns, shard) {
  const facts = [
    ...readRequests(columns.requests, shard),
    ...readLines(columns.lines, shard),
    ...columns.doubts.map((doubt) => ({ kind: "doubt", ...doubt })),
    ...columns.calls.map((call) => ({ kind: "call", ...call })),
    ...columns.upstream.map((call) => ({ kind: "upstream", ...call })),
  ];
  return { ...readSegments(columns.segments), days: readDays(columns.days), facts };
}

function readSegments(packed) {
  const size = packed.gap.length;
  const table = {
    size,
    start: new Float64Array(size),
    end: new Float64Array(size),
    last: new Float64Array(size),
    number: new Float64Array(size).fill(-1),
    instances: new Float64Array(size),
    status: new Uint8Array(size),
    again: new Uint8Array(size),
    of: [],
  };
  let end = 0, next = 0, numbered = 0, at = 0, before = [];
  for (let i = 0; i < size; i++) {
    table.start[i] = end + packed.gap[i];
    table.end[i] = end = table.start[i] + packed.length[i];
    table.last[i] = end - packed.rest[i];
    table.instances[i] = packed.instances[i];
    if (packed.instances[i]) {
      table.number[i] = next + packed.number[numbered++];
      next = table.number[i] + packed.instances[i];
    }
    table.status[i] = packed.look[i] >> 1;
    table.again[i] = packed.look[i] & 1;
    const here = [];
    for (let place = 0; place < packed.many[i]; place++) here.push(packed.facts[at++] + (before[place] ?? 0));
    table.of.push((before = here));
  }
  return table;
}

/** Runs of days with equally many instances: `day` it starts at (days since 1970), `number` of its first instance. */
function readDays(packed) {
  const runs = [];
  let day = packed.length ? packed[0] / DAY : 0, first = 0;
  for (let at = 1; at < packed.length; at += 2) {
    runs.push({ day, days: packed[at], each: packed[at + 1], number: first });
    first += packed[at] * packed[at + 1];
    day += packed[at];
  }
  return runs;
}

function readRequests(packed, shard) {
  return packed.key.map((key, at) => ({
    kind: "request",
    key: shard.texts[key],
    reason: shard.texts[packed.reason[at]],
    token: shard.texts[packed.token[at]],
    owner: shard.texts[packed.owner[at]],
  }));
}

function readLines(packed, shard) {
  const many = packed.run.length;
  if (!many) return [];
  const ids = packed.id.split("\n"), traces = packed.trace.split("\n");
  const spans = readSpans(packed);
  const listed = (at) => shard.lists[at].map((text) => shard.texts[text]);
  let moment = 0;
  return ids.map((id, at) => {
    const step = packed.at[at];
    const when = typeof step === "string" ? step : `${clock((moment += step))} UTC`;
    return {
      kind: "line", id, when, ...spans[at],
      trace: traces[at],
      rerun: listed(packed.rerun[at]),
      requests: listed(packed.requests[at]),
      approvers: listed(packed.approvers[at]),
      run: shard.texts[packed.run[at]],
      commit: shard.texts[packed.commit[at]],
      covered: packed.covered[at] ?? null,
    };
  });
}

function readSpans(packed) {
  let at = 0, before = 0;
  return packed.points.map((points) => {
    if (points <= 0) {
      const start = before + packed.times[at++], end = start + packed.times[at++];
      before = start;
      return { method: "scheduleTimeRange", times: [start, points ? end : end - 1] };
    }
    const times = [];
    for (let i = 0; i < points; i++) times.push((before += packed.times[at++]));
    before = times[0];
    return { method: "scheduleTime", times };
  });
}

/** The counts of a row of the index in words, the most urgent first: [[status or "", text], ...]. */
function counted(index, at) {
  const [doubts, held, owed, reruns, triggered] = index.counts[at];
  const words = [];
  if (doubts) words.push(["inDoubt", `${number.format(doubts)} in doubt`]);
  if (held) words.push(["held", `${number.format(held)} held`]);
  if (owed) words.push(["owed", `${number.format(owed)} owed`]);
  if (reruns) words.push(["rerun", count(reruns, "rerun")]);
  if (triggered) words.push(["", `${number.format(triggered)} triggered`]);
  else if (!reruns) words.push(["", "nothing triggered yet"]);
  return words;
}
