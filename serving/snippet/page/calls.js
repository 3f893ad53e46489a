// Calls, as Segment's specification defines them.

import { options } from "./options.js";
import { put } from "./queue.js";
import { get, read, set } from "./storage.js";
import { agreed, anonymousId, forget, session, userId as user } from "./visitor.js";

// place is the page as its visitor sees it: where it was come from, the campaign, the
// product it is about, its address.
export const place = { referrer: document.referrer };
export const address = () => location.pathname + location.search;
const here = () => ({ url: location.href, path: location.pathname, search: location.search, title: document.title, referrer: place.referrer });

export function send(type, fields) {
  if (!options.key || !agreed()) return;
  const now = Date.now();
  const context = Object.assign({ page: here(), campaign: place.campaign }, session(now));
  if (get("kd_consent")) context.consent = read("kd_consent");
  put(Object.assign({ type, timestamp: new Date(now), anonymousId: anonymousId(), userId: user(), context }, fields), now);
}

// track adds, to calls about a product that was clicked in a recommended list, that
// list's request.
export function track(event, properties) {
  const { rec = read("kd_recs")[properties && properties.product_id], ...rest } = properties || {};
  send("track", { event, properties: Object.assign(rest, { rec }) });
}

// about adds the product that the page is about.
export const about = (properties) => Object.assign(place.item ? { product_id: place.item } : {}, properties);

export function page(name, properties) {
  if (typeof name === "object") [name, properties] = [undefined, name];
  place.here = address();
  place.item = properties && properties.product_id;
  place.begin();
  send("page", { name, properties: Object.assign(here(), properties) });
}

export function identify(userId, traits) {
  if (userId == null || typeof userId === "object") return send("identify", { traits: userId || traits });
  userId = String(userId);
  // Another person at the same browser starts anew.
  if (user() && user() !== userId) forget();
  set("kd_user", userId);
  send("identify", { traits });
}

export const group = (groupId, traits) => send("group", { groupId, traits });
