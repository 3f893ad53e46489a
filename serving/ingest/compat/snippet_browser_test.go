package compat

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/google/go-cmp/cmp"

	"kindred/data"
)

// byName are the events by their names, the last of several winning.
func byName(events []data.Event) map[string]*data.Event {
	named := map[string]*data.Event{}
	for i := range events {
		named[events[i].Name] = &events[i]
	}
	return named
}

// distinct are the events without those whose message id occurred before: what the
// fold makes of them.
func distinct(events []data.Event) (out []data.Event) {
	seen := map[string]bool{}
	for _, e := range events {
		if !seen[e.ID] {
			out = append(out, e)
		}
		seen[e.ID] = true
	}
	return out
}

// field is a value inside a JSON object, nil where there is none.
func field(t *testing.T, object json.RawMessage, path ...string) any {
	t.Helper()
	var v any
	if len(object) > 0 {
		if err := json.Unmarshal(object, &v); err != nil {
			t.Fatalf("%v in %s", err, object)
		}
	}
	for _, name := range path {
		fields, _ := v.(map[string]any)
		v = fields[name]
	}
	return v
}

func text(t *testing.T, object json.RawMessage, path ...string) string {
	t.Helper()
	s, _ := field(t, object, path...).(string)
	return s
}

func number(t *testing.T, object json.RawMessage, path ...string) float64 {
	t.Helper()
	f, _ := field(t, object, path...).(float64)
	return f
}

func TestWhatVisitorsDoArrives(t *testing.T) {
	v, s, track, pages := setUp(t)
	v.open(pages + "/shop.html?utm_source=mail&utm_campaign=spring")
	v.do(
		chromedp.Click("#link"), chromedp.Click("#buy"), chromedp.Click("#quiet"),
		chromedp.SendKeys("#q", "warm light\r"),
		chromedp.MouseClickXY(5, 5),
	)
	v.run(`scrollTo(0, 1e6)`)
	v.run(`document.querySelector("#list a").dispatchEvent(new PointerEvent("pointerover", {bubbles: true}))`)
	v.run(`kindred.identify("u1", {plan: "gold"}); kindred.search("a desk", {category: "office"}); kindred.rate({product_id: "desk", rating: 4})`)
	track.awaitTaken("Clicked", "Product Added", "Products Searched", "Page Scrolled", "Page Pinged", "Element Hovered", "identify", "Item Rated")
	v.open(pages + "/quiet.html") // leaving
	track.awaitTaken("Page Left")

	for _, a := range track.requests("/v1/b") {
		if a.method != http.MethodPost || a.header.Get("Content-Type") != "text/plain" {
			t.Errorf("%s %v; want text/plain posts, which need no preflight", a.method, a.header)
		}
	}
	if cookies := read[string](v, "document.cookie"); cookies != "" {
		t.Errorf("the script set cookies: %s", cookies)
	}
	all := distinct(s.events("shop")) // a closing page does not hear what has arrived
	events := byName(all)
	for name, want := range map[string]map[string]any{
		"Page Viewed":       {"path": "/shop.html", "search": "?utm_source=mail&utm_campaign=spring", "title": "Lamps"},
		"Clicked":           {"text": "More about lamps", "id": "link", "tag": "a"},
		"Product Added":     {"product_id": "lamp", "price": 9.5, "quantity": 2.0, "text": "Buy"},
		"Page Scrolled":     {"depth": 1.0},
		"Element Hovered":   {"product_id": "lamp", "hover_seconds": 1.0},
		"Products Searched": {"query": "a desk", "category": "office"},
		"Item Rated":        {"product_id": "desk", "rating": 4.0},
	} {
		e := events[name]
		if e == nil {
			t.Errorf("%s did not arrive", name)
			continue
		}
		for property, value := range want {
			if got := field(t, e.Props, property); got != value {
				t.Errorf("%s: %s = %v, want %v, in %s", name, property, got, value, e.Props)
			}
		}
	}
	if got := number(t, events["Page Left"].Props, "dwell_seconds"); got <= 0 || got > 300 {
		t.Errorf("Page Left after %v s", got)
	}
	if got := number(t, events["Page Pinged"].Props, "dwell_seconds"); got <= 0 {
		t.Errorf("Page Pinged after %v s", got)
	}
	var searches []string
	first := 0
	for _, e := range all {
		if e.Name == "Products Searched" {
			searches = append(searches, text(t, e.Props, "query"))
		}
		if text(t, e.Props, "text") == "Quiet" {
			t.Error("a click on what is to be ignored arrived")
		}
		if e.IDs.Anonymous != all[0].IDs.Anonymous || e.Session.ID == "" || e.Session.ID != all[0].Session.ID {
			t.Errorf("%s has ids %+v and session %+v; want one visitor in one session", e.Name, e.IDs, e.Session)
		}
		if e.Session.First {
			first++
		}
	}
	if strings.Join(searches, ", ") != "warm light, a desk" || first != 1 {
		t.Errorf("searches %q, want the form's and the call's; %d events begin the session, want 1", searches, first)
	}
	view := events["Page Viewed"]
	if got := text(t, view.Ctx, "campaign", "name") + " " + text(t, view.Ctx, "campaign", "source"); got != "spring mail" {
		t.Errorf("the campaign is %q in %s", got, view.Ctx)
	}
	if text(t, view.Ctx, "library", "name") != "kindred.js" || text(t, view.Ctx, "userAgent") == "" || text(t, view.Ctx, "tz") == "" || text(t, view.Ctx, "locale") == "" || !strings.Contains(string(view.Ctx), `"webdriver":true`) { // the page is driven by a program
		t.Errorf("the context is %s", view.Ctx)
	}
	if got := events["Item Rated"]; got.IDs.User != "u1" || got.Value != 4 {
		t.Errorf("the rating is by %q with value %v, want u1 and 4", got.IDs.User, got.Value)
	}
}

