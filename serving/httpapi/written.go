package httpapi

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"kindred/serving/recommend"
)

// written is an answer in JSON, in memory that is lent out until it is sent.
type written struct {
	memory *bodyMemory
	conn   *gatherConn // to send it on in one piece, or nil
}

// Schema is that of the answer in values.
func (written) Schema(r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[recommend.Answer](), true, "Answer")
}

// jsonFormat is huma's, but for a value that is no JSON, such as an infinite number:
// huma would answer with the handler's status, 200, and a line of text. The panic ends
// in observe's problem document.
func (a *api) jsonFormat() huma.Format {
	plain := huma.DefaultJSONFormat
	return huma.Format{Unmarshal: plain.Unmarshal, Marshal: func(w io.Writer, v any) error {
		switch v := v.(type) {
		case written:
			defer a.answers.put(v.memory)
			if answer, ok := w.(http.ResponseWriter); ok {
				return sendOn(v.conn, answer, v.memory.b)
			}
			return send(w, v.memory.b)
		case recommend.Answer: // with its own writer
			b, err := v.AppendJSON(make([]byte, 0, 1024*(1+len(v.Items))))
			if err != nil {
				panic(fmt.Errorf("write the answer: %w", err))
			}
			return send(w, append(b, '\n'))
		}
		var b bytes.Buffer
		if err := plain.Marshal(&b, v); err != nil {
			panic(fmt.Errorf("write the answer: %w", err))
		}
		return send(w, b.Bytes())
	}}
}

// send writes a whole body. With its length said beforehand it needs no chunks.
func send(w io.Writer, body []byte) error {
	if answer, ok := w.(http.ResponseWriter); ok {
		answer.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	_, err := w.Write(body)
	return err
}
