"use strict";
// The first page: a client of the public API like any other.
const $ = (id) => document.getElementById(id);
const state = { person: "", people: [], slot: "first_page" };

// ask calls the API with the key, if one was given, and returns the answer or throws
// an Error with the problem document's words.
async function ask(path, options = {}) {
  const headers = { ...(options.headers || {}) };
  const key = sessionStorage.getItem("key");
  if (key) headers.Authorization = "Bearer " + key;
  const response = await fetch(path, { ...options, headers });
  $("key-form").hidden = response.status !== 401 && response.status !== 403;
  const type = response.headers.get("Content-Type") || "";
  const body = type.includes("json") ? await response.json() : await response.text();
  if (!response.ok) {
    const where = (body.errors || []).map((e) => `${e.location || ""} ${e.message}`.trim()).join("; ");
    const error = new Error([body.detail || body.title || response.statusText, where].filter(Boolean).join(": "));
    error.status = response.status;
    throw error;
  }
  return body;
}

function problem(error) {
  $("problem").textContent = error ? error.message : "";
  $("problem").hidden = !error;
}

const element = (tag, props = {}, ...children) => {
  const e = Object.assign(document.createElement(tag), props);
  e.append(...children);
  return e;
};

// show fills an ordered list with items of an answer.
function show(list, items, acts) {
  list.replaceChildren(...items.map((item) => {
    const li = $("item").content.firstElementChild.cloneNode(true);
    li.querySelector(".title").textContent = item.title || item.item || item.id;
    li.querySelector(".tags").textContent = (item.categories || []).join(", ");
    li.querySelector(".why").textContent = why(item.reasons || []);
    for (const button of li.querySelectorAll("button")) {
      button.addEventListener("click", () => acts && act(button.dataset.act, item));
    }
    return li;
  }));
  if (!items.length) list.append(element("li", {}, element("span", { className: "hint", textContent: "Nothing to show." })));
}

// why puts the strongest reasons into one line.
function why(reasons) {
  const name = { als: "people with your taste", itemitem: "goes with", content: "similar to", popular: "popular" };
  return reasons.filter((r) => r.share >= 0.05).slice(0, 3).map((r) => {
    const because = (r.because || []).slice(0, 2).map((c) => c.title || c.item).join(", ");
    return `${name[r.component] || r.component} ${Math.round(r.share * 100)} %${because ? ": " + because : ""}`;
  }).join(" · ");
}

// act tells the server what the person did, then asks again, and says how long it
// took from the click to the changed list.
async function act(kind, item) {
  const event = {
    view: { event: "Product Viewed", properties: { product_id: item.id } },
    like: { event: "Product Added to Wishlist", properties: { product_id: item.id } },
    hide: { event: "Feedback Given", properties: { product_id: item.id, feedback: "hide" } },
  }[kind];
  const began = performance.now();
  const now = new Date().toISOString();
  const call = {
    ...event, type: "track", userId: state.person, messageId: crypto.randomUUID ? crypto.randomUUID() : String(Math.random()), timestamp: now,
    context: { rec: { request_id: state.request, slot: state.slot, position: item.position } },
  };
  try {
    await ask("/v1/batch", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ batch: [call], sentAt: now }) });
    await Promise.all([recommend(began), profile()]);
    problem(null);
  } catch (error) {
    problem(error);
  }
}

async function recommend(began = performance.now()) {
  if (!state.person) return;
  const query = new URLSearchParams({ n: "12", slot: state.slot });
  if ($("category").value) query.set("category", $("category").value);
  if ($("component").value) query.set("components", $("component").value);
  if ($("seen").checked) query.set("exclude_seen", "false");
  const answer = await ask(`/v1/recommendations/${encodeURIComponent(state.person)}?${query}`);
  state.request = answer.request_id;
  show($("list"), answer.items, true);
  const notes = [`${Math.max(1, Math.round(performance.now() - began))} ms`];
  if (!answer.known) notes.push("nobody we know: what is popular");
  if (answer.stale) notes.push("newest events not in it yet");
  $("fresh").textContent = notes.join(" · ");
}

function bars(title, values) {
  if (!values.length) return [];
  return [element("h2", { textContent: title }), element("div", { className: "bars" }, ...values.map(([name, share]) =>
    element("div", {}, element("span", { textContent: name, title: name }),
      element("meter", { min: 0, max: 1, value: share, textContent: share }), element("span", { textContent: Math.round(share * 100) + " %" }))))];
}

// likes shows a facet's values by their part of the interest in those shown: the
// API's own shares fade with time, and of somebody long away nothing would be seen.
function likes(facet, values) {
  const sum = values.reduce((total, v) => total + v.share, 0);
  return sum > 0 ? bars("Likes by " + facet, values.map((v) => [v.value, v.share / sum])) : [];
}

