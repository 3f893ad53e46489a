package event

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
)

func TestNamesGiveKinds(t *testing.T) {
	for _, test := range []struct {
		name, props string
		want        data.Kind
	}{
		{"Product Viewed", ``, data.View},
		{"pRODUCT vIEWED", ``, data.View},
		{"Article Viewed", ``, data.View},
		{"Item Viewed", ``, data.View},
		{"Page Viewed", ``, data.View},
		{"Screen Viewed", ``, data.View},
		{"Product Clicked", ``, data.Click},
		{"Clicked", ``, data.Click},
		{"Page Scrolled", `{"depth":0.81}`, data.Scroll},
		{"Page Scrolled", `{"depth":0.8}`, data.KindNone},
		{"Page Scrolled", `{"depth":"0.9"}`, data.Scroll},
		{"Page Scrolled", `{"depth":81}`, data.Scroll},
		{"Page Scrolled", `{"depth":30}`, data.KindNone},
		{"Page Scrolled", ``, data.KindNone},
		{"Page Left", `{"dwell_seconds":30.5}`, data.Dwell},
		{"Page Pinged", `{"dwell_seconds":30}`, data.KindNone},
		{"Page Left", `{"dwell_seconds":null}`, data.KindNone},
		{"Product Added to Wishlist", ``, data.Wishlist},
		{"Product Added", ``, data.AddToCart},
		{"Order Completed", ``, data.Purchase},
		{"Item Rated", `{"rating":3}`, data.Rating},
		{"Item Rated", `{"rating":0}`, data.Rating},
		{"Product Reviewed", `{"review":"fine"}`, data.KindNone},
		{"Feedback Given", `{"feedback":"Hide"}`, data.Hide},
		{"Feedback Given", `{"feedback":"dislike"}`, data.Hide},
		{"Feedback Given", `{"feedback":"like"}`, data.Wishlist},
		{"Feedback Given", `{"feedback":"meh"}`, data.KindNone},
		{"Product Removed", ``, data.KindNone},
		{"Product List Viewed", ``, data.KindNone},
		{"", ``, data.KindNone},
	} {
		t.Run(fmt.Sprint(test.name, test.props), func(t *testing.T) {
			e := data.Event{ID: "m", Type: data.Track, Name: test.name, Items: []data.EventItem{{ID: "p"}}}
			if test.props != "" {
				e.Props = json.RawMessage(test.props)
			}
			got := data.KindNone
			if acts := Interactions(e); len(acts) > 0 {
				got = acts[0].Kind
			}
			if got != test.want {
				t.Errorf("kind = %v, want %v", got, test.want)
			}
		})
	}
}

func TestAnOrderGivesOnePurchaseAnItem(t *testing.T) {
	e := full()
	e.Name = "Order Completed"
	e.Items = []data.EventItem{{ID: "a", Quantity: 2, Price: 3}, {ID: "b", Price: 5}, {ID: "c", Quantity: 4}}
	act := data.Interaction{
		ID: "m1", Profile: e.Profile, User: "u1", Item: "a", Kind: data.Purchase, Value: 6, At: noon, Session: "s", Request: "r",
	}
	want := []data.Interaction{act, act, act}
	want[1].ID, want[1].Item, want[1].Value = "m1#2", "b", 5
	want[2].ID, want[2].Item, want[2].Value = "m1#3", "c", 0
	if diff := cmp.Diff(want, Interactions(e)); diff != "" {
		t.Error(diff)
	}
}

func TestValuesOfAnOlderLogAreBounded(t *testing.T) {
	e := data.Event{ID: "m", Type: data.Track, Name: "Order Completed", Items: []data.EventItem{{ID: "a", Quantity: 1e308, Price: 1e308}}}
	if got := Interactions(e)[0].Value; got != MaxNumber {
		t.Errorf("1e308 pieces of 1e308 are worth %v, want %v", got, MaxNumber)
	}
	e.Name, e.Value = "Item Rated", -1e300
	if got := Interactions(e)[0].Value; got != -MaxNumber {
		t.Errorf("a rating of -1e300 is %v, want %v", got, -MaxNumber)
	}
}

func TestEventsWithoutItemsAndSystemEventsGiveNothing(t *testing.T) {
	if got := Interactions(data.Event{Type: data.Page, Name: "Page Viewed"}); got != nil {
		t.Errorf("a page without an item gives %v", got)
	}
	if got := Interactions(data.Event{Type: data.System, Name: "Product Viewed", Items: []data.EventItem{{ID: "a"}}}); got != nil {
		t.Errorf("a system event gives %v", got)
	}
}

func TestNameIsTheInverseOfKindOfName(t *testing.T) {
	for k := data.View; k <= data.Hide; k++ {
		if got := kindOfName(Name(k)); got != k {
			t.Errorf("Name(%v) = %q, which means %v", k, Name(k), got)
		}
	}
	if got := Name(data.KindNone); got != "" {
		t.Errorf("Name(none) = %q", got)
	}
}

func ExampleInteractions() {
	e, err := Decode([]byte(`{"v":1,"id":"m1","type":"track","name":"Product Added","items":[{"id":"lamp"},{"id":"desk"}],
		"t":{"event":"2026-11-20T12:00:00Z","received":"2026-11-20T12:00:00Z"}}`))
	if err != nil {
		fmt.Println(err)
	}
	for _, act := range Interactions(e) {
		fmt.Println(act.ID, act.Kind, act.Item)
	}
	// Output:
	// m1 add_to_cart lamp
	// m1#2 add_to_cart desk
}

func ExampleDecode() {
	_, err := Decode([]byte(`{"v":1,"id":"m1","type":"track","name":"Product Viewed","items":[{"id":""}]}`))
	fmt.Println(err)
	// Output: decode event: items[0].id: is missing or empty
}

func ExampleCall_Canonical() {
	call, err := ParseCall([]byte(`{"type":"track","event":"Item Rated","userId":7,"messageId":"m1",
		"timestamp":"2026-11-20T13:59:00Z","sentAt":"2026-11-20T14:00:00Z","properties":{"product_id":"lamp","rating":4}}`), "")
	if err != nil {
		fmt.Println(err)
	}
	e, err := call.Canonical(Intake{Source: "shop", Received: noon}) // the client's clock is two hours fast
	fmt.Println(e.IDs.User, e.Items[0].ID, e.Value, e.Times.Event.Format("15:04:05"), err)
	// Output: 7 lamp 4 11:59:00 <nil>
}
