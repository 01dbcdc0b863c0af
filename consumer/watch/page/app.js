/* The dashboard: /events in, figures out. What is not known is "n/a", what is old says so. */
"use strict";

const $ = (id) => document.getElementById(id);
const STALE_MS = 5000;
const group3 = new Intl.NumberFormat("en", { maximumFractionDigits: 0, useGrouping: true });
const known = (v) => v !== null && v !== undefined && !Number.isNaN(v);

const format = {
  count: (v) => (known(v) ? group3.format(v).replace(/,/g, "\u202f") : "n/a"),
  rate: (v) => (!known(v) ? "n/a" : v > 0 && v < 10 ? v.toFixed(1) : format.count(Math.max(0, v))),
  seconds(v, atLeast) {
    if (!known(v)) return "n/a";
    const sign = atLeast ? "≥\u202f" : "";
    if (v === 0) return sign + "0\u202fs";
    if (v < 0.001) return sign + Math.round(v * 1e6) + "\u202fµs";
    if (v < 1) return sign + (v * 1000).toFixed(v < 0.01 ? 1 : 0) + "\u202fms";
    if (v < 9.95) return sign + v.toFixed(1) + "\u202fs";
    const s = Math.round(v);
    if (s < 120) return sign + s + "\u202fs";
    if (s < 7200) return sign + Math.floor(s / 60) + "\u202fm\u202f" + (s % 60) + "\u202fs";
    return sign + Math.floor(s / 3600) + "\u202fh\u202f" + (Math.floor(s / 60) % 60) + "\u202fm";
  },
  clock: (ms) => new Date(ms).toLocaleTimeString([], { hour12: false }),
};

// Of a sum of which parts are unknown: what the others have.
const lagText = (v) => (!known(v.lag) && known(v.lag_known) ? "≥\u202f" + format.count(v.lag_known) : format.count(v.lag));

// What is in hand at any moment is no backlog: no forecast to the millisecond.
const drained = (v) => (v.lag === 0 ? "now" : known(v.eta_seconds) && v.eta_seconds < 1 ? "<\u202f1\u202fs" : format.seconds(v.eta_seconds));

const set = (id, text) => { const e = $(id); if (e.textContent !== text) e.textContent = text; };

function element(tag, attributes, ...children) {
  const e = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null) e.setAttribute(name, value);
  e.append(...children.filter((c) => c !== null));
  return e;
}

function svg(tag, attributes, ...children) {
  const e = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
  e.append(...children);
  return e;
}

/* ---- figures ---- */

function showHead(s) {
  const t = s.total;
  $("hero").dataset.level = s.health.level;
  set("health-title", s.health.title);
  set("health-text", s.health.text || "");
  set("group", "group " + s.group + (known(s.members) ? " · " + s.members + (s.members === 1 ? " member" : " members") : ""));
  set("lag", lagText(t));
  set("behind", format.seconds(t.lag_seconds, t.lag_seconds_at_least));
  set("eta", drained(t));
  set("slope", t.lag > 0 && !known(t.eta_seconds) ? "it does not shrink"
    : t.eta_seconds >= 1 ? "it shrinks by " + format.rate(t.eta_slope) + "/s" : "");
  set("rate-in", format.rate(t.rate_in));
  set("rate-out", format.rate(t.rate_out));
  set("p50", format.seconds(s.latency.p50_seconds, s.latency.p50_seconds_at_least));
  set("p99", format.seconds(s.latency.p99_seconds, s.latency.p99_seconds_at_least));
  set("dead", format.count(s.deadletters.total));
  set("workers", s.workers.count + (s.workers.auto ? " (auto)" : ""));
  set("workers-why", s.workers.reason || "");
  set("about", "wt-consumer " + s.version + " · up " + format.seconds((s.time_ms - s.started_ms) / 1000) +
    " · member " + (s.member || "n/a") + " · rebalances " + s.rebalances);
  document.title = (known(t.lag_known) ? lagText(t) + " behind" : "n/a") + " · " + s.health.title + " · Writethrough";
}

