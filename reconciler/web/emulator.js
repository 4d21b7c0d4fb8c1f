"use strict";
// Keeps the page as the emulator is: asks every second whether anything came, and changes only what is different, so
// that scroll, focus and what was opened stay. What comes is parsed without being run, and names in it are text.
(() => {
  const EVERY = 1000;
  const pause = document.getElementById("pause");
  const live = document.getElementById("live");
  let paused = pause.getAttribute("aria-pressed") === "true";
  let gone = false;
  let timer = 0;

  const main = () => document.getElementById("main");

  const say = (text) => {
    if (live.textContent !== text) live.textContent = text;
  };

  /** The address of this page, asking for it only where it is not the one that was seen. */
  const address = () => {
    const here = new URL(location.href);
    here.searchParams.set("seen", main().dataset.seen);
    here.hash = "";
    return here;
  };

  /** Makes the rows of a table those of another, by their keys; of rows that both have, what differs. */
  const mergeRows = (old, fresh) => {
    const mine = new Map([...old.rows].map((row) => [row.dataset.key, row]));
    const rows = [...fresh.rows];
    const keys = new Set(rows.map((row) => row.dataset.key));
    for (const [key, row] of mine) if (!keys.has(key)) row.remove();
    let at = old.firstElementChild;
    for (const row of rows) {
      const known = mine.get(row.dataset.key);
      if (!known) row.classList.add("new");
      if (known && known === at) at = at.nextElementSibling;
      else old.insertBefore(known || row, at);
      if (known && !("fixed" in old.dataset)) mergeRow(known, row);
    }
  };

  const mergeRow = (old, fresh) => {
    const cells = [...fresh.cells];
    [...old.cells].forEach((cell, at) => mergeNode(cell, cells[at]));
  };

  /** Makes a piece of the page another, by as little as it takes: a link that has the focus keeps it. */
  const mergeNode = (old, fresh) => {
    if (old.isEqualNode(fresh)) return;
    const [mine, others] = [[...old.childNodes], [...fresh.childNodes]];
    const alike = old.cloneNode(false).isEqualNode(fresh.cloneNode(false)) && old.localName !== "svg";
    if (alike && mine.length && mine.length === others.length) mine.forEach((node, at) => mergeNode(node, others[at]));
    else old.replaceWith(fresh);
  };

  const merge = (fresh) => {
    for (const part of fresh.querySelectorAll("[data-part]")) {
      const old = document.querySelector(`[data-part="${part.dataset.part}"]`);
      if (part.localName === "tbody") mergeRows(old, part);
      else if (!old.isEqualNode(part)) old.replaceChildren(...part.childNodes);
    }
  };

  const plural = (number, noun) => `${number.toLocaleString("en")} new ${noun}${number === 1 ? "" : "s"}`;

  const tell = (before, after) => {
    const runs = after.runs - before.runs;
    const calls = after.calls - before.calls;
    if (runs > 0) say(plural(runs, "run"));
    else if (calls > 0) say(`${plural(calls, "call")}, nothing ran`);
    else say("The emulator was started again.");
  };

  const look = async () => {
    const answer = await fetch(address(), { cache: "no-store" });
    if (answer.status === 204) return false;
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
    const before = { ...main().dataset };
    merge(fresh);
    Object.assign(main().dataset, fresh.dataset);
    tell(before, fresh.dataset);
    return true;
  };

  const setGone = (now) => {
    gone = now;
    document.documentElement.classList.toggle("gone", now);
  };

  const turn = async () => {
    const begun = performance.now();
    try {
      const changed = await look();
      if (gone && !changed) say("The emulator is back.");
      setGone(false);
    } catch {
      setGone(true);
      say("The emulator is gone: this is what it showed last.");
    }
    plan(Math.max(EVERY, 10 * (performance.now() - begun)));
  };

  /** Looks again in a second, less often where answers take long: calls come first. Not while paused or unseen. */
  const plan = (wait = EVERY) => {
    clearTimeout(timer);
    if (!paused && !document.hidden) timer = setTimeout(turn, wait);
  };

  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    say(paused ? "Paused." : "Live.");
    plan(0);
  });
  document.addEventListener("visibilitychange", () => plan(0));
  pause.hidden = false;
  say(paused ? "Paused." : "Live: looks every second.");
  plan();
})();
