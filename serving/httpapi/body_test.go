package httpapi

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestBodiesAreReadTheSameInMemoryThatWasUsed: whatever came before, a refused or
// broken body above all, the next one reads as itself.
func TestBodiesAreReadTheSameInMemoryThatWasUsed(t *testing.T) {
	const limit = 10_000
	zipped := func(s string) []byte {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		_, _ = z.Write([]byte(s))
		_ = z.Close()
		return b.Bytes()
	}
	long, good := strings.Repeat("long ", limit/5), strings.Repeat("good", 1200)
	tests := []struct {
		body     []byte
		encoding string
		sized    bool
		want     string
		err      error // errBroken: any
	}{
		{[]byte(good), "", true, good, nil}, {[]byte(good), "identity", false, good, nil}, {nil, "", true, "", nil}, {[]byte("x"), "", false, "x", nil},
		{[]byte(long), "", true, long, nil}, {[]byte(long + "x"), "", true, "", errTooLarge}, {[]byte(long + "x"), "", false, "", errTooLarge},
		{zipped(good), "gzip", true, good, nil}, {zipped(good)[:40], "gzip", true, "", errBroken}, {[]byte("nonsense"), "gzip", true, "", errBroken},
		{nil, "gzip", true, "", errBroken}, {zipped(long), " X-GZIP", false, long, nil}, {zipped(long + "x"), "gzip", true, "", errTooLarge}, {[]byte(good), "br", true, "", errEncoding},
	}
	var shared bodies
	for i := range len(tests) * len(tests) { // every body after every other
		for _, tt := range []int{i / len(tests), i % len(tests)} {
			tt := tests[tt]
			var body io.Reader = bytes.NewReader(tt.body)
			if !tt.sized {
				body = struct{ io.Reader }{body}
			}
			r, err := http.NewRequest(http.MethodPost, "http://localhost/v1/batch", body)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Encoding", tt.encoding)
			m := shared.take()
			for _, m := range []*bodyMemory{m, new(bodyMemory)} {
				r.Body = io.NopCloser(bytes.NewReader(tt.body))
				got, err := m.read(r, limit)
				switch {
				case tt.err == errBroken && err != nil && !errors.Is(err, errTooLarge):
				case !errors.Is(err, tt.err), err == nil && string(got) != tt.want:
					t.Fatalf("%q of %d bytes: %d bytes, %v; want %d bytes, %v", tt.encoding, len(tt.body), len(got), err, len(tt.want), tt.err)
				}
			}
			shared.put(m)
		}
	}
}

var errBroken = errors.New("broken")
