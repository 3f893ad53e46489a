package httpapi

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"kindred/data"
)

// maxIdempotencyKey bounds the header, in bytes.
const maxIdempotencyKey = 255

func idempotencyParameter() *huma.Param {
	longest := maxIdempotencyKey
	return &huma.Param{
		Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: "string", MaxLength: &longest},
		Description: "A repeated request with this key and the same body gets the stored answer; another body is 409.",
	}
}

// once answers a repeated Idempotency-Key from what is stored. Answers that pass by
// themselves (5xx, 429, and 409: something else is under way) are not stored: the
// request may be tried again.
func (a *api) once(ctx huma.Context, next func(huma.Context)) {
	c := humagin.Unwrap(ctx)
	header := c.GetHeader("Idempotency-Key")
	if header == "" {
		next(ctx)
		return
	}
	if len(header) > maxIdempotencyKey || !printable(header) {
		writeProblem(c.Writer, problem(http.StatusBadRequest, "the Idempotency-Key must be 1 to 255 printable ASCII characters", field("header.Idempotency-Key", "malformed", nil)))
		return
	}
	body, _ := io.ReadAll(c.Request.Body) // in memory: takeBody put it there
	c.Request.Body = io.NopCloser(bytes.NewReader(body))
	// Keys of different callers do not meet; one caller's on two routes contradict.
	key := c.GetString(keyName) + "\x1f" + header
	store := a.deps.Catalog
	stored, err := store.BeginRequest(ctx.Context(), key, requestHash(c.Request, body), a.cfg.IdempotencyTTL)
	switch {
	case errors.Is(err, data.ErrConflict):
		writeProblem(c.Writer, problem(http.StatusConflict, "this Idempotency-Key was used for another request, or its first request is still being answered",
			field("header.Idempotency-Key", "conflict", header)))
		return
	case err != nil:
		writeProblem(c.Writer, asProblem(a.fail(ctx.Context(), err, "header.Idempotency-Key")))
		return
	case stored != nil:
		c.Header("Idempotency-Replayed", "true")
		c.Data(stored.Status, stored.ContentType, stored.Body)
		return
	}
	rec := &recorder{ResponseWriter: c.Writer}
	c.Writer = rec
	// The answer outlives the connection: the effect has happened.
	keep := context.WithoutCancel(ctx.Context())
	finished := false
	defer func() {
		if !finished { // the handler panicked
			store.CancelRequest(keep, key)
		}
	}()
	next(ctx)
	finished = true
	c.Writer = rec.ResponseWriter
	if status := rec.Status(); status >= 500 || status == http.StatusTooManyRequests || status == http.StatusConflict {
		err = store.CancelRequest(keep, key)
	} else {
		err = store.FinishRequest(keep, key, status, rec.Header().Get("Content-Type"), rec.body.Bytes())
	}
	if err != nil {
		a.deps.Logger.Warn("keep the answer of an idempotent request", "error", err, "request_id", requestID(ctx.Context()))
	}
}

// asProblem is the problem document inside err.
func asProblem(err error) *huma.ErrorModel {
	var p *huma.ErrorModel
	if errors.As(err, &p) {
		return p
	}
	return problem(http.StatusInternalServerError, "something went wrong on the server")
}

// requestHash tells requests with one key apart: route, address and body.
func requestHash(r *http.Request, body []byte) string {
	h := sha256.New()
	io.WriteString(h, r.Method+"\n"+r.URL.RequestURI()+"\n")
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// printable reports whether s is visible ASCII.
func printable(s string) bool {
	for i := range len(s) {
		if s[i] < 0x21 || s[i] > 0x7e {
			return false
		}
	}
	return true
}

// recorder keeps a copy of what is written.
type recorder struct {
	gin.ResponseWriter
	body bytes.Buffer
}

func (r *recorder) Write(b []byte) (int, error) {
	r.body.Write(b)
	return r.ResponseWriter.Write(b)
}

func (r *recorder) WriteString(s string) (int, error) { return r.Write([]byte(s)) }
