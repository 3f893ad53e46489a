package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kindred/data"
	"kindred/features"
	"kindred/training"
)

// An order says all of the configuration that training reads, whatever is added to it.
func TestAnOrderArrivesAsItWasGiven(t *testing.T) {
	o := order{Features: features.Default(), Training: training.Default()}
	n := 0
	disturb(t, reflect.ValueOf(&o).Elem(), &n)
	if n < 80 {
		t.Fatalf("%d values were changed; the test does not see the configuration", n)
	}
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	var got order
	if err := json.Unmarshal(text, &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(o, got); diff != "" {
		t.Errorf("-given +arrived:\n%s", diff)
	}
}

// disturb gives every value below v one of its own.
func disturb(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	if at, ok := v.Addr().Interface().(*time.Time); ok {
		*at = time.UnixMilli(1_700_000_000_123).UTC()
		return
	}
	*n++
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			disturb(t, v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range 2 {
			disturb(t, v.Index(i), n)
		}
	case reflect.Bool:
		v.SetBool(!v.Bool())
	case reflect.String:
		v.SetString(fmt.Sprint("text ", *n))
	case reflect.Int, reflect.Int32, reflect.Int64:
		v.SetInt(int64(*n))
	case reflect.Uint, reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(uint64(*n) % 256)
	case reflect.Float32, reflect.Float64:
		v.SetFloat(float64(*n) + .1)
	default:
		t.Fatalf("a %s: the test cannot change it", v.Type())
	}
}

func TestARunsErrorIsItselfInAnotherProcess(t *testing.T) {
	for _, is := range []error{training.ErrRefused, training.ErrNothingNew, training.ErrTooLittle, data.ErrStale, errors.New("disk full"), nil} {
		var err error
		if is != nil {
			err = fmt.Errorf("train: %w: of 3", is)
		}
		text, e := json.Marshal(note{Ended: endingOf(training.Outcome{Version: "m-1"}, err)})
		if e != nil {
			t.Fatal(e)
		}
		var n note
		if e := json.Unmarshal(text, &n); e != nil {
			t.Fatal(e)
		}
		got := n.Ended.err()
		if n.Ended.Model != "m-1" || fmt.Sprint(got) != fmt.Sprint(err) {
			t.Errorf("%v arrives as %q, %v", err, n.Ended.Model, got)
		}
		for name, one := range known() {
			if errors.Is(got, one) != errors.Is(err, one) {
				t.Errorf("%v: on arrival it is %q: %v", err, name, errors.Is(got, one))
			}
		}
	}
}

func TestLinesComeWholeAndBounded(t *testing.T) {
	var got []string
	w := &lines{each: func(line []byte) { got = append(got, string(line)) }}
	long := strings.Repeat("x", maxLine+5)
	for _, part := range []string{"a", "b\nc\n\nd", "\n", long, long, "\ne\nunfinished"} {
		if n, err := w.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatalf("Write = %d, %v; want %d, nil", n, err, len(part))
		}
	}
	if diff := cmp.Diff([]string{"ab", "c", "", "d", long[:maxLine], "e"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
