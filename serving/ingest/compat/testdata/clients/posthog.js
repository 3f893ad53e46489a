const { PostHog } = require("posthog-node");

module.exports = ({ url, key, told }) => {
  const p = new PostHog(key, { host: url, flushAt: 5, maxBatchSize: 5, flushInterval: 200 });
  let made = 0, counted = 0, flushing;
  // Events that no answer came for stay in the queue; what was refused is dropped.
  p.on("error", (err) => { if (err.status) told("[" + err.status + "]", 0); });
  const send = (call, event) => { p[call](event); made++; };
  return {
    view: (distinctId, product_id) => send("capture", { distinctId, event: "Product Viewed", properties: { product_id } }),
    calls(timestamp) {
      const uuid = (n) => "00000000-0000-4000-8000-00000000000" + n;
      const products = [{ product_id: "lamp", price: 9.5, quantity: 2, category: "light" }, { product_id: "desk", price: 120 }];
      send("identify", { distinctId: "u1", properties: { $set: { plan: "gold", city: "Zürich" }, $anon_distinct_id: "a1" } });
      const all = [
        { event: "Order Completed", properties: { order_id: "o1", revenue: 139, currency: "EUR", products } },
        { distinctId: "a1", event: "Größe 漢字 🛋️", properties: { text: "„ß“\u2028\u0000end", $process_person_profile: false } },
        { event: "$pageview", properties: { title: "Home", $current_url: "https://shop.example/" } },
        { event: "$screen", properties: { $screen_name: "Start" } },
        { event: "Too Large", properties: { text: "x".repeat(33 << 10) } },
      ];
      all.forEach((e, i) => send("capture", { distinctId: "u1", timestamp, uuid: uuid(i + 1), ...e }));
      send("groupIdentify", { groupType: "company", groupKey: "g1", properties: { seats: 5 }, distinctId: "u1" });
      send("alias", { distinctId: "u1", alias: "old" });
      return made;
    },
    push() {
      if (flushing) return;
      const until = made;
      const done = () => { told(null, until - counted); counted = until; };
      const queued = (err) => { if (err.status) done(); };
      flushing = p.flush().then(done, queued).finally(() => { flushing = null; });
    },
    close: () => p.shutdown(),
  };
};
