package data

import "fmt"

// Kind says how a person acted on an item. Its number is stored; never reuse one.
type Kind uint8

// The kinds of interaction. Rating is explicit feedback and carries a value; the
// others are implicit. Hide is a wish not to see the item again.
const (
	KindNone Kind = iota
	View
	Click
	Scroll   // scrolled past 80 % of the item's page
	Dwell    // stayed longer than 30 s
	Wishlist // saved for later
	AddToCart
	Purchase
	Rating
	Hide
)

var kindNames = [...]string{
	KindNone: "none", View: "view", Click: "click", Scroll: "scroll", Dwell: "dwell",
	Wishlist: "wishlist", AddToCart: "add_to_cart", Purchase: "purchase", Rating: "rating", Hide: "hide",
}

// String is the kind's name in JSON, files and reports.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// ParseKind is the inverse of String, for every kind but KindNone.
func ParseKind(s string) (Kind, error) {
	for k, name := range kindNames {
		if name == s && Kind(k) != KindNone {
			return Kind(k), nil
		}
	}
	return KindNone, fmt.Errorf("unknown interaction kind %q; use one of view, click, scroll, dwell, wishlist, add_to_cart, purchase, rating, hide", s)
}

// MarshalText writes the kind's name.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads the kind's name.
func (k *Kind) UnmarshalText(b []byte) (err error) {
	*k, err = ParseKind(string(b))
	return err
}
