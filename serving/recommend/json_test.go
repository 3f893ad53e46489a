package recommend_test

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kindred/data"
	"kindred/serving/recommend"
)

// written is the answer as encoding/json writes it.
func written(a recommend.Answer) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(a)
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), err
}

func TestAnAnswerIsWrittenAsEncodingJSONWritesIt(t *testing.T) {
	text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[ -~\x00-\x1f\x7f]{0,9}`), rapid.StringMatching(`[a-z !#~]{0,20}["\x5c\x00\x1f\x7f]?[a-z !#~\[\]]{0,20}`), rapid.SampledFrom([]string{"", "lamp", "a<b>&c", "\u2028", "\xff", `"\`, "é"}))
	id := rapid.Map(text, func(s string) data.ItemID { return data.ItemID(s) })
	single := rapid.OneOf(rapid.Float32(), rapid.SampledFrom([]float32{0, 1, .1, -.25, 1e-6, 9.9e-7, 1e21, 1e20, -1e-9, math.MaxFloat32}))
	double := rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{0, 9.99, 1e-7, 1e21, 5e-324}))
	texts := rapid.OneOf(rapid.Just([]string(nil)), rapid.SliceOfN(text, 0, 3))
	cause := rapid.Custom(func(t *rapid.T) recommend.Cause {
		return recommend.Cause{Item: id.Draw(t, "item"), Title: text.Draw(t, "title"), Share: single.Draw(t, "share")}
	})
	reason := rapid.Custom(func(t *rapid.T) recommend.Reason {
		return recommend.Reason{
			Component: text.Draw(t, "component"), Share: single.Draw(t, "share"), Because: rapid.SliceOfN(cause, 0, 3).Draw(t, "because"), Terms: texts.Draw(t, "terms"),
		}
	})
	item := rapid.Custom(func(t *rapid.T) recommend.Recommended {
		return recommend.Recommended{
			ID: id.Draw(t, "id"), Title: text.Draw(t, "title"), Position: rapid.Int().Draw(t, "position"), Score: single.Draw(t, "score"),
			Categories: texts.Draw(t, "categories"), URL: text.Draw(t, "url"), ImageURL: text.Draw(t, "image"), Price: double.Draw(t, "price"),
			Currency: text.Draw(t, "currency"), Reasons: rapid.SliceOfN(reason, 0, 3).Draw(t, "reasons"),
			Unknown: rapid.Bool().Draw(t, "unknown"), Closed: rapid.Bool().Draw(t, "closed"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		a := recommend.Answer{
			RequestID: text.Draw(t, "request"), User: data.UserID(text.Draw(t, "user")), Known: rapid.Bool().Draw(t, "known"), Model: text.Draw(t, "model"),
			Components: texts.Draw(t, "components"), Fallback: text.Draw(t, "fallback"), Stale: rapid.Bool().Draw(t, "stale"),
			GeneratedAt: time.UnixMilli(rapid.Int64Range(-1e12, 1e13).Draw(t, "at")).UTC(),
		}
		if rapid.Bool().Draw(t, "has items") {
			a.Items = rapid.SliceOfN(item, 0, 3).Draw(t, "items")
		}
		want, err := written(a)
		if err != nil {
			t.Fatal(err)
		}
		got, err := a.AppendJSON([]byte("before"))
		if err != nil || string(got) != "before"+want {
			t.Fatalf("%v\n%s\nwant\n%s", err, got, want)
		}
	})
}

func TestAnAnswerWithoutJSONIsAnError(t *testing.T) {
	inf := recommend.Answer{Items: []recommend.Recommended{{Price: math.Inf(1)}}}
	if _, err := inf.AppendJSON(nil); err == nil {
		t.Error("an infinite price was written")
	}
	if _, err := (recommend.Answer{GeneratedAt: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}).AppendJSON(nil); err == nil {
		t.Error("a year of five digits was written")
	}
}

// TestEveryByteInEveryPlaceOfATextIsWrittenAsEncodingJSONWritesIt: texts are looked at in
// words, whose ends differ with the length.
func TestEveryByteInEveryPlaceOfATextIsWrittenAsEncodingJSONWritesIt(t *testing.T) {
	for _, special := range []string{" ", "!", "#", "[", "]", "~", "\x00", "\x1f", `"`, `\`, "\x7f", "\x80", "\xff", "é", "€", "\u2028", "\u2029", "😀", "<"} {
		for n := range 19 {
			for at := range n + 1 {
				a := recommend.Answer{RequestID: "abcdefghijklmnopqr"[:at] + special + "abcdefghijklmnopqr"[at:n]}
				want, err := written(a)
				if err != nil {
					t.Fatal(err)
				}
				if got, err := a.AppendJSON(nil); err != nil || string(got) != want {
					t.Fatalf("%v\n%s\nwant\n%s", err, got, want)
				}
			}
		}
	}
}

func TestEveryShareIsWrittenAsEncodingJSONWritesIt(t *testing.T) {
	a := recommend.Answer{Items: []recommend.Recommended{{Reasons: make([]recommend.Reason, 0, 30_003)}}}
	reasons := &a.Items[0].Reasons
	for i := range 10_001 {
		share := float32(i) / 10_000
		for _, x := range []float32{share, math.Nextafter32(share, 2), -share} {
			*reasons = append(*reasons, recommend.Reason{Share: x})
		}
	}
	want, err := written(a)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := a.AppendJSON(nil); err != nil || string(got) != want {
		t.Errorf("%v; shares are not written as encoding/json writes them", err)
	}
}

func TestPricesAreWrittenAsEncodingJSONWritesThem(t *testing.T) {
	var a recommend.Answer
	add := func(x float64) {
		for _, price := range []float64{x, math.Nextafter(x, math.Inf(1)), math.Nextafter(x, 0), -x} {
			a.Items = append(a.Items, recommend.Recommended{Price: price})
		}
	}
	for n := range 20_000 {
		add(float64(n) / 100)
		add(float64(n) / 1000)
		add(float64(1_000_000_000-10_000+n) / 100) // about the largest that are written by themselves
		add(float64(n*49_999) / 100)
	}
	want, err := written(a)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := a.AppendJSON(nil); err != nil || string(got) != want {
		t.Errorf("%v; prices are not written as encoding/json writes them", err)
	}
}

func TestSharesHaveFourPlaces(t *testing.T) {
	s := newBig(t, 500, 8).service(t, 20)
	a := recommendation(t, s, recommend.Request{IDs: data.IDs{User: person(1)}, N: 10})
	places := func(share float32) {
		if n := math.Round(float64(share) * 1e4); float32(n)/1e4 != share || share < 0 || share > 1 {
			t.Errorf("a share is %v", share)
		}
	}
	for _, it := range a.Items {
		sum := float32(0)
		for _, r := range it.Reasons {
			places(r.Share)
			sum += r.Share
			for _, c := range r.Because {
				places(c.Share)
			}
		}
		if sum < .999 || sum > 1.001 {
			t.Errorf("the shares of %s sum to %v", it.ID, sum)
		}
	}
}
