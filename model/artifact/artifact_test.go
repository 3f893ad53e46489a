package artifact_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kindred/model"
	"kindred/model/als"
	"kindred/model/artifact"
	"kindred/model/cluster"
	"kindred/model/content"
	"kindred/model/hybrid"
	"kindred/model/itemitem"
	"kindred/model/modeltest"
	"kindred/model/popular"
	"kindred/model/vocab"
)

const items = 6

// bundle is a small whole training run.
func bundle(t testing.TB) *artifact.Bundle {
	t.Helper()
	fatal := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	x := modeltest.Checkerboard(items)
	b := &artifact.Bundle{Meta: artifact.Meta{
		Created: time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC), Watermark: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC),
		Seed: 7, Interactions: 12, People: 6, Items: items,
		Weights: map[string]float64{"view": 1, "purchase": 10},
		Config:  json.RawMessage(`{"factors":2}`), Metrics: json.RawMessage(`{"ndcg@10":0.5}`), Dataset: "checkerboard", Builder: "test",
	}}
	var keys []string
	docs := make([][]string, items)
	var events []popular.Event
	for i := range items {
		keys = append(keys, fmt.Sprint("item", i))
		docs[i] = []string{fmt.Sprint("colour", i%2)}
		events = append(events, popular.Event{Row: int32(i), Weight: float64(i), At: int64(1000 * i)})
	}
	var err error
	b.Items, err = vocab.New(keys)
	fatal(err)
	cfg := als.Default()
	cfg.Factors, cfg.Iterations, cfg.Workers = 2, 2, 1
	b.ALS, err = als.Fit(t.Context(), x, cfg, nil, nil)
	fatal(err)
	b.ItemItem, err = itemitem.Fit(t.Context(), x, itemitem.Default(), nil)
	fatal(err)
	b.Content, err = content.Fit(docs, content.Default())
	fatal(err)
	b.Popular = popular.Fit(items, events, 10_000, popular.Default())
	b.Hybrid = hybrid.Equal([]string{"als", "itemitem", "content", "popular"}, hybrid.ZScore)
	kmeans := cluster.Default()
	kmeans.K = 2
	b.Cluster, _, err = cluster.Fit(t.Context(), []float64{1, 2, 8, 9}, []cluster.Dim{{Name: "visits"}}, kmeans, nil, nil)
	fatal(err)
	return b
}

func encode(t testing.TB, b *artifact.Bundle) []byte {
	t.Helper()
	encoded, err := b.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return encoded
}