func TestDataLayerBecomesCanonicalEvents(t *testing.T) {
	v, s, track, pages := setUp(t)
	v.open(pages + "/layer.html") // pushed before our script was there
	v.run(`scrollTo(0, 1e6)`)
	track.awaitTaken("Product Viewed", "Page Scrolled")
	v.open(pages + "/shop.html")
	v.run(`
		const lamp = {item_id: "lamp", item_name: "Lamp", item_brand: "Lux", item_category: "Light", price: 9.5, quantity: 2, index: 1};
		const desk = {item_id: "desk", item_name: "Desk", price: 90, quantity: 1};
		const push = (event, ecommerce) => { dataLayer.push({ecommerce: null}); dataLayer.push({event, ecommerce}); };
		push("view_item_list", {item_list_id: "home", items: [lamp, desk]});
		push("view_item", {currency: "EUR", value: 9.5, items: [lamp]});
		push("add_to_cart", {currency: "EUR", items: [lamp, desk]});
		push("remove_from_cart", {currency: "EUR", items: [desk]});
		push("add_to_wishlist", {items: [desk]});
		push("begin_checkout", {currency: "EUR", value: 19, items: [lamp]});
		push("purchase", {transaction_id: "o1", currency: "EUR", value: 19, tax: 3, shipping: 4, coupon: "SPRING", items: [lamp]});
		push("refund", {transaction_id: "o1", currency: "EUR", value: 19});
		dataLayer.push({event: "search", search_term: "lamps"});
		(function () { dataLayer.push(arguments) })("event", "select_item", {items: [desk]});
		dataLayer.push({event: "gtm.dom"}, ["consent", "default"], function () {});
	`)
	track.awaitTaken("Product Clicked", "Order Refunded")
	if got := read[int](v, "dataLayer.length"); got != 21 {
		t.Errorf("the dataLayer holds %d entries, want all 21: others read it too", got)
	}
	all := distinct(s.events("shop"))
	for _, e := range all {
		if e.Name == "Page Scrolled" && (len(e.Items) != 1 || e.Items[0].ID != "sofa") {
			t.Errorf("the page about the sofa was scrolled with items %v", e.Items)
		}
	}
	events := byName(all)
	lamp := data.EventItem{ID: "lamp", Quantity: 2, Price: 9.5, Facets: map[string][]string{"category": {"Light"}, "brand": {"Lux"}}}
	desk := data.EventItem{ID: "desk", Quantity: 1, Price: 90}
	for name, want := range map[string][]data.EventItem{
		"Product List Viewed": {lamp, desk}, "Product Viewed": {lamp}, "Product Added": {desk}, "Product Removed": {desk},
		"Product Added to Wishlist": {desk}, "Checkout Started": {lamp}, "Order Completed": {lamp}, "Order Refunded": nil,
		"Products Searched": nil, "Product Clicked": {desk},
	} {
		e := events[name]
		if e == nil {
			t.Errorf("%s did not arrive", name)
		} else if !cmp.Equal(e.Items, want) {
			t.Errorf("%s: items (-got +want):\n%s", name, cmp.Diff(e.Items, want))
		}
	}
	order := events["Order Completed"]
	if order.Value != 19 || text(t, order.Props, "order_id") != "o1" || text(t, order.Props, "coupon") != "SPRING" || number(t, order.Props, "shipping") != 4 {
		t.Errorf("the order has value %v and properties %s", order.Value, order.Props)
	}
	if text(t, events["Products Searched"].Props, "query") != "lamps" || text(t, events["Product Added"].Props, "currency") != "EUR" {
		t.Errorf("properties %s and %s", events["Products Searched"].Props, events["Product Added"].Props)
	}
}

