package event

import (
	"bytes"
	"math"
	"strconv"

	"kindred/data"
)

// Interactions are the acts on items that an event stands for, in the order of its
// items; nil for most events. It is the only place that knows which event name
// means which kind:
//
//	Product, Article, Item, Page or Screen Viewed    view
//	Product, Article or Item Clicked; Clicked        click
//	Page Scrolled, depth > 0.8 (or > 80, a percent)  scroll
//	Page Left or Page Pinged, dwell_seconds > 30     dwell
//	Product Added to Wishlist                        wishlist
//	Product Added                                    add_to_cart
//	Order Completed                                  purchase
//	Item Rated, Product Reviewed                     rating
//	Feedback Given, feedback hide or dislike         hide
//	Feedback Given, feedback like                    wishlist
//
// Names are compared without regard to ASCII case. A rating's Value is Event.Value
// or, where that is zero, props.rating; a review without a rating gives nothing. A
// purchase's Value is quantity × price, an absent quantity counting as one. Values
// lie within ±MaxNumber, whatever an older log holds. The
// first interaction has the event's id, the others "id#2", "id#3", …
func Interactions(e data.Event) []data.Interaction {
	kind, rating := Act(&e)
	if kind == data.KindNone {
		return nil
	}
	request := ""
	if e.Rec != nil {
		request = e.Rec.Request
	}
	out := make([]data.Interaction, len(e.Items))
	for i, it := range e.Items {
		id := e.ID
		if i > 0 {
			id += "#" + strconv.Itoa(i+1)
		}
		out[i] = data.Interaction{
			ID: id, Profile: e.Profile, User: e.IDs.User, Item: it.ID, Kind: kind, Value: ActValue(kind, rating, &it),
			At: e.Times.Event, Session: e.Session.ID, Request: request,
		}
	}
	return out
}

// Act is the kind of every interaction that e stands for, and what a rating says;
// KindNone where Interactions is nil. With ActValue it is what the fold needs of
// Interactions, and allocates nothing but to look into props.
func Act(e *data.Event) (kind data.Kind, rating float64) {
	if len(e.Items) == 0 || e.Type == data.System {
		return data.KindNone, 0
	}
	switch kind = kindOfName(e.Name); kind {
	case data.Scroll:
		if depth, _ := number(e.Props, "depth"); !(depth > 0.8 && depth <= 1 || depth > 80) {
			return data.KindNone, 0
		}
	case data.Dwell:
		if seconds, _ := number(e.Props, "dwell_seconds"); !(seconds > 30) {
			return data.KindNone, 0
		}
	case data.Rating:
		if rating = e.Value; rating == 0 {
			told := false
			if rating, told = number(e.Props, "rating"); !told {
				return data.KindNone, 0
			}
		}
	case data.Hide: // Feedback Given
		switch lower(text(e.Props, "feedback")) {
		case "hide", "dislike":
		case "like":
			return data.Wishlist, 0
		default:
			return data.KindNone, 0
		}
	}
	return kind, rating
}

// ActValue is Interaction.Value of one item of an event whose Act is known.
func ActValue(kind data.Kind, rating float64, it *data.EventItem) float64 {
	switch kind {
	case data.Rating:
		return bounded(rating)
	case data.Purchase:
		if it.Quantity != 0 {
			return bounded(it.Price * it.Quantity)
		}
		return bounded(it.Price)
	}
	return 0
}

// bounded is the value within ±MaxNumber; what is not a number is 0.
func bounded(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return math.Max(-MaxNumber, math.Min(v, MaxNumber))
}

// kindOfName is the kind that a name may stand for; Hide for feedback of any sort.
func kindOfName(name string) data.Kind {
	var b [32]byte // longer than any of the names
	if len(name) > len(b) {
		return data.KindNone
	}
	n := copy(b[:], name)
	for i, c := range b[:n] {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	switch string(b[:n]) {
	case "product viewed", "article viewed", "item viewed", "page viewed", "screen viewed":
		return data.View
	case "product clicked", "article clicked", "item clicked", "clicked":
		return data.Click
	case "page scrolled":
		return data.Scroll
	case "page left", "page pinged":
		return data.Dwell
	case "product added to wishlist":
		return data.Wishlist
	case "product added":
		return data.AddToCart
	case "order completed":
		return data.Purchase
	case "item rated", "product reviewed":
		return data.Rating
	case "feedback given":
		return data.Hide
	}
	return data.KindNone
}

// Name is the event name that stands for an interaction of kind k, so that
// history brought in as interactions reads like events that were tracked: see
// Interactions for the properties that scroll, dwell, rating and hide need. It is
// "" for KindNone.
func Name(k data.Kind) string {
	switch k {
	case data.View:
		return "Product Viewed"
	case data.Click:
		return "Product Clicked"
	case data.Scroll:
		return "Page Scrolled"
	case data.Dwell:
		return "Page Left"
	case data.Wishlist:
		return "Product Added to Wishlist"
	case data.AddToCart:
		return "Product Added"
	case data.Purchase:
		return "Order Completed"
	case data.Rating:
		return "Item Rated"
	case data.Hide:
		return "Feedback Given"
	}
	return ""
}

// lower is s with ASCII letters in lower case; it allocates only where some are not.
func lower(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= 'A' && c <= 'Z' {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				if b[j] >= 'A' && b[j] <= 'Z' {
					b[j] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// property is the value of a field of a checked object, or nil.
func property(object []byte, name string) (value []byte) {
	if len(object) == 0 {
		return nil
	}
	for i := skipSpace(object, 0) + 1; ; {
		if i = skipSpace(object, i); object[i] == '}' {
			return value
		}
		end := skipValue(object, i)
		quoted := object[i:end]
		i = skipSpace(object, skipSpace(object, end)+1)
		end = skipValue(object, i)
		if v := object[i:end]; isNamed(quoted, name) && !isNull(v) {
			value = v
		}
		if i = skipSpace(object, end); object[i] == ',' {
			i++
		}
	}
}

// isNamed reports whether the checked string, given with its quotes, is name.
func isNamed(quoted []byte, name string) bool {
	if text := quoted[1 : len(quoted)-1]; bytes.IndexByte(text, '\\') < 0 {
		return string(text) == name
	}
	return unquote(quoted) == name
}

// number is a property that is a number, or a string that reads as one.
func number(object []byte, name string) (float64, bool) {
	return looseFloat(property(object, name))
}

// text is a property that is a string, or "".
func text(object []byte, name string) string {
	if v := property(object, name); len(v) > 0 && v[0] == '"' {
		return unquote(v)
	}
	return ""
}
