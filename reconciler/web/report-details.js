// What is told of a segment: in one sentence for those who hear it, in full for those who look.

/** An element with a class and children; strings become text. */
function make(tag, name, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...children.filter((child) => child !== null && child !== ""));
  return element;
}

/** Text from outside, kept from turning the text around it. */
function outside(text, name = "") {
  const element = make("bdi", name, text);
  element.dir = "auto";
  return element;
}

function code(text) {
  return make("code", "", outside(text));
}

/** The segment in words: "owed, will run again". */
function statusWords(table, at) {
  const status = STATUSES[table.status[at]];
  const lines = table.of[at].filter((fact) => table.facts[fact].kind === "line").length;
  if (table.again[at]) return `${WORDS[status]}, over what was triggered before`;
  if (status === "rerun" && lines > 1) return `rerun, triggered ${lines} times`;
  return WORDS[status];
}

/** The first and the last instant of a segment, or its only one. */
function spanText(table, at) {
  const first = clock(table.start[at]), last = clock(table.last[at]);
  return first === last ? first : `${first} .. ${last}`;
}

function instancesText(table, at) {
  return table.instances[at] ? count(table.instances[at], "instance") : "";
}

/** A segment in one sentence. */
function sentence(index, row, table, at) {
  const parts = [
    statusWords(table, at),
    spanText(table, at).replace(" .. ", " to "),
    instancesText(table, at),
    `piece ${at + 1} of ${table.size}`,
    told(table, at),
  ];
  return `${parts.filter(Boolean).join(", ")}.`;
}

function told(table, at) {
  const status = STATUSES[table.status[at]], facts = table.of[at].map((fact) => table.facts[fact]);
  const fact = facts.findLast((one) => fits(one, status)) ?? facts.at(-1);
  if (fact?.kind === "call") return fact.held ? `held because: ${fact.held[1]}` : `call to make for ${fact.requests.join(", ")}`;
  if (fact?.kind === "upstream") return `a call for ${fact.table} covers it`;
  if (fact?.kind === "doubt") return `call ${fact.id} since ${fact.since}`;
  if (fact?.kind === "line") return `triggered at ${fact.when} by call ${fact.id} for ${fact.requests.join(", ")}`;
  return "";
}

/** Whether a fact is what a status comes of. */
function fits(fact, status) {
  if (status === "inDoubt") return fact.kind === "doubt";
  if (status === "triggered" || status === "rerun") return fact.kind === "line";
  return (fact.kind === "call" || fact.kind === "upstream") && Boolean(fact.held) === (status === "held");
}

/** Everything that is known of a segment, as elements. */
function details(index, row, table, at) {
  const facts = table.of[at].map((fact) => table.facts[fact]);
  const of = (kind) => facts.filter((fact) => fact.kind === kind);
  const status = STATUSES[table.status[at]];
  const head = make("h2", "", swatch(status, table.again[at]), capital(statusWords(table, at)));
  const zone = index.targets[index.target[row]][1];
  const span = make("p", "span", make("strong", "", spanText(table, at)));
  const around = [instancesText(table, at), zone].filter(Boolean).join(" · ");
  const where = make("p", "dim where", outside(index.name[row]), " on ", outside(index.targets[index.target[row]][0]));
  return [
    head, where, span, around ? make("p", "dim", around) : "",
    ...of("doubt").map(doubtBlock),
    ...of("call").map(callBlock),
    ...of("upstream").map(upstreamBlock),
    ...linesBlocks(index, of("line"), of("request")),
    askedBlock(of("request"), index.asked[row]),
  ].filter(Boolean);
}

function capital(text) {
  return text[0].toUpperCase() + text.slice(1);
}

function swatch(status, again) {
  const element = make("span", "swatch");
  element.dataset.status = status;
  if (again) element.dataset.again = "true";
  return element;
}

/** A titled block of a list of terms; terms without a value are left out. */
function block(title, rows, ...more) {
  const list = make("dl", "");
  for (const [term, value] of rows) {
    if (value === null || value === "" || value?.length === 0) continue;
    list.append(make("dt", "", term), make("dd", "", ...[value].flat()));
  }
  return make("section", "", make("h3", "", ...[title].flat()), list, ...more);
}

/** Texts from outside, one under the other. */
function listing(texts) {
  return texts.map((text) => make("div", "", code(text)));
}

function callRows(call) {
  return [
    ["Call", code(call.id)],
    ["Requests", listing(call.requests)],
    ["Rerun", listing(call.rerun)],
    ["Approved by", call.approvers.length ? outside(call.approvers.join(", ")) : ""],
    ["Covers", listing([...call.covers.map(([name, id]) => `${name} ${id}`), ...(call.more ? [`and ${number.format(call.more)} more`] : [])])],
  ];
}

