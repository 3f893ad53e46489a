package secret

import (
	"errors"
	"strings"
	"testing"
)

func TestSecretsComeFromWhereTheyAreNamed(t *testing.T) {
	s := Source{
		Env: func(name string) (string, bool) {
			v, ok := map[string]string{"TOKEN": "hush", "EMPTY": "", "LINES": "a\nb"}[name]
			return v, ok
		},
		File: func(path string) ([]byte, error) {
			switch path {
			case "/run/token":
				return []byte("filed\n"), nil
			case "/run/empty":
				return []byte("\n"), nil
			case "/run/huge":
				return make([]byte, maxBytes+1), nil
			}
			return nil, errors.New("no such file: hush")
		},
	}
	for _, tt := range []struct{ text, want, refused string }{
		{text: "Bearer ${TOKEN}", want: "Bearer hush"},
		{text: "${file:/run/token}", want: "filed"},
		{text: "${TOKEN}:${file:/run/token}", want: "hush:filed"},
		{text: "as it is, $TOKEN and {TOKEN}", want: "as it is, $TOKEN and {TOKEN}"},
		{text: "${MISSING}", refused: "MISSING"},
		{text: "${EMPTY}", refused: "EMPTY"},
		{text: "${LINES}", refused: "more than one line"},
		{text: "${file:/run/none}", refused: "/run/none"},
		{text: "${file:/run/empty}", refused: "/run/empty"},
		{text: "${file:/run/huge}", refused: "at most"},
	} {
		got, err := s.Expand(tt.text)
		if tt.refused != "" {
			if err == nil || !strings.Contains(err.Error(), tt.refused) || strings.Contains(err.Error(), "hush") {
				t.Errorf("%s: %q, %v; want an error that names %s and no value", tt.text, got, err, tt.refused)
			}
			continue
		}
		if err != nil || got != tt.want {
			t.Errorf("%s = %q, %v; want %q", tt.text, got, err, tt.want)
		}
	}
	for text, want := range map[string]bool{"${A}": true, "Bearer ${A}": true, "Bearer x${A}": false, "x": false, "": false, "x ${A}": false} {
		if Only(text) != want {
			t.Errorf("Only(%q) = %v", text, !want)
		}
	}
	if Named("plain") || !Named("x ${TOKEN}") {
		t.Error("Named tells the two apart wrongly")
	}
}
