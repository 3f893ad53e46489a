const RudderAnalytics = require("@rudderstack/rudder-sdk-node");

module.exports = ({ url, key, told }) => {
  // Without an errorHandler a batch that is given up ends the process: nobody catches the
  // promise of a flush that a timer began.
  const a = new RudderAnalytics(key, { dataPlaneUrl: url, flushAt: 5, flushInterval: 200, retryCount: 10, logLevel: "none", errorHandler() {} });
  const one = (err) => told(err); // a call is delivered, or given up
  return {
    view: (userId, product_id) => a.track({ userId, event: "Product Viewed", properties: { product_id } }, one),
    calls(originalTimestamp) {
      const products = [{ product_id: "lamp", price: 9.5, quantity: 2, category: "light" }, { product_id: "desk", price: 120 }];
      const all = [
        ["identify", { userId: "u1", anonymousId: "a1", traits: { plan: "gold", city: "Zürich" } }],
        ["track", { userId: "u1", event: "Order Completed", properties: { order_id: "o1", revenue: 139, currency: "EUR", products } }],
        ["track", { anonymousId: "a1", event: "Größe 漢字 🛋️", properties: { text: "„ß“\u2028\u0000end" } }],
        ["page", { userId: "u1", name: "Home", properties: { url: "https://shop.example/" } }],
        ["screen", { userId: "u1", name: "Start" }],
        ["group", { userId: "u1", groupId: "g1", traits: { seats: 5 } }],
        ["alias", { userId: "u1", previousId: "old" }],
        ["track", { userId: "u1", event: "Too Large", properties: { text: "x".repeat(33 << 10) } }],
      ];
      all.forEach(([type, call], i) => a[type]({ ...call, originalTimestamp, messageId: "m-" + i }, one));
      a.track({ userId: "u1", event: "Dated", timestamp: originalTimestamp, messageId: "m-" + all.length }, one);
      return all.length + 1;
    },
    close: () => a.flush(),
  };
};