const stageNames = ["intake", "decode", "mysql", "redis", "settle"];

function stageBar(stages) {
  const total = stageNames.reduce((sum, n) => sum + (stages[n] || 0), 0);
  if (!total) return element("span", {}, "–");
  const words = stageNames.map((n) => n + " " + format.seconds(stages[n])).join(", ");
  const bar = svg("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", role: "img", "aria-label": words }, svg("title", {}, words));
  let x = 0;
  for (const n of stageNames) {
    const width = (100 * (stages[n] || 0)) / total;
    bar.append(svg("rect", { x, y: 0, width, height: 10, class: "f-" + n }));
    x += width;
  }
  return element("span", { class: "stages" }, bar, element("span", {}, format.seconds(total)));
}

const tone = { OK: "ok", WARN: "warn", STALL: "bad", STOP: "bad", REWIND: "warn", UNKNOWN: "" };

function stateCell(p) {
  const pills = [element("span", { class: "pill", "data-tone": tone[p.state] ?? "" }, p.state)];
  if (p.here && p.mode !== "running") pills.push(" ", element("span", { class: "pill", "data-tone": p.mode === "stopped" ? "bad" : "warn" }, p.mode));
  if (p.error) pills.push(element("span", { class: "why bad" }, (known(p.error_ms) ? format.clock(p.error_ms) + " " : "") + p.error));
  else if (p.state !== "OK") pills.push(element("span", { class: "why" }, p.reason));
  return element("td", { class: "full" }, ...pills);
}

function ownerText(p) {
  if (p.here) return p.worker === null ? "moving" : "worker " + p.worker;
  return p.owner ? p.owner.split("@")[0] : known(lastStatus.members) ? "nobody" : "n/a";
}

function row(p, manyTopics) {
  const n = (label, text) => element("td", { class: "n", "data-label": label }, text);
  return element("tr", { "data-partition": p.topic + "/" + p.partition },
    element("th", { scope: "row" }, (manyTopics ? p.topic + "/" : "") + p.partition),
    element("td", { class: "owner" }, ownerText(p)),
    stateCell(p),
    n("behind", format.count(p.lag)),
    n("seconds", format.seconds(p.lag_seconds, p.lag_seconds_at_least)),
    n("in/s", format.rate(p.rate_in)),
    n("out/s", format.rate(p.rate_out)),
    n("drained in", drained(p)),
    n("batch", p.here ? format.count(p.batch) : "–"),
    element("td", { class: "full" }, p.here ? stageBar(p.stages) : "–"),
    element("td", { "data-label": "cache" }, p.here ? p.cache : "–"));
}

/* Rewriting a table under a pointer or a screen reader every second is rude: only what differs. */
function keep(parent, rows) {
  rows.forEach((fresh, i) => {
    const old = parent.children[i];
    if (!old) parent.append(fresh);
    else if (!old.isEqualNode(fresh)) old.replaceWith(fresh);
  });
  while (parent.children.length > rows.length) parent.lastElementChild.remove();
}

function showPartitions(s) {
  const manyTopics = new Set(s.partitions.map((p) => p.topic)).size > 1;
  keep($("partitions").tBodies[0], s.partitions.map((p) => row(p, manyTopics)));
}

function showLists(s) {
  const d = s.deadletters;
  keep($("reasons"), Object.keys(d.reasons).length
    ? Object.entries(d.reasons).map(([reason, n]) => element("span", { class: "pill", "data-tone": "warn" }, reason + " " + format.count(n)))
    : [element("span", {}, "None. No record was refused.")]);
  keep($("letters"), d.recent.map((l) => element("li", {}, element("time", {}, format.clock(l.time_ms)),
    element("strong", {}, l.reason || ""), " " + l.topic + "/" + l.partition + " at " + format.count(l.offset) + (l.text ? ": " + l.text : ""))));
  keep($("store-errors"), s.store_errors.map((e) => element("span", { class: "pill", "data-tone": "warn" }, e.store + " " + e.class + " " + format.count(e.count))));
  keep($("events"), s.marks.length ? s.marks.slice().reverse().map((m) => element("li", {}, element("time", {}, format.clock(m.time_ms)),
    element("strong", {}, m.kind), m.text ? " " + m.text : "")) : [element("li", {}, "Nothing yet.")]);
}

