const s = require("@snowplow/node-tracker");

module.exports = ({ url, key, told }) => {
  const t = s.newTracker({ namespace: "kindred", appId: "shop", encodeBase64: process.env.PLAIN !== "1" }, {
    endpoint: url, bufferSize: 5, maxPostBytes: 2000, // a handful of events a request
    customHeaders: { Authorization: "Basic " + Buffer.from(key + ":").toString("base64") }, // the protocol has no key
    onRequestSuccess: (payloads) => told(null, payloads.length),
    onRequestFailure: (f) => { if (!f.willRetry) told("[" + f.status + "]", f.events.length); },
  });
  return {
    view(user, item) {
      t.setUserId(user);
      t.track(s.buildAddToCart({ sku: item, quantity: 1 }));
    },
    calls(at) {
      const time = { type: "dtm", value: at.getTime() };
      const own = (name, data) => s.buildSelfDescribingEvent({ event: { schema: `iglu:example.shop/${name}/jsonschema/1-0-0`, data } });
      t.setUserId("u1");
      t.setDomainUserId("a1");
      const all = [
        s.buildAddToCart({ sku: "lamp", quantity: 2, unitPrice: 9.5, category: "light", currency: "EUR" }),
        s.buildEcommerceTransaction({ orderId: "o1", total: 139, currency: "EUR" }),
        s.buildEcommerceTransactionItem({ orderId: "o1", sku: "lamp", price: 9.5, quantity: 2, category: "light" }),
        s.buildEcommerceTransactionItem({ orderId: "o1", sku: "desk", price: 120, quantity: 1 }),
        s.buildStructEvent({ category: "shop", action: "Größe 漢字 🛋️", label: "„ß“\u2028end" }),
        s.buildPageView({ pageUrl: "https://shop.example/", pageTitle: "Home", referrer: "https://search.example/" }),
        s.buildScreenView({ name: "Start", id: "s1" }),
        own("sofa_turned", { degrees: 90 }),
        own("too_large", { text: "x".repeat(33 << 10) }),
      ];
      all.forEach((event) => t.track(event, null, time));
      return all.length;
    },
    push: () => t.flush(), // it has no timer: what failed waits for the next event or a flush
    close: () => t.flush(),
  };
};
