package door

import (
	"strconv"
	"strings"
)

// selfDescribing makes the call of a ue by its schema. Schemas that are not known here give a
// track call named as the schema is, with the data as properties.
func (e *spEvent) selfDescribing(d described) {
	vendor, name, _ := strings.Cut(d.schema, "/")
	e.extra.setText("schema", d.schema)
	switch {
	case d.schema == spEcommerce+"snowplow_ecommerce_action", d.schema == googleEcommerce+"action":
		e.shopAction(d)
		return
	case !strings.HasPrefix(vendor, "com.snowplowanalytics."):
		e.track(name)
		d.data.renameAll(e.props, nil)
		return
	}
	switch name {
	case "add_to_cart", "remove_from_cart":
		e.track(spActions[name])
		o, _ := fieldsOf(product(d.data))
		e.props.lacks(o)
	case "screen_view":
		e.call.setText("type", "screen")
		e.call.setText("name", d.data.takeText("name"))
		d.data.renameAll(e.props, map[string]string{"id": "screen_id"})
	case "link_click":
		e.track("Clicked")
		d.data.renameAll(e.props, map[string]string{"targetUrl": "href", "elementId": "element_id", "elementContent": "text"})
	case "button_click":
		e.track("Clicked")
		d.data.renameAll(e.props, map[string]string{"id": "element_id", "label": "text"})
	case "site_search":
		e.track("Products Searched")
		var terms []string
		for _, t := range listOf(d.data.get("terms")) {
			terms = append(terms, textOf(t))
		}
		e.props.setText("query", strings.Join(terms, " "))
		d.data.renameAll(e.props, map[string]string{"totalResults": "total_results", "pageResults": "page_results"})
	case "submit_form":
		e.track("Form Submitted")
		d.data.renameAll(e.props, map[string]string{"formId": "form_id"})
	default:
		e.track(name)
		d.data.renameAll(e.props, nil)
	}
}

// entityContext puts the entities of the event into the context: those with a place of
// their own there, the others as they are under context.snowplow.contexts.
func (e *spEvent) entityContext() {
	rest := newObject()
	for _, d := range e.contexts {
		vendor, name, _ := strings.Cut(d.schema, "/")
		switch {
		case name == "geolocation_context":
			continue // coordinates are nobody's business here
		case vendor+"/" == spEcommerce || vendor+"/" == googleEcommerce:
			if strings.HasPrefix(e.extra.text("schema"), vendor) {
				continue // in the properties
			}
		case name == "web_page":
			e.ctx.setText("page_view_id", d.data.text("id"))
			continue
		case name == "mobile_context":
			e.mobile(d.data)
			continue
		case name == "application" && d.data.text("version") != "":
			app := e.ctx.child("app")
			app.setText("version", d.data.text("version"))
			app.setText("build", d.data.text("build"))
			e.ctx.setObject("app", app)
			continue
		}
		key := d.schema
		for n := 2; rest.get(key) != nil; n++ { // the same schema may come again
			key = d.schema + "#" + strconv.Itoa(n)
		}
		rest.setObject(key, d.data)
	}
	e.extra.setObject("contexts", rest)
}

// mobile is the device and its system. Advertising ids are left out when the sender asked to
// stay anonymous.
func (e *spEvent) mobile(d *object) {
	system, device := newObject(), newObject()
	system.setText("name", d.takeText("osType"))
	system.setText("version", d.takeText("osVersion"))
	device.setText("manufacturer", d.takeText("deviceManufacturer"))
	device.setText("model", d.takeText("deviceModel"))
	for _, name := range []string{"appleIdfv", "androidIdfa", "appleIdfa", "openIdfa"} {
		if id := d.takeText(name); !e.anonymous && device.get("id") == nil {
			device.setText("id", id)
		}
	}
	e.ctx.setObject("os", system)
	d.renameAll(device, nil)
	e.ctx.setObject("device", device)
}