let lastStatus = null;
let lastAt = 0;

function show(s) {
  lastStatus = s;
  lastAt = Date.now();
  showHead(s);
  showPartitions(s);
  showLists(s);
  charts.setMarks(s.marks);
  charts.add({ t: s.time_ms, lag: s.total.lag, rate_in: s.total.rate_in, rate_out: s.total.rate_out, p50: s.latency.p50_seconds, p99: s.latency.p99_seconds });
  if (!document.hidden) charts.draw();
  $("chart-lag").setAttribute("aria-label", "Records behind over time, now " + lagText(s.total));
}

/* ---- the connection ---- */

let source = null;

function setLive(live, words) {
  $("link").dataset.live = live;
  set("link-text", words);
  document.body.classList.toggle("stale", live === "no");
  $("gone").hidden = live !== "no";
  if (live === "no") set("gone", words + ". The figures below are from then; trying again.");
}

function lost() {
  if (!lastAt) setLive("no", "Not connected yet");
  else setLive("no", "Disconnected since " + format.clock(lastAt));
}

async function fillHistory() {
  try {
    const answer = await fetch("/history?since=" + charts.last());
    if (answer.ok) charts.addHistory(await answer.json());
    charts.draw();
  } catch { /* the next connection tries again */ }
}

function connect() {
  source?.close();
  source = new EventSource("/events");
  let first = true;
  source.onopen = () => { first = true; }; // the browser connects again by itself, too
  source.addEventListener("status", async (event) => {
    if (first) {
      first = false;
      await fillHistory();
      setLive("yes", "live");
    }
    show(JSON.parse(event.data));
  });
  source.onerror = lost;
}

/* A connection that is open and silent is none. */
setInterval(() => {
  if (source && source.readyState !== EventSource.CLOSED && Date.now() - lastAt < STALE_MS) return;
  lost();
  connect();
}, STALE_MS);

/* ---- control ---- */

function ask(title, text) {
  const dialog = $("ask");
  set("ask-title", title);
  set("ask-text", text);
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}

async function post(path, body, done) {
  const headers = { "Content-Type": "application/json" };
  if ($("token").value) headers.Authorization = "Bearer " + $("token").value;
  try {
    const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
    const words = await answer.json();
    if (answer.status === 401) $("token").value = "";
    set("answer", answer.ok ? done : answer.status + ": " + (words.detail || words.title));
  } catch {
    set("answer", "Not sent: no connection.");
  }
}

$("control").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = $("count").value.trim();
  if (await ask("Change the workers?", "From " + lastStatus?.workers.count + " to " + text + ". No record is lost; partitions move at a batch's end."))
    post("/workers", { count: text === "auto" ? "auto" : Number(text) }, "Asked for " + text + ".");
});

$("drain").addEventListener("click", async () => {
  if (await ask("Drain and stop?", "The batches in hand are finished and committed, then this process leaves the group and ends."))
    post("/drain", {}, "Draining.");
});

for (const button of document.querySelectorAll("[data-minutes]"))
  button.addEventListener("click", () => {
    for (const b of document.querySelectorAll("[data-minutes]")) b.setAttribute("aria-pressed", b === button);
    charts.setRange(Number(button.dataset.minutes));
  });

function applyTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
}
applyTheme(localStorage.getItem("theme"));
$("theme").addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  localStorage.setItem("theme", dark ? "light" : "dark");
  applyTheme(dark ? "light" : "dark");
  charts.repaint();
});
document.addEventListener("visibilitychange", () => { if (!document.hidden) charts.draw(); });

charts.start(format);
connect();
