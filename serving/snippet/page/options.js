// What the page told us, and how functions are called that must not break it.

export const version = "1";
const script = document.currentScript;

export const options = {
  host: script && script.src ? script.src.replace(/\/[^/]*$/, "") : location.origin,
  auto: "page click scroll dwell search",
  heartbeat: 15,
};

// tag is what the script's own tag says: its attributes data-….
export const tag = Object.assign({}, script && script.dataset);

export const auto = (what) => options.auto.includes(what);

export const guard = (f) => (...args) => {
  try {
    return f(...args);
  } catch (e) {
    console.error("kindred:", e);
  }
};

export const on = (target, types, f, how) => types.split(" ").forEach((t) => target.addEventListener(t, guard(f), how));
