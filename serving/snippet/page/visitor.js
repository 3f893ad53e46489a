// Who: an anonymous id of this browser, a user id once identify has been called, and a
// session that ends after half an hour without a call.

import { options } from "./options.js";
import { del, get, read, set } from "./storage.js";

export const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

export function anonymousId() {
  if (!get("kd_anon")) set("kd_anon", random());
  return get("kd_anon");
}

export const userId = () => get("kd_user") || undefined;

export function session(now) {
  const [id, last] = (get("kd_session") || "").split(".");
  const fresh = !id || now - last > 18e5;
  const current = fresh ? random() : id;
  set("kd_session", current + "." + now);
  if (fresh) del("kd_recs");
  return { sessionId: current, sessionStart: fresh || undefined };
}

export const forget = () => ["kd_anon", "kd_user", "kd_session", "kd_recs"].forEach(del);

// agreed: what visitors have not agreed to is not stored, not sent and not kept waiting.
export const agreed = () => (get("kd_consent") ? read("kd_consent").analytics : options.consent !== "required");