func TestADecodedBundleAnswersAsTheOriginal(t *testing.T) {
	want := bundle(t)
	encoded := encode(t, want)
	got, err := artifact.Decode(encoded)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Meta, got.Meta); diff != "" {
		t.Errorf("meta (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want.Items.Keys(), got.Items.Keys()); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	h := model.History{Rows: []int32{0, 2}, Weights: []float32{1, 2}}
	for i, s := range append(want.Scorers(), blend(t, want)) {
		loaded := append(got.Scorers(), blend(t, got))[i]
		a, b := make([]float32, items), make([]float32, items)
		if ok, loadedOK := s.Score(h, a), loaded.Score(h, b); ok != loadedOK || !slices.Equal(a, b) || s.Name() != loaded.Name() {
			t.Errorf("%s scores %v, %s after loading %v", s.Name(), a, loaded.Name(), b)
		}
	}
	x := []float64{7}
	if diff := cmp.Diff(want.Cluster.Assign(x, 0, .1), got.Cluster.Assign(x, 0, .1)); diff != "" {
		t.Errorf("assignment (-want +got):\n%s", diff)
	}
	if again := encode(t, got); !bytes.Equal(encoded, again) {
		t.Error("a decoded bundle encodes differently")
	}
}

func blend(t *testing.T, b *artifact.Bundle) *hybrid.Scorer {
	t.Helper()
	s, err := b.Blend()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestEqualBundlesHaveEqualBytes(t *testing.T) {
	a, b := encode(t, bundle(t)), encode(t, bundle(t))
	if !bytes.Equal(a, b) || artifact.Checksum(a) != artifact.Checksum(b) {
		t.Error("two equal bundles encode differently")
	}
	if len(artifact.Checksum(a)) != 64 {
		t.Errorf("checksum %q", artifact.Checksum(a))
	}
}

func TestUntrainedPartsAreLeftOut(t *testing.T) {
	b := bundle(t)
	b.ALS, b.Hybrid, b.Cluster = nil, nil, nil
	got, err := artifact.Decode(encode(t, b))
	if err != nil {
		t.Fatal(err)
	}
	if got.ALS != nil || got.Hybrid != nil || got.Cluster != nil || len(got.Scorers()) != 3 {
		t.Errorf("decoded %+v; want three scorers and no hybrid", got)
	}
	if w := blend(t, got).Model().Weights; len(w) != 3 || w[0] != w[2] {
		t.Errorf("without a hybrid the weights are %v; want equal ones", w)
	}
	empty := &artifact.Bundle{Items: b.Items}
	if _, err := empty.Blend(); err == nil {
		t.Error("a blend of nothing was made")
	}
	if _, err := artifact.Decode(encode(t, empty)); err != nil {
		t.Errorf("a bundle without models: %v", err)
	}
}

func TestBundlesWhosePartsDisagreeAreRefused(t *testing.T) {
	cases := map[string]func(*artifact.Bundle){
		"no item vocab":        func(b *artifact.Bundle) { b.Items = nil },
		"the vocab has 1":      func(b *artifact.Bundle) { b.Items, _ = vocab.New([]string{"lamp"}) },
		"content knows 7":      func(b *artifact.Bundle) { b.Content = b.Content.Extend([][]string{nil}) },
		`"popular" is missing`: func(b *artifact.Bundle) { b.Popular = nil },
	}
	for want, change := range cases {
		b := bundle(t)
		change(b)
		if _, err := b.Encode(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestEveryFlippedBitIsNoticed(t *testing.T) {
	encoded := encode(t, bundle(t))
	for i := range encoded {
		damaged := slices.Clone(encoded)
		damaged[i] ^= 1 << (i % 8)
		_, err := artifact.Decode(damaged)
		var corrupt *artifact.CorruptError
		var version *artifact.VersionError
		if i == 5 { // the version byte
			if !errors.As(err, &version) {
				t.Errorf("byte %d: %v; want a *VersionError", i, err)
			}
		} else if !errors.As(err, &corrupt) {
			t.Errorf("byte %d: %v; want a *CorruptError", i, err)
		}
	}
}

func TestEveryCutIsNoticed(t *testing.T) {
	encoded := encode(t, bundle(t))
	var corrupt *artifact.CorruptError
	for n := range encoded {
		if _, err := artifact.Decode(encoded[:n:n]); !errors.As(err, &corrupt) {
			t.Fatalf("the first %d bytes: %v; want a *CorruptError", n, err)
		}
	}
	if _, err := artifact.Decode(append(encoded, 0)); !errors.As(err, &corrupt) {
		t.Errorf("a byte too many: %v; want a *CorruptError", err)
	}
}

// part is one section as the format page describes it.
type part struct {
	name string
	body []byte
}

// container writes sections with valid checksums, as the format page says and
// without the package's own code.
func container(parts ...part) []byte {
	b := append([]byte("KNDRD"), 1)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(parts)))
	offset := 8 + 64*len(parts)
	for _, p := range parts {
		name := make([]byte, 16)
		copy(name, p.name)
		sum := sha256.Sum256(p.body)
		b = append(b, name...)
		b = binary.LittleEndian.AppendUint64(b, uint64(offset))
		b = binary.LittleEndian.AppendUint64(b, uint64(len(p.body)))
		b = append(b, sum[:]...)
		offset += len(p.body)
	}
	for _, p := range parts {
		b = append(b, p.body...)
	}
	return seal(b)
}

// seal appends the file's checksum.
func seal(b []byte) []byte {
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

func TestContainersAreReadAsTheFormatPageSays(t *testing.T) {
	b := &artifact.Bundle{Items: bundle(t).Items}
	meta, _ := json.Marshal(b.Meta)
	names, _ := b.Items.MarshalBinary()
	good := []part{{"meta", meta}, {"items", names}}
	if !bytes.Equal(container(good...), encode(t, b)) {
		t.Fatal("Encode does not follow the format page")
	}
	shifted := container(good...)
	binary.LittleEndian.PutUint64(shifted[8+16:], 200)
	long := container(good...)
	binary.LittleEndian.PutUint64(long[8+64+24:], 1<<62)
	many := container(good...)
	binary.LittleEndian.PutUint16(many[6:], 65535)
	reseal := func(b []byte) []byte { return seal(b[:len(b)-32]) }

	cases := []struct {
		name    string
		bytes   []byte
		section string // of the *CorruptError; "" for the container
		version bool   // a *VersionError instead
	}{
		{"nothing", nil, "", false},
		{"another file", []byte("PK\x03\x04 and so on"), "", false},
		{"a later format", append([]byte("KNDRD\x02"), make([]byte, 100)...), "", true},
		{"a section of a later build", container(append(slices.Clone(good), part{"session", []byte("x")})...), "session", true},
		{"no sections", container(), "meta", false},
		{"meta is not first", container(good[1], good[0]), "meta", false},
		{"meta is not JSON", container(part{"meta", []byte("{")}, good[1]), "meta", false},
		{"meta twice", container(good[0], good[0], good[1]), "meta", false},
		{"items twice", container(good[0], good[1], good[1]), "items", false},
		{"a part that is not what it says", container(good[0], good[1], part{"als", names}), "als", false},
		{"a part without a name", container(good[0], part{"", names}), "", false},
		{"a name with other bytes", container(good[0], part{"Items\x00x", names}), "", false},
		{"no items", container(good[0]), "", false},
		{"a gap between sections", reseal(shifted), "meta", false},
		{"a length beyond the file", reseal(long), "items", false},
		{"a table beyond the file", reseal(many), "", false},
		{"bytes outside every section", seal(append(container(good...)[:len(container(good...))-32], 0)), "", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := artifact.Decode(c.bytes)
			var corrupt *artifact.CorruptError
			var version *artifact.VersionError
			switch {
			case c.version && (!errors.As(err, &version) || version.Section != c.section):
				t.Errorf("%v; want a *VersionError of section %q", err, c.section)
			case !c.version && (!errors.As(err, &corrupt) || corrupt.Section != c.section):
				t.Errorf("%v; want a *CorruptError of section %q", err, c.section)
			}
		})
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(encode(f, bundle(f)))
	f.Add([]byte("KNDRD\x01\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) { decodeSafely(t, b) })
}

// FuzzSections damages what is inside sections with valid checksums around them,
// where FuzzDecode would hardly ever come.
func FuzzSections(f *testing.F) {
	b := bundle(f)
	names, _ := b.Items.MarshalBinary()
	for i, m := range []interface{ MarshalBinary() ([]byte, error) }{b.ALS, b.ItemItem, b.Content, b.Popular, b.Hybrid, b.Cluster} {
		body, err := m.MarshalBinary()
		if err != nil {
			f.Fatal(err)
		}
		f.Add([]byte("{}"), names, body, uint8(i))
	}
	f.Fuzz(func(t *testing.T, meta, names, body []byte, which uint8) {
		kinds := []string{"als", "itemitem", "content", "popular", "hybrid", "cluster"}
		decodeSafely(t, container(part{"meta", meta}, part{"items", names}, part{kinds[int(which)%len(kinds)], body}))
	})
}

// decodeSafely decodes b: refused with one of the two errors, or whole and stable.
func decodeSafely(t *testing.T, b []byte) {
	got, err := artifact.Decode(b)
	var corrupt *artifact.CorruptError
	var version *artifact.VersionError
	if err != nil {
		if !errors.As(err, &corrupt) && !errors.As(err, &version) {
			t.Fatalf("error %v is of neither type", err)
		}
		return
	}
	encoded, err := got.Encode()
	if err != nil {
		t.Fatalf("a decoded bundle does not encode: %v", err)
	}
	again, err := artifact.Decode(encoded)
	if err != nil {
		t.Fatalf("what was encoded does not decode: %v", err)
	}
	if twice, _ := again.Encode(); !bytes.Equal(encoded, twice) {
		t.Fatal("a round trip changes the bytes")
	}
}

func ExampleDecode() {
	names, _ := vocab.New([]string{"desk", "lamp"})
	b := artifact.Bundle{
		Meta:    artifact.Meta{Dataset: "demo"},
		Items:   names,
		Popular: popular.Fit(2, []popular.Event{{Row: 1, Weight: 1}}, 0, popular.Default()),
	}
	encoded, err := b.Encode()
	if err != nil {
		fmt.Println(err)
		return
	}
	loaded, err := artifact.Decode(encoded)
	fmt.Println(loaded.Meta.Dataset, loaded.Items.Key(1), loaded.Scorers()[0].Name(), err)
	encoded[100]++
	_, err = artifact.Decode(encoded)
	fmt.Println(err)
	// Output:
	// demo lamp popular <nil>
	// artifact is damaged: the checksum does not match: the file was cut off or changed
}