async function profile() {
  const box = $("profile");
  if (!state.person) return box.replaceChildren();
  let p;
  try {
    p = await ask(`/v1/profiles/${encodeURIComponent(state.person)}`);
  } catch (error) {
    if (error.status !== 404) throw error;
    return box.replaceChildren(element("p", { className: "hint", textContent: "Nobody knows this person yet." }));
  }
  const facts = element("dl");
  const fact = (name, value) => value !== undefined && value !== "" && facts.append(element("dt", { textContent: name }), element("dd", { textContent: value }));
  fact("Engagement", p.engagement !== undefined ? Math.round(p.engagement) + " of 100" : undefined);
  fact("Group", (p.clusters || []).map((c) => `${c.model} ${c.cluster} (${Math.round(c.confidence * 100)} % sure)`).join(", "));
  fact("Sessions", p.sessions);
  fact("Items used", p.items);
  for (const [name, value] of Object.entries(p.traits || {})) fact(name, typeof value === "object" && value !== null && "value" in value ? String(value.value) : String(value));
  const recent = (p.recent || []).slice(0, 6).map((r) => element("span", { className: "chip", textContent: r.title || r.item || r.name, title: r.name }));
  const affinities = Object.entries(p.affinities || {}).flatMap(([facet, values]) => likes(facet, values.slice(0, 6)));
  box.replaceChildren(facts, ...affinities, ...(recent.length ? [element("h2", { textContent: "Newest" }), element("div", {}, ...recent)] : []));
}

async function lists() {
  const category = $("category").value ? "?n=8&category=" + encodeURIComponent($("category").value) : "?n=8";
  const [trending, popular] = await Promise.all([ask("/v1/trending" + category), ask("/v1/popular" + category)]);
  show($("trending"), trending.items);
  show($("popular"), popular.items);
}

// quality shows the newest evaluation: each model's metrics beside the baselines.
async function quality() {
  const box = $("models");
  const page = await ask("/v1/evaluations?limit=1");
  const newest = page.evaluations[0];
  if (!newest) return box.replaceChildren(element("p", { className: "hint", textContent: "No evaluation yet. `kindred train` makes one." }));
  $("report").href = "/reports/" + encodeURIComponent(newest.id);
  const evaluation = await ask("/v1/evaluations/" + encodeURIComponent(newest.id));
  const report = evaluation.report;
  const metrics = ["ndcg@10", "recall@10", "hitrate@10", "mrr@10", "coverage@10"].filter((m) => report.models.some((x) => x.metrics[m]));
  const best = Math.max(...report.models.map((m) => (m.metrics[metrics[0]] || { mean: 0 }).mean));
  const cell = (v) => v === undefined ? "–" : element("span", {}, v.mean.toFixed(3), v.high > v.low ? element("span", { className: "interval", textContent: ` ${v.low.toFixed(3)}–${v.high.toFixed(3)}` }) : "");
  const head = element("tr", {}, element("th", { textContent: "model" }), ...metrics.map((m) => element("th", { textContent: m })));
  const rows = report.models.map((m) => element("tr", { className: (m.metrics[metrics[0]] || {}).mean === best ? "best" : "" },
    element("td", { textContent: m.name }), ...metrics.map((k) => element("td", {}, cell(m.metrics[k])))));
  box.replaceChildren(
    element("p", { className: "hint" }, `${report.dataset}, ${report.protocol}: ${report.people} people, ${report.items} items, ${report.interactions} interactions; 95 % intervals over people. `,
      element("a", { href: "/reports/" + encodeURIComponent(newest.id), textContent: "Whole report" })),
    element("div", { className: "scroll" }, element("table", {}, element("thead", {}, head), element("tbody", {}, ...rows))));
}

async function status() {
  const { serving } = await ask("/v1/models?limit=1");
  $("state").textContent = serving.version !== "none" ? `Serving model ${serving.version}, ${serving.items} items` : "No model yet: lists show what is popular";
}

async function people() {
  const page = await ask("/v1/users?limit=100");
  state.people = page.users.map((u) => u.id);
  const newest = page.users.reduce((best, u) => (!best || (u.last_seen || "") > (best.last_seen || "") ? u : best), null);
  state.newest = newest && newest.id;
  $("people").replaceChildren(...state.people.slice(0, 50).map((id) => element("option", { value: id })));
}

async function choices() {
  const page = await ask("/v1/items?limit=200");
  const categories = new Set((page.items || []).flatMap((it) => it.categories || []));
  $("category").append(...[...categories].sort().map((c) => element("option", { value: c, textContent: c })));
  $("component").append(...["als", "itemitem", "content", "popular"].map((c) => element("option", { value: c, textContent: c })));
}

function choose(person) {
  state.person = person.trim();
  $("person").value = state.person;
  run(() => Promise.all([recommend(), profile()]));
}

// A link cannot send the key, so pages that need one are fetched and then opened.
document.addEventListener("click", (e) => {
  const link = e.target.closest('a[href^="/reports/"], a[href="/metrics"]');
  if (!link || !sessionStorage.getItem("key")) return;
  e.preventDefault();
  run(async () => {
    const path = link.getAttribute("href");
    const page = await ask(path);
    const type = path === "/metrics" ? "text/plain;charset=utf-8" : "text/html;charset=utf-8";
    location.assign(URL.createObjectURL(new Blob([page], { type })));
  });
});

const somebody = () => state.people[Math.floor(Math.random() * state.people.length)] || "ann";

async function run(what) {
  try {
    await what();
    problem(null);
  } catch (error) {
    problem(error);
  }
}

$("person-form").addEventListener("submit", (e) => { e.preventDefault(); choose($("person").value); });
$("somebody").addEventListener("click", () => choose(somebody()));
$("key-form").addEventListener("submit", (e) => { e.preventDefault(); sessionStorage.setItem("key", $("key").value); start(); });
for (const id of ["component", "seen"]) $(id).addEventListener("change", () => run(recommend));
$("category").addEventListener("change", () => run(() => Promise.all([recommend(), lists()])));

function start() {
  run(async () => {
    await status();
    await Promise.all([people(), choices(), lists(), quality()]);
    choose(state.newest || "ann");
  });
}
start();
