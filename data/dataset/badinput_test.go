package dataset

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBadLinesAreReportedWithFileLineAndReason(t *testing.T) {
	for name, test := range map[string]struct {
		format, file string
		files        map[string]string
		line         int
		reason       string
	}{
		"fields":          {"csv", "x.csv", map[string]string{"x.csv": "user,item\na,b,c\n"}, 2, "3 fields; the header has 2"},
		"open quote":      {"csv", "x.csv", map[string]string{"x.csv": "user,item\na,\"b\n"}, 2, "does not close"},
		"empty user":      {"csv", "x.csv", map[string]string{"x.csv": "user,item\n\n ,b\n"}, 3, "user is empty"},
		"long item":       {"csv", "x.csv", map[string]string{"x.csv": "user,item\na," + strings.Repeat("b", 257)}, 2, "257 bytes"},
		"NaN":             {"csv", "x.csv", map[string]string{"x.csv": "user,item,value\na,b,NaN\n"}, 2, `value "NaN" is not a finite number`},
		"kind":            {"csv", "x.csv", map[string]string{"x.csv": "user,item,kind\na,b,saw\n"}, 2, `unknown interaction kind "saw"`},
		"rating alone":    {"csv", "x.csv", map[string]string{"x.csv": "user,item,kind\na,b,rating\n"}, 2, "without a value"},
		"time":            {"csv", "x.csv", map[string]string{"x.csv": "user,item,time\na,b,soon\n"}, 2, `"soon" is not a date`},
		"UTF-8":           {"csv", "x.csv", map[string]string{"x.csv": "user,item\na,\xff\n"}, 2, "not valid UTF-8"},
		"control":         {"csv", "x.csv", map[string]string{"x.csv": "user,item\na,b\x00c\n"}, 2, "control character"},
		"event":           {"retailrocket", "events.csv", map[string]string{"events.csv": "timestamp,user,item,event\n1433221332117,1,2,saw\n"}, 2, `event "saw"`},
		"rating":          {"movielens", "u.data", map[string]string{"u.item": "", "u.user": "", "u.data": "1\t2\t6\t1\n"}, 1, `rating "6"`},
		"genre":           {"movielens", "u.item", map[string]string{"u.item": "1|a||||2" + flags18 + "\n", "u.user": "", "u.data": ""}, 1, "must be 0 or 1"},
		"person twice":    {"movielens", "u.user", map[string]string{"u.item": "", "u.user": "1|2|M|x|z\n1|2|M|x|z\n", "u.data": ""}, 2, "described twice"},
		"movie twice":     {"movielens", "movies.dat", map[string]string{"movies.dat": "1::a::b\n1::a::b\n", "users.dat": "", "ratings.dat": ""}, 2, "described twice"},
		"occupation":      {"movielens", "users.dat", map[string]string{"movies.dat": "", "users.dat": "1::F::1::21::z\n", "ratings.dat": ""}, 1, "0 to 20"},
		"negatives":       {"ncf", "x.test.negative", map[string]string{"x.train.rating": "", "x.test.rating": "0\t1\t1\t1\n", "x.test.negative": "(0,2)\t3\n"}, 1, "not the test row"},
		"negatives' head": {"ncf", "x.test.negative", map[string]string{"x.train.rating": "", "x.test.rating": "", "x.test.negative": "0\t3\n"}, 1, "instead of (person,item)"},
		"tabs":            {"sessions", "test.txt", map[string]string{"train_sessions.txt": "", "test.txt": "1 2 3\n"}, 1, "0 tabs"},
		"two lines":       {"sequences", "a.txt", map[string]string{"a.txt": "1 2\n1 3\n"}, 2, "second line"},
		"no items":        {"sequences", "a.txt", map[string]string{"a.txt": "1\n"}, 1, "without items"},
		"count of words":  {"citeulike", "mult.dat", map[string]string{"mult.dat": "2 0:1\n", "vocabulary.dat": "a\n", "users.dat": ""}, 1, `says "2" words and lists 1`},
		"unknown word":    {"citeulike", "mult.dat", map[string]string{"mult.dat": "1 1:1\n", "vocabulary.dat": "a\n", "users.dat": ""}, 1, "word below 1"},
		"blank article":   {"citeulike", "mult.dat", map[string]string{"mult.dat": "0\n\n0\n", "vocabulary.dat": "a\n", "users.dat": ""}, 2, "blank"},
		"unknown article": {"citeulike", "users.dat", map[string]string{"mult.dat": "0\n", "vocabulary.dat": "a\n", "users.dat": "1 1\n"}, 1, "not a number below 1"},
		"call":            {"jsonl", "x.jsonl", map[string]string{"x.jsonl": `{"type":"page"}`}, 1, "userId: is missing"},
		"not JSON":        {"jsonl", "x.jsonl", map[string]string{"x.jsonl": `{"type":`}, 1, "not JSON"},
		"system event":    {"jsonl", "x.jsonl", map[string]string{"x.jsonl": `{"v":1,"id":"k","type":"system"}`}, 1, "name: is missing"},
	} {
		t.Run(name, func(t *testing.T) {
			opt := Options{Path: put(t, test.files), Now: unix(1)}
			_, err := Read(t.Context(), test.format, opt)
			var bad *BadLinesError
			if !errors.As(err, &bad) {
				t.Fatalf("error = %v, want a *BadLinesError", err)
			}
			if got := bad.Lines[0]; got.File != test.file || got.Line != test.line || !strings.Contains(got.Reason, test.reason) {
				t.Errorf("reported %v, want %s:%d: …%s…", got, test.file, test.line, test.reason)
			}
			opt.MaxBad = len(bad.Lines)
			ds, err := Read(t.Context(), test.format, opt)
			if err != nil || len(ds.Bad) != len(bad.Lines) {
				t.Errorf("with as many allowed: %v", err)
			}
		})
	}
}

