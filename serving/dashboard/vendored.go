package dashboard

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"strings"
)

// serveVendored sends an embedded gzip file as it is to clients that take gzip,
// which is every browser, and unpacked to the rest.
func serveVendored(name, contentType string) http.HandlerFunc {
	packed, err := vendored.ReadFile("vendored/swagger-ui/" + name)
	if err != nil {
		panic("dashboard: " + err.Error()) // an embedded file is missing: a mistake in this package
	}
	return func(w http.ResponseWriter, r *http.Request) {
		secure(w, contentPolicy)
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "public, max-age=86400")
		w.Header().Set("Vary", "Accept-Encoding")
		if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
			w.Header().Set("Content-Encoding", "gzip")
			w.Write(packed)
			return
		}
		plain, err := gunzip(packed)
		if err != nil {
			http.Error(w, "The embedded asset is damaged.", http.StatusInternalServerError)
			return
		}
		w.Write(plain)
	}
}

func gunzip(packed []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}
