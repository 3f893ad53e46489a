package blob_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kindred/model/blob"
)

// all is one value of everything a Writer writes.
type all struct {
	Count    int
	Int64    int64
	Float64  float64
	Bool     bool
	String   string
	Strings  []string
	Counts   []int
	Int32s   []int32
	Int64s   []int64
	Float32s []float32
	Float64s []float64
	Bools    []bool
}

func sample() all {
	return all{
		300, math.MinInt64, -1.5, true, "lämp", []string{"", "desk"}, []int{0, 128, math.MaxInt32},
		[]int32{-1, math.MaxInt32}, []int64{1 << 40}, []float32{0.1, -3}, []float64{}, []bool{false, true},
	}
}

func write(v all) []byte {
	w := blob.NewWriter(7)
	w.Count(v.Count)
	w.Int64(v.Int64)
	w.Float64(v.Float64)
	w.Bool(v.Bool)
	w.String(v.String)
	w.Strings(v.Strings)
	w.Counts(v.Counts)
	w.Int32s(v.Int32s)
	w.Int64s(v.Int64s)
	w.Float32s(v.Float32s)
	w.Float64s(v.Float64s)
	w.Bools(v.Bools)
	return w.Bytes()
}

func read(b []byte) (all, error) {
	r := blob.Open(b, 7)
	v := all{
		r.Count(), r.Int64(), r.Float64(), r.Bool(), r.String(), r.Strings(), r.Counts(),
		r.Int32s(), r.Int64s(), r.Float32s(), r.Float64s(), r.Bools(),
	}
	return v, r.Close()
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	got, err := read(write(sample()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample(), got); diff != "" {
		t.Errorf("(-written +read):\n%s", diff)
	}
}

func TestReaderRefusesWhatIsNotWhole(t *testing.T) {
	b := write(sample())
	for n := range b {
		if _, err := read(b[:n]); !errors.Is(err, blob.ErrTruncated) {
			t.Errorf("the first %d of %d bytes: %v; want %v", n, len(b), err, blob.ErrTruncated)
		}
	}
	if _, err := read(append(b, 0)); err == nil || !strings.Contains(err.Error(), "1 bytes after the end") {
		t.Errorf("a byte too many: %v", err)
	}
	b[0] = 8
	if _, err := read(b); err == nil || !strings.Contains(err.Error(), "version 8: this build reads 7") {
		t.Errorf("another version: %v", err)
	}
}

func TestReaderRefusesWhatNoWriterWrites(t *testing.T) {
	cases := []struct {
		name  string
		bytes []byte
		read  func(*blob.Reader)
	}{
		{"a number that is not one", blob64(math.NaN()), func(r *blob.Reader) { r.Float64() }},
		{"infinity", blob64(math.Inf(-1)), func(r *blob.Reader) { r.Float64() }},
		{"a truth value of 2", []byte{7, 2}, func(r *blob.Reader) { r.Bool() }},
		{"a count in two bytes that needs one", []byte{7, 0x81, 0x00}, func(r *blob.Reader) { r.Count() }},
		{"a count that is too large", []byte{7, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}, func(r *blob.Reader) { r.Count() }},
		{"a count of numbers that are not there", []byte{7, 0xff, 0xff, 0xff, 0x7f}, func(r *blob.Reader) { r.Float64s() }},
		{"a small float that is not a number", []byte{7, 1, 0, 0, 0xc0, 0x7f}, func(r *blob.Reader) { r.Float32s() }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := blob.Open(c.bytes, 7)
			c.read(r)
			if err := r.Close(); err == nil {
				t.Error("it was accepted")
			}
		})
	}
}

// blob64 is the encoding of one float64.
func blob64(x float64) []byte {
	w := blob.NewWriter(7)
	w.Float64(x)
	return w.Bytes()
}

func TestAHugeCountAllocatesNothing(t *testing.T) {
	b := []byte{7, 0xff, 0xff, 0xff, 0xff, 0x07} // 2³¹−1 entries follow, it says
	if n := testing.AllocsPerRun(10, func() {
		for _, read := range []func(*blob.Reader){
			func(r *blob.Reader) { r.Strings() }, func(r *blob.Reader) { r.Int32s() }, func(r *blob.Reader) { r.Float64s() },
		} {
			read(blob.Open(b, 7))
		}
	}); n > 30 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzReader(f *testing.F) {
	f.Add(write(sample()))
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := read(b)
		if err != nil {
			return
		}
		if again := write(v); !bytes.Equal(again, b) {
			t.Fatalf("round trip changed the bytes\n%x\n%x", b, again)
		}
	})
}
