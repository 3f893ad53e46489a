package door

import "encoding/json"

// spLines are the ti of one order.
type spLines struct {
	products []json.RawMessage
	taken    bool // an order of this request holds them
}

// orderLines are the ti of each order id.
func orderLines(events []*spEvent) map[string]*spLines {
	lines := map[string]*spLines{}
	for _, e := range events {
		if id := e.params.text("ti_id"); e.params.text("e") == "ti" && id != "" {
			if lines[id] == nil {
				lines[id] = new(spLines)
			}
			lines[id].products = append(lines[id].products, line(e.params))
		}
	}
	return lines
}

// order is a tr with its lines, which the first tr of an id takes. Lines that come in another
// request are orders of one product without a total.
func (e *spEvent) order(lines map[string]*spLines) {
	p := e.params
	e.track("Order Completed")
	id := p.takeText("tr_id")
	e.props.setText("order_id", id)
	e.props.setText("affiliation", p.takeText("tr_af"))
	e.props.setNumber("total", p.takeText("tr_tt"))
	e.props.setNumber("tax", p.takeText("tr_tx"))
	e.props.setNumber("shipping", p.takeText("tr_sh"))
	e.props.setText("currency", p.takeText("tr_cu"))
	e.props.setText("city", p.takeText("tr_ci"))
	e.props.setText("state", p.takeText("tr_st"))
	e.props.setText("country", p.takeText("tr_co"))
	if l := lines[id]; l != nil && !l.taken {
		l.taken = true
		e.props.set("products", list(l.products...))
	}
}

// line is a ti as a product.
func line(p *object) json.RawMessage {
	o := newObject()
	o.setText("product_id", p.text("ti_sk"))
	o.setText("sku", p.text("ti_sk"))
	o.setText("name", p.text("ti_nm"))
	o.setText("category", p.text("ti_ca"))
	o.setNumber("price", p.text("ti_pr"))
	o.setNumber("quantity", p.text("ti_qu"))
	return o.bytes()
}

// spActions are the names of snowplow_ecommerce_action's types, and of Google's enhanced
// e-commerce actions where they differ.
var spActions = map[string]string{
	"product_view": "Product Viewed", "detail": "Product Viewed",
	"add_to_cart": "Product Added", "add": "Product Added",
	"remove_from_cart": "Product Removed", "remove": "Product Removed",
	"list_view": "Product List Viewed", "view": "Product List Viewed",
	"list_click": "Product Clicked", "click": "Product Clicked",
	"checkout_step": "Checkout Step Viewed", "checkout": "Checkout Step Viewed",
	"transaction": "Order Completed", "purchase": "Order Completed",
	"refund":     "Order Refunded",
	"promo_view": "Promotion Viewed", "promo_click": "Promotion Clicked",
	"trans_error": "Transaction Failed",
}

const spEcommerce = "com.snowplowanalytics.snowplow.ecommerce/"
const googleEcommerce = "com.google.analytics.enhanced-ecommerce/"

// shopAction is an e-commerce action with what its entities say: product, transaction,
// cart, checkout step, promotion.
func (e *spEvent) shopAction(d described) {
	action := d.data.takeText("type")
	if action == "" {
		action = d.data.takeText("action")
	}
	name, known := spActions[action]
	if !known {
		name = action
	}
	if name == "" {
		name = "snowplow_ecommerce_action"
	}
	e.track(name)
	d.data.renameAll(e.props, map[string]string{"name": "list"})
	var products []json.RawMessage
	for _, c := range e.contexts {
		switch c.schema {
		case spEcommerce + "product", googleEcommerce + "productFieldObject":
			products = append(products, product(c.data))
		case spEcommerce + "transaction", googleEcommerce + "actionFieldObject":
			c.data.renameAll(e.props, map[string]string{"transaction_id": "order_id", "id": "order_id"})
		case spEcommerce + "refund":
			c.data.renameAll(e.props, map[string]string{"transaction_id": "order_id", "refund_amount": "total"})
		case spEcommerce + "cart":
			c.data.renameAll(e.props, map[string]string{"total_value": "cart_total"})
		case spEcommerce + "checkout_step", spEcommerce + "transaction_error":
			c.data.renameAll(e.props, nil)
		case spEcommerce + "promotion", googleEcommerce + "promoFieldObject":
			c.data.renameAll(e.props, map[string]string{"id": "promotion_id", "product_ids": "promotion_products"})
		}
	}
	switch {
	case len(products) == 1 && name != "Order Completed" && name != "Order Refunded" && name != "Product List Viewed":
		o, _ := fieldsOf(products[0])
		e.props.lacks(o)
	case len(products) > 0:
		e.props.set("products", list(products...))
	}
}

// product is a product entity as Segment names its fields.
func product(d *object) json.RawMessage {
	o := newObject()
	d.renameAll(o, map[string]string{"id": "product_id", "sku": "sku", "unitPrice": "price"})
	if o.text("product_id") == "" {
		o.setText("product_id", o.text("sku"))
	}
	return o.bytes()
}

// renameAll adds all fields to another object that lacks them, some under another name.
func (o *object) renameAll(into *object, names map[string]string) {
	for _, name := range o.names {
		to := name
		if names[name] != "" {
			to = names[name]
		}
		if into.get(to) == nil {
			into.set(to, o.get(name))
		}
	}
}
