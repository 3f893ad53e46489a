package main

import (
	"strings"
	"testing"
)

func TestClosingLineCountsTestsAndJudges(t *testing.T) {
	const pass = `{"Action":"start","Package":"p"}
{"Action":"output","Package":"p","Test":"TestA","Output":"hello\n"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"pass","Package":"p","Test":"TestA/sub"}
{"Action":"pass","Package":"p","Elapsed":0.1}
`
	const skip = `{"Action":"start","Package":"q"}
{"Action":"output","Package":"q","Test":"TestB","Output":"no server\n"}
{"Action":"skip","Package":"q","Test":"TestB"}
{"Action":"pass","Package":"q"}
`
	const fail = `{"Action":"start","Package":"r"}
{"Action":"output","Package":"r","Test":"TestC","Output":"got 1, want 2\n"}
{"Action":"fail","Package":"r","Test":"TestC"}
{"Action":"fail","Package":"r"}
`
	tests := []struct {
		name, in string
		ci, good bool
		want     []string
		not      string
	}{
		{"all pass", pass, true, true, []string{"\n2 passed, 0 failed, 0 skipped\n"}, "hello"},
		{"a skip is loud", pass + skip, false, true, []string{"SKIP q TestB", "no server", "2 passed, 0 failed, 1 skipped\n"}, ""},
		{"a skip fails in CI", pass + skip, true, false, []string{"not allowed with CI=true", "2 passed, 0 failed, 1 skipped\n"}, ""},
		{"a failure shows its output", pass + fail, false, false, []string{"FAIL r TestC\n    got 1, want 2\n", "2 passed, 2 failed, 0 skipped\n"}, ""},
		{"nothing ran", "", false, false, []string{"no test ran", "0 passed, 0 failed, 0 skipped\n"}, ""},
		{"cut off", `{"Action":"start","Package":"p"}`, false, false, []string{"ended before this package did", "0 passed, 1 failed, 0 skipped\n"}, ""},
		{"build failure", `{"Action":"build-output","ImportPath":"p","Output":"p.go:1: oops\n"}
{"Action":"start","Package":"p"}
{"Action":"fail","Package":"p","FailedBuild":"p"}
`, false, false, []string{"p.go:1: oops", "0 passed, 1 failed, 0 skipped\n"}, ""},
		{"other text is shown", "go: downloading x\n" + pass, true, true, []string{"go: downloading x\n"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			c := newCount(&out)
			if err := c.readAll(strings.NewReader(tt.in)); err != nil {
				t.Fatal(err)
			}
			if good := c.close(tt.ci); good != tt.good {
				t.Errorf("close = %v, want %v", good, tt.good)
			}
			for _, want := range tt.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("output lacks %q:\n%s", want, out.String())
				}
			}
			if tt.not != "" && strings.Contains(out.String(), tt.not) {
				t.Errorf("output holds %q of a passing test:\n%s", tt.not, out.String())
			}
		})
	}
}
