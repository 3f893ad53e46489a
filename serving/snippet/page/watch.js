// What is tracked without being called: pages, clicks, searches, scroll depth, dwelling.

import { about, address, page, place, track } from "./calls.js";
import { auto, guard, on, options } from "./options.js";
import { beacon, flush, online } from "./queue.js";
import { credit, recOf } from "./recommend.js";

const w = window;
const d = document;
const visible = () => d.visibilityState !== "hidden";
const hundredths = (x) => Math.round(x * 100) / 100;

// Time counts while the page is visible.
let since = 0;
let spent = 0;
let depth = 0;
let mark = 0;
const dwell = () => Math.round((spent + (since && Date.now() - since)) / 100) / 10;

place.begin = () => {
  since = visible() ? Date.now() : 0;
  spent = depth = mark = 0;
};

function leave() {
  if (auto("dwell") && place.here) track("Page Left", about({ dwell_seconds: dwell(), depth: hundredths(depth) }));
}

// moved looks whether a page that changes its address by itself has become another.
function moved() {
  if (!place.here || place.here === address()) return;
  leave();
  place.referrer = location.origin + place.here;
  page();
}

function clicked(e) {
  const el = e.target.closest("[data-kd-event],[data-kd-item],a,button,summary,[role=button],input[type=submit]");
  if (!el || el.closest("[data-kd-ignore]")) return;
  const card = el.closest("[data-kd-item]");
  const properties = { tag: el.tagName.toLowerCase(), text: el.textContent.replace(/\s+/g, " ").trim().slice(0, 80), id: el.id || undefined, href: el.href };
  if (card) {
    properties.product_id = card.dataset.kdItem;
    properties.rec = recOf(card);
    if (properties.rec) credit(properties.product_id, properties.rec);
  }
  Object.assign(properties, JSON.parse(el.dataset.kdProps || "{}"));
  track(el.dataset.kdEvent || (card ? "Product Clicked" : "Clicked"), properties);
}

function searched(e) {
  const field = e.target.querySelector("input[type=search],[role=search] input,input[name=q]");
  if (field && field.value) track("Products Searched", { query: field.value });
}

function scrolled() {
  depth = Math.max(depth, Math.min(1, (w.scrollY + w.innerHeight) / d.documentElement.scrollHeight));
  const reached = [0.9, 0.75, 0.5, 0.25].find((m) => depth >= m) || 0;
  if (reached > mark) {
    mark = reached;
    track("Page Scrolled", about({ depth: hundredths(depth) }));
  }
}

let over;
let resting;
function hovered(e) {
  const card = e.target.closest("[data-kd-item]");
  if (card === over) return;
  over = card;
  clearTimeout(resting);
  if (card) resting = setTimeout(() => track("Element Hovered", { product_id: card.dataset.kdItem, hover_seconds: 1, rec: recOf(card) }), 1000);
}

export function watch() {
  let soon = 0;
  let active = false;
  let left = false;
  const utm = {};
  new URLSearchParams(location.search).forEach((v, k) => {
    if (k.startsWith("utm_")) utm[k === "utm_campaign" ? "name" : k.slice(4)] = v;
  });
  if (Object.keys(utm).length) place.campaign = utm;
  if (auto("click")) on(d, "click", clicked, true);
  if (auto("search")) on(d, "submit", searched, true);
  if (auto("hover")) on(d, "pointerover", hovered);
  if (auto("scroll")) {
    on(w, "scroll", () => {
      soon = soon || setTimeout(() => {
        soon = 0;
        scrolled();
      }, 200);
    }, { passive: true });
  }
  if (auto("dwell")) {
    on(w, "scroll keydown pointerdown pointermove", () => (active = true), { passive: true, capture: true });
    setInterval(() => {
      if (active && since && place.here) track("Page Pinged", { dwell_seconds: dwell() });
      active = false;
    }, options.heartbeat * 1000);
  }
  if (auto("page")) {
    ["pushState", "replaceState"].forEach((name) => {
      const plain = history[name];
      history[name] = function () {
        plain.apply(this, arguments);
        guard(moved)();
      };
    });
    on(w, "popstate", moved);
  }
  on(d, "visibilitychange", () => {
    if (since) spent += Date.now() - since;
    since = visible() ? Date.now() : 0;
    if (!since && !left) flush();
  });
  on(w, "pagehide", () => {
    leave();
    left = true;
    beacon();
  });
  on(w, "pageshow", (e) => {
    left = false;
    if (e.persisted && auto("page")) page();
  });
  on(w, "online", online);
}
