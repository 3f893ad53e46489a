// Recommendations: what to show, then where it is shown, so that what people see of it
// and click on is told with the request that it answered.

import { track } from "./calls.js";
import { guard, options } from "./options.js";
import { flush, mine } from "./queue.js";
import { read, set } from "./storage.js";
import { agreed, anonymousId, userId } from "./visitor.js";

export async function getRecommendations(question) {
  // What was done a moment ago should count.
  if (mine.size) await Promise.race([flush(), new Promise((go) => setTimeout(go, 300))]);
  const who = agreed() ? { user: userId(), anonymous_id: anonymousId() } : {};
  const r = await fetch(options.host + "/v1/recommendations", {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: "Basic " + btoa((options.readKey || options.key) + ":") },
    body: JSON.stringify(Object.assign(who, question)),
    credentials: "omit",
  });
  if (!r.ok) throw Error("kindred: recommendations: " + r.status);
  return Object.assign(await r.json(), { slot: question && question.slot });
}

// recOf is the list that an element is in, and its position there.
export function recOf(el) {
  const box = el.closest("[data-kd-request]");
  if (!box) return;
  const { kdRequest, kdSlot, kdModel } = box.dataset;
  return { request_id: kdRequest, slot: kdSlot, model: kdModel, position: +el.dataset.kdPosition || undefined };
}

// credit remembers for the session which list a product was clicked in.
export const credit = (product, rec) => set("kd_recs", JSON.stringify(Object.fromEntries(Object.entries(read("kd_recs")).slice(-50).concat([[product, rec]]))));

// show marks the box that holds the answer's items, and tells which of them were half
// in view for a second.
export function show(box, answer) {
  Object.assign(box.dataset, { kdRequest: answer.request_id, kdModel: answer.model, kdSlot: answer.slot || "" });
  const visible = new Set();
  let soon = 0;
  const tell = () => {
    soon = 0;
    const products = [...visible].map((el) => ({ product_id: el.dataset.kdItem, position: +el.dataset.kdPosition }));
    visible.forEach((el) => eye.unobserve(el));
    visible.clear();
    if (products.length) track("Product List Viewed", { list_id: answer.slot, products, rec: recOf(box) });
  };
  const eye = new IntersectionObserver((entries) => {
    entries.forEach((e) => visible[e.isIntersecting ? "add" : "delete"](e.target));
    if (visible.size && !soon) soon = setTimeout(guard(tell), 1000);
  }, { threshold: 0.5 });
  box.querySelectorAll("[data-kd-item]").forEach((el) => {
    const found = answer.items.find((i) => i.id === el.dataset.kdItem);
    if (found) {
      el.dataset.kdPosition = found.position;
      eye.observe(el);
    }
  });
}
