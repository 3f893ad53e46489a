package snippet

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
)

// asset is a script in both forms in which it is sent.
type asset struct {
	packed, plain []byte
	etag          string
}

func newAsset(packed, plain []byte) asset {
	sum := sha256.Sum256(plain)
	return asset{packed, plain, hex.EncodeToString(sum[:8])}
}

// pack is the asset of a script.
func pack(plain []byte) asset {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic("snippet: " + err.Error()) // memory takes everything
	}
	return newAsset(b.Bytes(), plain)
}

// serve sends the script, packed to clients that take gzip, which is every browser,
// or 304 to those that have it.
func (a asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Vary", "Accept-Encoding")
	body, etag := a.plain, `"`+a.etag+`"`
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		body, etag = a.packed, `"`+a.etag+`-gzip"`
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("ETag", etag)
	if strings.Contains(r.Header.Get("If-None-Match"), etag) {
		h.Del("Content-Encoding")
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", "text/javascript; charset=utf-8")
	w.Write(body)
}

// mustUnpack is an embedded file of analytics.js as it was before it was compressed.
func mustUnpack(name string) []byte {
	packed, err := vendored.ReadFile(library + name)
	if err != nil {
		panic("snippet: " + err.Error()) // an embedded file is missing: a mistake in this package
	}
	plain, err := gunzip(packed)
	if err != nil {
		panic("snippet: " + name + ": " + err.Error())
	}
	return plain
}

func gunzip(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
