package door

import (
	"fmt"
	"strings"
	"testing"
)

func TestStrictJSON(t *testing.T) {
	for _, good := range []string{`{}`, ` [1,"\ud83d\ude00","\\ud800","\u00e4"] `, strings.Repeat("[", maxDepth) + strings.Repeat("]", maxDepth)} {
		if err := checkJSON([]byte(good)); err != nil {
			t.Errorf("%s: %v", clip(good), err)
		}
	}
	for bad, reason := range map[string]string{
		`"\ud800"`: "surrogate", `"\udc00"`: "surrogate", `"\ud800\u0041"`: "surrogate", `"\ud800x"`: "surrogate", "\"\xff\"": "UTF-8",
		strings.Repeat("[", maxDepth+1) + strings.Repeat("]", maxDepth+1): "deeper", `{} {}`: "JSON", ``: "JSON", `{"a":}`: "JSON", `"a`: "JSON",
	} {
		if err := checkJSON([]byte(bad)); err == nil || !strings.Contains(err.Error(), reason) {
			t.Errorf("%s: %v, want something about %s", clip(bad), err, reason)
		}
	}
	for _, bad := range []string{`[]`, `7`, `{"a":1,"a":2}`, `{"a":1,"\u0061":2}`} {
		if _, err := parseObject([]byte(bad)); err == nil {
			t.Errorf("%s was read as an object", bad)
		}
	}
}

// A batch's context is copied into its calls inside a record: that must not multiply without bound.
func TestWhatIsSharedDoesNotMultiply(t *testing.T) {
	calls := strings.TrimSuffix(strings.Repeat("{},", 2000), ",")
	doc := `{"batch":[` + calls + `],"context":{"a":"` + strings.Repeat("x", 10_000) + `"}}`
	body := fmt.Sprintf(`{"requestId":"r","records":[{"data":%q}]}`, b64(doc))
	if _, err := Firehose([]byte(body), "", "", Limits{Bytes: 1 << 16, Calls: 10_000}); err == nil || !strings.Contains(err.Error(), "four times") {
		t.Errorf("got %v", err)
	}
}

func TestLimitsAreValidated(t *testing.T) {
	if err := DefaultLimits().Validate(); err != nil {
		t.Error(err)
	}
	for field, l := range map[string]Limits{"max_bytes": {Calls: 1}, "max_calls": {Bytes: 1}} {
		if err := l.Validate(); err == nil || !strings.HasPrefix(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
