// Shops: Google's names for what people do there, and ours; its data layer.

import { place, track } from "./calls.js";
import { guard } from "./options.js";

// events: each is also a function of the library: add_to_cart is kindred.addToCart.
export const events = {
  view_item: "Product Viewed",
  select_item: "Product Clicked",
  add_to_cart: "Product Added",
  remove_from_cart: "Product Removed",
  add_to_wishlist: "Product Added to Wishlist",
  view_item_list: "Product List Viewed",
  view_cart: "Cart Viewed",
  begin_checkout: "Checkout Started",
  add_shipping_info: "Checkout Step Completed",
  add_payment_info: "Payment Info Entered",
  purchase: "Order Completed",
  refund: "Order Refunded",
  search: "Products Searched",
  view_promotion: "Promotion Viewed",
  select_promotion: "Promotion Clicked",
  sign_up: "Signed Up",
  rate: "Item Rated",
  feedback: "Feedback Given",
};

const fields = {
  item_id: "product_id",
  item_name: "name",
  item_brand: "brand",
  item_category: "category",
  item_variant: "variant",
  item_list_id: "list_id",
  item_list_name: "list",
  index: "position",
  transaction_id: "order_id",
  search_term: "query",
  items: "products",
  promotion_name: "name",
  creative_name: "creative",
};

const renamed = (o) => Object.fromEntries(Object.entries(o).map(([k, v]) => [fields[k] || k, v]));

export function act(name, properties) {
  if (name === "view_item" && properties) place.item = properties.product_id;
  track(events[name], properties);
}

// heard takes an entry of the data layer: {event, ecommerce}, or the arguments of gtag.
function heard(entry) {
  let { event, ecommerce } = entry;
  if (entry[0] === "event") [, event, ecommerce] = entry;
  if (!events.hasOwnProperty(event)) return;
  const { value, ...rest } = renamed(ecommerce || { search_term: entry.search_term });
  const products = (rest.products || []).map(renamed);
  // One product's events have the product's fields themselves, as Segment defines them.
  if (products.length && /^Product (?!L)/.test(events[event])) {
    delete rest.products;
    return products.forEach((p) => act(event, Object.assign({}, rest, p)));
  }
  if (products.length) rest.products = products;
  if (value !== undefined) rest[rest.order_id ? "revenue" : "value"] = value;
  act(event, rest);
}

// listen hears what is in the array and what will be pushed, and takes nothing away.
export function listen(name) {
  if (name === true || name === "true") name = "dataLayer";
  const layer = (window[name] = window[name] || []);
  const push = layer.push;
  const each = guard((entry) => entry && heard(entry));
  layer.forEach(each);
  layer.push = function (...entries) {
    entries.forEach(each);
    return push.apply(this, entries);
  };
}