function body(call) {
  return make("pre", "", `${call.method}\n`, outside(call.body));
}

function doubtBlock(doubt) {
  const rows = [...callRows(doubt), ["Run", code(doubt.run)], ["By", outside(doubt.by)], ["Manifests", commit(doubt.commit)]];
  if (doubt.part) rows.push(["Part of", code(`${doubt.part[0]} ${doubt.part[1]}`)]);
  const ways = doubt.ways.length
    ? [make("p", "", "It is never sent again by itself. Look in the scheduler whether it ran, and say so:"), make("pre", "", doubt.ways.join("\n"))]
    : [make("p", "", "That run is under way in this clone: wait for it.")];
  return block(["In doubt since ", outside(doubt.since)], rows, body(doubt), ...ways);
}

function callBlock(call) {
  const title = call.held ? `Held: ${call.held[0]}` : call.rerun.length ? "To make, as a rerun" : "To make with the next apply";
  return block(title, callRows(call), call.held ? make("p", "why", outside(call.held[1])) : "", body(call));
}

function upstreamBlock(call) {
  const rows = [["Upstream", code(call.table)], ...callRows(call), ["Instead of", code(call.instead[0])]];
  const title = call.held ? `A held call upstream covers it: ${call.held[0]}` : "A call upstream covers it";
  return block(title, rows, call.held ? make("p", "why", outside(call.held[1])) : "", body(call));
}

/** Triggers that are told of one piece. */
const LINES = 30;

/** The triggers, newest first; each but the first was superseded by the one told before it. */
function linesBlocks(index, lines, requests) {
  const reasons = new Map(requests.map((request) => [request.key, request.reason]));
  const shown = lines.map((made, at) => [made, lines[at + 1]]).slice(-LINES).reverse();
  const left = lines.length - shown.length;
  return [
    ...shown.map(([made, later]) => lineBlock(index, made, later, reasons)),
    left ? make("p", "dim", `and ${count(left, "older trigger")}: reconciler history has all of them`) : "",
  ];
}

function lineBlock(index, made, later, reasons) {
  const why = [...new Set(made.requests.map((key) => reasons.get(key)).filter(Boolean))];
  const rows = [
    ["Call", code(made.id)],
    ["Sent", madeSpan(made)],
    ["Requests", listing(made.requests)],
    ["Rerun", listing(made.rerun)],
    ["Reason", why.map((reason) => make("div", "", outside(reason)))],
    ["Approved by", made.approvers.length ? outside(made.approvers.join(", ")) : ""],
    ["Manifests", commit(made.commit)],
    ["traceId", made.trace ? code(made.trace) : "not known"],
    ["Run", code(made.run)],
    ["Covered by", made.covered ? code(`${made.covered[0]} ${made.covered[1]}`) : ""],
    ["Superseded", later ? ["by call ", code(later.id), ` at ${later.when}`] : ""],
  ];
  return block(["Triggered at ", make("time", "", outside(made.when))], rows);
}

/** The times of a call as its body wrote them; of many points the first few. */
function madeSpan(made) {
  if (made.method === "scheduleTimeRange") return `${clock(made.times[0])} .. ${clock(made.times[1])}`;
  const more = made.times.length > 6 ? ` and ${number.format(made.times.length - 6)} more` : "";
  return made.times.slice(0, 6).map(clock).join(", ") + more;
}

/** A commit, which is a link where the forge is known: to https alone. */
function commit(name) {
  const shown = code(/^[0-9a-f]{40,64}$/.test(name) ? name.slice(0, 12) : name);
  const base = document.body.dataset.commits;
  if (!base?.startsWith("https://") || !/^[0-9a-f]{7,64}$/.test(name)) return shown;
  const link = make("a", "", shown);
  link.href = base + name;
  link.rel = "noopener noreferrer";
  return link;
}

function askedBlock(requests, declared) {
  if (!requests.length) {
    return make("p", "dim asked", declared ? "No request asks for this piece any more." : "No manifest asks for this table.");
  }
  const rows = requests.slice(0, 20).map((request) => [
    code(request.key),
    [
      request.token ? make("div", "", "rerun ", code(request.token)) : "",
      request.reason ? make("div", "", outside(request.reason)) : "",
      request.owner ? make("div", "dim", "owner ", outside(request.owner)) : "",
    ].filter(Boolean),
  ]);
  const list = make("ul", "");
  for (const [key, more] of rows) list.append(make("li", "", key, ...more));
  const left = requests.length - rows.length;
  return make("section", "", make("h3", "", "Asked by"), list, left ? make("p", "dim", `and ${count(left, "request")} more`) : "");
}
