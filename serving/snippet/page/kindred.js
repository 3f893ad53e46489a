// kindred.js tells a Kindred server what visitors do and asks it what to recommend.
// docs/snippet.md is its manual. Browsers get kindred.min.js, which go generate makes of
// this folder.

import { group, identify, page, track } from "./calls.js";
import { auto, guard, on, options, tag, version } from "./options.js";
import { flush, queue, schedule } from "./queue.js";
import { getRecommendations, show } from "./recommend.js";
import { act, events, listen } from "./shop.js";
import { del, set } from "./storage.js";
import { agreed, anonymousId, forget } from "./visitor.js";
import { watch } from "./watch.js";

let started = false;

// init takes settings; with a key among them it begins.
function init(more) {
  Object.assign(options, more);
  if (started || !options.key) return;
  started = true;
  watch();
  const begin = () => {
    if (auto("page")) page();
    if (options.dataLayer) listen(options.dataLayer);
    schedule(1000);
  };
  if (document.prerendering) on(document, "prerenderingchange", begin, { once: true });
  else begin();
}

function consent(choice) {
  const before = agreed();
  set("kd_consent", JSON.stringify(choice));
  if (!choice.analytics) {
    forget();
    queue().forEach(del);
  } else if (!before && started && auto("page")) {
    page();
  }
}

const api = { track, page, identify, group, reset: forget, consent, show, flush, anonymousId, init };
api.search = (query, properties) => track("Products Searched", Object.assign({ query }, properties));
api.push = (...calls) => calls.forEach((c) => (typeof c === "function" ? c(api) : api[c[0]](...[].slice.call(c, 1))));
Object.keys(events).forEach((name) => {
  const camel = name.replace(/_(.)/g, (_, c) => c.toUpperCase());
  api[camel] = api[camel] || ((properties) => act(name, properties));
});
for (const name in api) api[name] = guard(api[name]);
Object.assign(api, { version, getRecommendations });

const waiting = window.kindred || [];
if (!waiting.version) {
  window.kindred = api;
  api.init(tag);
  [].slice.call(waiting).forEach((c) => api.push(c));
}
