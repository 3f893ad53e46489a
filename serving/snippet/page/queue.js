// The queue and its delivery. A call is one stored entry, named by its message id and
// thereby in order: several tabs share the queue without overwriting each other's calls, and a call
// keeps its message id however often it is sent, so that the server takes it once.

import { options, version } from "./options.js";
import { del, get, names, set } from "./storage.js";
import { agreed, random } from "./visitor.js";

const maxQueue = 1000;
const maxBody = 60000;
const prefix = () => "kdq." + options.key + ".";
export const queue = () => names().filter((k) => k.startsWith(prefix())).sort();
// mine are this page's calls that nobody is known to have taken.
export const mine = new Set();
let count = 0;
let fresh = 0;

export function put(call, now) {
  const messageId = "kd-" + now + "-" + (count++).toString(36).padStart(4, "0") + random();
  const waiting = queue();
  if (waiting.length >= maxQueue) del(waiting[0]);
  set(prefix() + messageId, JSON.stringify(Object.assign({ messageId }, call)));
  mine.add(prefix() + messageId);
  if (++fresh >= 10) flush();
  else if (!timer) schedule(1000);
}

const url = () => options.host + "/v1/b";
const pause = () => Math.min(get("kd_wait") - Date.now(), 36e5);
let timer = 0;
let busy = false;
let tries = 0;
let limit = maxQueue;
let offline = false;

export function schedule(ms) {
  clearTimeout(timer);
  timer = setTimeout(flush, ms);
}

// batch is a request body with the first of the calls, as many as go into one.
function batch(keys) {
  const some = { keys: [], calls: [] };
  let size = 2000;
  for (const k of keys) {
    const call = get(k);
    if (!call) {
      mine.delete(k);
      continue;
    }
    size += new Blob([call]).size;
    if (some.keys.length && (size > maxBody || some.keys.length >= limit)) break;
    some.keys.push(k);
    some.calls.push(call);
  }
  const context = JSON.stringify({
    library: { name: "kindred.js", version },
    userAgent: navigator.userAgent,
    locale: navigator.language,
    webdriver: navigator.webdriver || undefined,
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    screen: { width: screen.width, height: screen.height, density: devicePixelRatio },
  });
  some.body = '{"batch":[' + some.calls + '],"context":' + context + ',"writeKey":' + JSON.stringify(options.key) + ',"sentAt":"' + new Date().toISOString() + '"}';
  return some;
}

function done(keys) {
  keys.forEach((k) => {
    del(k);
    mine.delete(k);
  });
}

// flush sends what waits, unless the server asked for a pause. A tab that sends holds a
// lock, so that others do not send the same.
export async function flush() {
  clearTimeout(timer);
  timer = fresh = 0;
  if (busy || !options.key || !agreed()) return;
  if (pause() > 0) return schedule(pause());
  busy = true;
  try {
    const locks = navigator.locks;
    await (locks ? locks.request("kindred", { ifAvailable: true }, (lock) => lock && deliver()) : deliver());
  } catch (e) {
    console.error("kindred:", e);
  }
  busy = false;
  if (queue().length) schedule(Math.max(pause(), tries ? 0 : 300));
}

// deliver sends one request, which needs no preflight, and judges the answer.
async function deliver() {
  const some = batch(queue());
  if (!some.keys.length) return;
  let status = 0;
  let after;
  try {
    const r = await fetch(url(), {
      method: "POST",
      body: some.body,
      headers: { "Content-Type": "text/plain" },
      credentials: "omit",
      keepalive: document.visibilityState === "hidden",
      signal: AbortSignal.timeout && AbortSignal.timeout(1e4),
    });
    status = r.status;
    after = r.headers.get("Retry-After");
  } catch (e) {
    // No answer: the calls stay where they are, as after any other failure.
  }
  offline = !status;
  if (status >= 200 && status < 300) {
    done(some.keys);
    tries = 0;
    limit = maxQueue;
    del("kd_wait");
  } else if (status === 400 || status === 413) {
    // One call of them must be at fault: find it by halves, give up on it alone.
    if (some.keys.length === 1) done(some.keys);
    limit = Math.ceil(some.keys.length / 2);
  } else {
    const asked = after && (after > 0 ? after * 1000 : Date.parse(after) - Date.now());
    const wait = asked > 0 ? asked + 1000 * Math.random() : Math.min(6e4, 500 * 2 ** tries++) * (0.5 + Math.random());
    set("kd_wait", Math.round(Date.now() + wait));
  }
}

// beacon is what a closing page sends. Nobody hears the answer: the calls stay stored,
// and the next page sends them again with the same message ids.
export function beacon() {
  if (!options.key || !agreed() || pause() > 0) return;
  let keys = [...mine].sort();
  while (keys.length) {
    const some = batch(keys);
    if (!some.keys.length || !navigator.sendBeacon(url(), new Blob([some.body], { type: "text/plain" }))) return;
    keys = keys.filter((k) => k > some.keys[some.keys.length - 1]);
  }
}

// online is called when the network is back: only the server's own pause still counts.
export function online() {
  if (offline) del("kd_wait");
  flush();
}
