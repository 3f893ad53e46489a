package content_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"kindred/model"
	"kindred/model/content"
)

// crowded is a catalogue in which few words are in most documents: enough postings
// for a profile to be deferred.
func crowded(items int) (*content.Model, model.History, error) {
	r := rand.New(rand.NewPCG(7, uint64(items)))
	docs := make([][]string, items)
	for i := range docs {
		for range 12 {
			docs[i] = append(docs[i], fmt.Sprint("w", int(math.Pow(5000, r.Float64()))))
		}
	}
	cfg := content.Config{MinDocs: 1, MaxDocShare: 1, ProfileTerms: 64}
	m, err := content.Fit(docs, cfg)
	var h model.History
	for range 60 {
		if row := int32(r.IntN(items)); !slices.Contains(h.Rows, row) {
			h.Rows, h.Weights = append(h.Rows, row), append(h.Weights, float32(1+r.IntN(3)))
		}
	}
	return m, h, err
}

func TestADeferredProfileTellsTheMomentsAndBoundOfItsScores(t *testing.T) {
	frequent, h, err := crowded(6000)
	if err != nil {
		t.Fatal(err)
	}
	frequent.Frequent()
	many, _, _ := crowded(6000)
	many.Many()
	free, _, _ := crowded(6000)
	more := [][]string{{"w1", "w2", "w4000"}, nil, {"w3"}}
	for name, m := range map[string]*content.Model{
		"frequent": frequent, "frequent, extended": frequent.Extend(more), "many": many, "many, extended": many.Extend(more), "free": free,
	} {
		t.Run(name, func(t *testing.T) {
			n := m.Items()
			want := make([]float32, n)
			m.Score(h, want)
			mean, square := 0.0, 0.0
			for _, x := range want {
				mean += float64(x) / float64(n)
			}
			for _, x := range want {
				square += (float64(x) - mean) * (float64(x) - mean)
			}
			into := model.NewSparseScores(n)
			for range 2 { // in memory that was used before
				into.Reset()
				o := m.Ask(h, into)
				if o == nil {
					t.Fatal("the profile is not deferred")
				}
				gotMean, variance := o.Moments()
				if math.Abs(gotMean-mean) > 1e-6*mean || math.Abs(variance-square/float64(n)) > 1e-5*variance {
					t.Errorf("mean %v, variance %v; want %v, %v", gotMean, variance, mean, square/float64(n))
				}
				touched := into.Rows()
				if len(touched) == 0 || len(touched) == n || o.Rest() == 0 {
					t.Errorf("%d of %d rows were touched; rest %v", len(touched), n, o.Rest())
				}
				most := 0.0
				for row := range int32(n) {
					w := float64(want[row])
					if math.Abs(o.Score(row)-w) > 1e-6 {
						t.Fatalf("row %d scores %v; want %v", row, o.Score(row), w)
					}
					most = max(most, w)
					if got := float64(into.At(row)); !into.Has(row) || o.More() > 0 {
						if got += o.Left(row); math.Abs(got-w) > 1e-6 {
							t.Fatalf("row %d has %v with what is left; want %v", row, got, w)
						}
					}
					if into.Has(row) {
						if got := float64(into.At(row)); got > w+1e-6 || got+o.More() < w-1e-6 {
							t.Fatalf("touched row %d has %v and at most %v more; want %v", row, got, o.More(), w)
						}
						if int(row) >= 6000 && math.Abs(float64(into.At(row))-w) > 1e-6 {
							t.Fatalf("appended row %d has %v; want %v", row, into.At(row), w)
						}
					} else if w > o.Rest() || w < 0 {
						t.Fatalf("row %d scores %v; the bound is %v", row, w, o.Rest())
					}
				}
				for _, row := range touched {
					if row < 6000 && o.More() > 0 && o.Most() < float64(into.At(row))+o.More() {
						t.Fatalf("touched row %d may have %v and %v more; the bound is %v", row, into.At(row), o.More(), o.Most())
					}
				}
				if o.Most() < most || o.Most() > 2*most+.2 {
					t.Errorf("the highest score is %v; the bound is %v", most, o.Most())
				}
				o.Complete(into)
				for row := range int32(n) {
					if !into.Has(row) || math.Abs(float64(into.At(row)-want[row])) > 1e-6 {
						t.Fatalf("complete row %d has %v; want %v", row, into.At(row), want[row])
					}
				}
				if o.Rest() != 0 || o.More() != 0 {
					t.Errorf("complete with a rest of %v and %v more", o.Rest(), o.More())
				}
				o.Release()
			}
		})
	}
}

func TestAnEasyProfileIsNotDeferred(t *testing.T) {
	m, h, err := crowded(100)
	if err != nil {
		t.Fatal(err)
	}
	into := model.NewSparseScores(100)
	if m.Ask(h, into) != nil || m.Ask(model.History{}, into) != nil || len(into.Rows()) != 0 {
		t.Error("a small catalogue's profile was deferred, or a stranger's")
	}
}