func TestRecommendationsAreAttributed(t *testing.T) {
	v, s, track, pages := setUp(t)
	s.stock("desk", "lamp", "sofa")
	v.open(pages + "/shop.html")
	v.run(`
		scrollTo(0, 0);
		window.answer = await kindred.getRecommendations({slot: "home", n: 3, recent: ["sofa"]});
		kindred.show(document.querySelector("#list"), answer);
	`)
	request, model := read[string](v, "answer.request_id"), read[string](v, "answer.model")
	if got := read[string](v, `answer.items.map(i => i.id).join()`); got != "desk,lamp" || request == "" || model == "" {
		t.Fatalf("recommended %q by model %q under request id %q, want desk and lamp", got, model, request)
	}
	track.awaitTaken("Product List Viewed")
	v.do(chromedp.Click("#desk"))
	v.run(`kindred.addToCart({product_id: "desk", quantity: 1}); kindred.addToCart({product_id: "stool", quantity: 1})`)
	track.await("two products in the cart", func(all []asked) bool {
		return strings.Count(strings.Join(taken(all), ","), "Product Added") == 2
	})
	asked := track.requests("/v1/recommendations")
	if last := asked[len(asked)-1]; last.header.Get("Authorization") != "Basic c2hvcDo=" {
		t.Errorf("recommendations were asked for with %v", last.header)
	}
	var list, click, desk, stool *data.Event
	events := s.events("shop")
	for i := range events {
		switch e := &events[i]; {
		case e.Name == "Product List Viewed":
			list = e
		case e.Name == "Product Clicked":
			click = e
		case e.Name == "Product Added" && e.Items[0].ID == "desk":
			desk = e
		case e.Name == "Product Added":
			stool = e
		}
	}
	if want := []data.EventItem{{ID: "lamp"}, {ID: "desk"}}; !cmp.Equal(list.Items, want) {
		t.Errorf("items seen (-got +want):\n%s", cmp.Diff(list.Items, want))
	}
	if want := (&data.RecRef{Request: request, Slot: "home", Model: model}); !cmp.Equal(list.Rec, want) {
		t.Errorf("the list's rec (-got +want):\n%s", cmp.Diff(list.Rec, want))
	}
	want := &data.RecRef{Request: request, Slot: "home", Position: 1, Model: model}
	if !cmp.Equal(click.Rec, want) || !cmp.Equal(desk.Rec, want) || stool.Rec != nil {
		t.Errorf("click %+v, what was clicked in the cart %+v, something else in the cart %+v; want %+v twice and nothing", click.Rec, desk.Rec, stool.Rec, want)
	}
}

func TestPagesThatChangeTheirAddressAreSeveral(t *testing.T) {
	v, s, track, pages := setUp(t)
	v.open(pages + "/shop.html")
	v.run(`kindred.viewItem({product_id: "lamp"}); history.replaceState({}, "", "#part"); history.pushState({}, "", "/desk"); kindred.viewItem({product_id: "desk"})`)
	v.run(`kindred.identify("u1"); kindred.identify("u2"); kindred.reset(); kindred.track("Anybody")`)
	track.awaitTaken("Page Left", "Anybody")
	var views, left []data.Event
	who := map[data.AnonymousID]data.UserID{}
	for _, e := range s.events("shop") {
		switch e.Name {
		case "Page Viewed":
			views = append(views, e)
		case "Page Left":
			left = append(left, e)
		}
		who[e.IDs.Anonymous] = e.IDs.User
	}
	if len(views) != 2 || text(t, views[1].Props, "path") != "/desk" || text(t, views[1].Ctx, "page", "referrer") != pages+"/shop.html" {
		t.Errorf("page views %v, want the page and /desk, come from it", views)
	}
	if len(left) != 1 || len(left[0].Items) != 1 || left[0].Items[0].ID != "lamp" {
		t.Errorf("pages left: %v, want the lamp's", left)
	}
	if len(who) != 3 { // u1, u2 and whoever came then
		t.Errorf("the visitors are %v, want u1, u2 and another", who)
	}
}

func TestNothingHappensWithoutConsent(t *testing.T) {
	v, s, track, pages := setUp(t)
	v.open(pages + "/consent.html")
	v.do(chromedp.Click("#button"))
	v.run(`await kindred.flush()`)
	if stored := read[int](v, "localStorage.length"); stored != 0 || len(track.requests("/v1/b")) != 0 {
		t.Errorf("before consent %d things are stored and %d requests were sent", stored, len(track.requests("/v1/b")))
	}
	v.run(`kindred.consent({analytics: true, personalization: false}); kindred.track("Agreed")`)
	track.awaitTaken("page", "Agreed")
	v.run(`kindred.track("Waiting"); kindred.consent({analytics: false}); kindred.track("Too Late"); await kindred.flush()`)
	if stored := read[string](v, "Object.keys(localStorage).join()"); stored != "kd_consent" {
		t.Errorf("after consent was withdrawn %s are stored, want the choice alone", stored)
	}
	v.open("about:blank")
	events := byName(s.events("shop"))
	if len(events) != 2 || events["Agreed"] == nil || field(t, events["Agreed"].Consent, "personalization") != false {
		t.Errorf("the log holds %v, want the page and Agreed with the choice", events)
	}
}