func TestReadingGivesUpAfterManyBadLines(t *testing.T) {
	dir := put(t, map[string]string{"x.csv": "user,item\n" + strings.Repeat("bad\n", 1000)})
	_, err := Read(t.Context(), "csv", Options{Path: dir, MaxBad: 5})
	var bad *BadLinesError
	if !errors.As(err, &bad) || !bad.More || len(bad.Lines) != 5+extraBad+1 {
		t.Fatalf("error = %v", err)
	}
	if text := err.Error(); !strings.Contains(text, "5 allowed") || !strings.Contains(text, "x.csv:2: ") || !strings.Contains(text, "… and ") {
		t.Errorf("text: %s", text)
	}
}

func TestWrongFilesAndOptionsAreRefused(t *testing.T) {
	csv := map[string]string{"x.csv": "user,item\n"}
	for name, test := range map[string]struct {
		format string
		files  map[string]string
		opt    Options
		want   string
	}{
		"format":          {"parquet", csv, Options{}, "use one of citeulike, csv"},
		"no such path":    {"csv", csv, Options{Path: "nowhere"}, "nowhere"},
		"max bad":         {"csv", csv, Options{MaxBad: -1}, "must be 0 or more"},
		"fold elsewhere":  {"csv", csv, Options{Fold: "u1"}, "applies to movielens"},
		"p elsewhere":     {"csv", csv, Options{P: 1}, "applies to citeulike"},
		"unknown fold":    {"movielens", map[string]string{"u.item": ""}, Options{Fold: "u6"}, "ml-100k has u1"},
		"fold of latest":  {"movielens", map[string]string{"movies.csv": "", "ratings.csv": ""}, Options{Fold: "u1"}, "only ml-100k"},
		"not movielens":   {"movielens", csv, Options{}, "is no MovieLens directory"},
		"member missing":  {"movielens", map[string]string{"u.item": "", "u.data": ""}, Options{}, "u.user: no such file, nor with .gz or .xz"},
		"p without files": {"citeulike", map[string]string{"mult.dat": "", "vocabulary.dat": "", "users.dat": ""}, Options{P: 10}, "cvae_cf-train-10-users.dat: no such file"},
		"header":          {"movielens", map[string]string{"movies.csv": "id,title\n", "ratings.csv": ""}, Options{}, `it must be "movieId,title,genres"`},
		"column":          {"csv", map[string]string{"x.csv": "user,item,tiem\n"}, Options{}, `unknown column "tiem"`},
		"column lacking":  {"csv", map[string]string{"x.csv": "user,time\n"}, Options{}, "lacks a column for item"},
		"column twice":    {"csv", map[string]string{"x.csv": "user,item,userid\n"}, Options{}, "two columns for user"},
		"no header":       {"csv", map[string]string{"x.csv": "\n"}, Options{}, "must begin with a header"},
		"several files":   {"csv", map[string]string{"x.csv": "", "y.csv": ""}, Options{}, "name one"},
		"no file":         {"jsonl", csv, Options{}, "holds no file that ends in .jsonl"},
		"attributes":      {"sequences", map[string]string{"a.txt": "1 2\n", "a_item2attributes.json": `{"2":[{}]}`}, Options{}, "neither a whole number nor a string"},
	} {
		t.Run(name, func(t *testing.T) {
			opt := test.opt
			opt.Path = filepath.Join(put(t, test.files), test.opt.Path)
			if _, err := Read(t.Context(), test.format, opt); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error = %v, want one about %q", err, test.want)
			}
		})
	}
	if _, err := Read(t.Context(), "csv", Options{}); err == nil {
		t.Error("no path is accepted")
	}
}

func TestBrokenCompressionIsAnErrorNotAShorterFile(t *testing.T) {
	dir := put(t, map[string]string{"x.csv.gz": "user,item\n" + strings.Repeat("a,b\n", 9999), "y.csv.xz": "user,item\n" + strings.Repeat("a,b\n", 9999)})
	for _, name := range []string{"x.csv.gz", "y.csv.xz"} {
		path := filepath.Join(dir, name)
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b[:len(b)*2/3], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(t.Context(), "csv", Options{Path: path}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s cut short: error = %v", name, err)
		}
	}
}

func TestALineTooLongIsOneBadLineAndTheNextIsRead(t *testing.T) {
	long := strings.Repeat("x", MaxLineBytes+1)
	dir := put(t, map[string]string{"x.csv": "user,item\n" + long + "\na,b\n"})
	ds, err := Read(t.Context(), "csv", Options{Path: dir, MaxBad: 1})
	if err != nil {
		t.Fatal(err)
	}
	if len(ds.Interactions) != 1 || len(ds.Bad) != 1 || ds.Bad[0].Line != 2 || !strings.Contains(ds.Bad[0].Reason, "longer than") {
		t.Errorf("%d interactions, bad: %v", len(ds.Interactions), ds.Bad)
	}
}

func TestBadLinesMarshalForReports(t *testing.T) {
	b, err := json.Marshal(BadLine{File: "x.csv", Line: 2, Reason: "no"})
	if err != nil || string(b) != `{"file":"x.csv","line":2,"reason":"no"}` {
		t.Errorf("%s, %v", b, err)
	}
}
