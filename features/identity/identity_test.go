package identity

import (
	"errors"
	"strings"
	"testing"

	"kindred/data"
)

func TestRoute(t *testing.T) {
	ann, device := data.NewProfileID(data.IDUser, "ann"), data.NewProfileID(data.IDAnonymous, "d1")
	bob := data.NewProfileID(data.IDUser, "bob")
	none := map[string]data.ProfileID{}
	for _, c := range []struct {
		name  string
		user  data.UserID
		anon  data.AnonymousID
		index map[string]data.ProfileID
		want  data.ProfileID
		err   error
	}{
		{"a user id nobody has seen opens its profile", "ann", "", none, ann, nil},
		{"a known user id leads where the index says", "ann", "", map[string]data.ProfileID{"user/ann": "p7"}, "p7", nil},
		{"an anonymous id opens its profile", "", "d1", none, device, nil},
		{"a linked anonymous id leads to its owner", "", "d1", map[string]data.ProfileID{"anon/d1": ann}, ann, nil},
		{"both, first met: the device's fold will link it", "ann", "d1", none, device, nil},
		{"both, device known and unowned", "ann", "d1", map[string]data.ProfileID{"anon/d1": device}, device, nil},
		{"both, device owned by this user", "ann", "d1", map[string]data.ProfileID{"anon/d1": ann}, ann, nil},
		{"a shared device never merges two people", "bob", "d1", map[string]data.ProfileID{"anon/d1": ann}, bob, nil},
		{"a blocked user id is absent", "null", "d1", none, device, nil},
		{"a blocked anonymous id is absent", "ann", "00000000-0000-0000-0000-000000000000", none, ann, nil},
		{"nobody", " Guest ", "undefined", none, "", ErrNobody},
		{"nothing", "", "", none, "", ErrNobody},
		{"the index is away", "eve", "", map[string]data.ProfileID{"user/eve": "broken"}, "", errAway},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Route(data.IDs{User: c.user, Anonymous: c.anon}, func(kind data.IDKind, id string) (data.ProfileID, error) {
				p, ok := c.index[string(kind)+"/"+id]
				if p == "broken" {
					return "", errAway
				}
				if !ok {
					return "", data.ErrNotFound
				}
				return p, nil
			})
			if got != c.want || !errors.Is(err, c.err) {
				t.Errorf("Route = %q, %v; want %q, %v", got, err, c.want, c.err)
			}
		})
	}
}

var errAway = errors.New("away")

func TestBlocks(t *testing.T) {
	r := Default()
	for id, want := range map[string]bool{
		"": true, "  ": true, "NULL": true, "[object Object]": true, "-1": true, "0": true, "000": true, "anonymous": true,
		"ann": false, "10": false, "null2": false, "-": false,
	} {
		if got := r.Blocks(id); got != want {
			t.Errorf("Blocks(%q) = %v, want %v", id, got, want)
		}
	}
	if !(Rules{Blocked: []string{"Test "}}).Blocks("test") {
		t.Error("a configured id is not blocked without case and space")
	}
}

func TestUserZeroIsAPersonOnlyInARowOfADataSet(t *testing.T) {
	listed := Rules{Blocked: []string{"0"}}
	for _, c := range []struct {
		name     string
		rules    Rules
		ids      data.IDs
		imported bool
		want     data.UserID
	}{
		{"a row of a data set", Default(), data.IDs{User: "0"}, true, "0"},
		{"a tracker's call", Default(), data.IDs{User: "0"}, false, ""},
		{"an imported call that has a device", Default(), data.IDs{User: "0", Anonymous: "d1"}, true, ""},
		{"a longer run of zeros", Default(), data.IDs{User: "000"}, true, ""},
		{"blocked by configuration", listed, data.IDs{User: "0"}, true, ""},
	} {
		if got := c.rules.Of(data.Event{IDs: c.ids, Imported: c.imported}).User; got != c.want {
			t.Errorf("%s: user %q, want %q", c.name, got, c.want)
		}
	}
}

func TestValidateRefusesAnEmptyBlockedID(t *testing.T) {
	if err := (Rules{Blocked: []string{"x", " "}}).Validate(); err == nil {
		t.Error("no error")
	}
	if err := Default().Validate(); err != nil {
		t.Error(err)
	}
}

func TestBlockedIDsAreThoseOfThePlainComparison(t *testing.T) {
	r := Rules{Blocked: append(Default().Blocked, " Spaced ", "K\u00f6nig", "\u212aelvin", "0x")}
	for _, id := range []string{"", "-", "--", "0-0", "0", "0x", "00x", "NULL", " null", "nul", "nullo", "spaced", "SPACED ", "k\u00f6nig", "KÖNIG", "kelvin", "KELVIN",
		"\u00a0none\u00a0", "u000123", "Ann", "guest1", "\x00", "[Object object]"} {
		trimmed := strings.TrimSpace(id)
		want := strings.Trim(trimmed, "0-") == "" && trimmed != "-"
		for _, b := range r.Blocked {
			want = want || strings.EqualFold(trimmed, strings.TrimSpace(b))
		}
		if got := r.Blocks(id); got != want {
			t.Errorf("Blocks(%q) = %v, want %v", id, got, want)
		}
	}
}
