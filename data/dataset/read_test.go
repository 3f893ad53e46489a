package dataset

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/ulikunitz/xz"

	"kindred/data"
)

// put writes files into a fresh directory; a name that ends in .gz or .xz is compressed.
func put(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		var b bytes.Buffer
		switch filepath.Ext(name) {
		case ".gz":
			w := gzip.NewWriter(&b)
			w.Write([]byte(text))
			w.Close()
		case ".xz":
			w, err := xz.NewWriter(&b)
			if err != nil {
				t.Fatal(err)
			}
			w.Write([]byte(text))
			w.Close()
		default:
			b.WriteString(text)
		}
		if err := os.WriteFile(filepath.Join(dir, name), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func unix(s int64) time.Time { return time.Unix(s, 0).UTC() }

// act is an interaction as tests write it.
func act(user data.UserID, item data.ItemID, kind data.Kind, value float64, at time.Time) data.Interaction {
	return data.Interaction{User: user, Item: item, Kind: kind, Value: value, At: at}
}

func users(ids ...data.UserID) (out []data.User) {
	for _, id := range ids {
		out = append(out, data.User{ID: id})
	}
	return out
}

func items(ids ...data.ItemID) (out []data.Item) {
	for _, id := range ids {
		out = append(out, data.Item{ID: id})
	}
	return out
}

const flags18 = "|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0"

func TestEveryFormatReads(t *testing.T) {
	var none time.Time
	for name, test := range map[string]struct {
		format string
		files  map[string]string
		opt    Options // Path is relative to the files
		want   Dataset
	}{
		"movielens small": {
			"movielens", map[string]string{
				"movies.csv":     "movieId,title,genres\r\n1,\"American President, The (1995)\",Comedy|Drama\r\n2,\"Say \"\"Hi\"\"\",(no genres listed)\r\n",
				"ratings.csv.gz": "userId,movieId,rating,timestamp\n7,1,4.5,964982703\n",
				"tags.csv.xz":    "userId,movieId,tag,timestamp\n7,1,Funny ,1\n7,1,rare,1\n8,2,funny,1\n8,3,FUNNY,1\n8,3,good,1\n7,2,good,1\n8,2,good,1\n8,1,good,1\n",
			}, Options{}, Dataset{
				Name: "ml-latest-small",
				Items: []data.Item{
					{ID: "1", Title: "American President, The (1995)", Categories: []string{"Comedy", "Drama"}, Tags: []string{"funny", "good"}},
					{ID: "2", Title: `Say "Hi"`, Tags: []string{"good", "funny"}},
					{ID: "3", Tags: []string{"funny", "good"}},
				},
				Users:        users("7", "8"),
				Interactions: []data.Interaction{act("7", "1", data.Rating, 4.5, unix(964982703))},
			},
		},
		"movielens 100k": {
			"movielens", map[string]string{
				"u.item": "1|L\xe9on (1994)|1-Jan-1994||http://x|0" + strings.Replace(flags18, "|0", "|1", 1) + "\n2|unknown||||1" + flags18 + "\n",
				"u.user": "7|24|M|technician|85711\n",
				"u.data": "7\t1\t3\t881250949\n",
			}, Options{}, Dataset{
				Name: "ml-100k",
				Items: []data.Item{
					{ID: "1", Title: "Léon (1994)", Categories: []string{"Action"}, URL: "http://x", Published: time.Date(1994, 1, 1, 0, 0, 0, 0, time.UTC)},
					{ID: "2", Title: "unknown"},
				},
				Users:        []data.User{{ID: "7", Traits: map[string]any{"age": 24.0, "gender": "M", "occupation": "technician", "zip": "85711"}}},
				Interactions: []data.Interaction{act("7", "1", data.Rating, 3, unix(881250949))},
			},
		},
		"movielens 100k fold": {
			"movielens", map[string]string{
				"u.item": "", "u.user": "", "u.data": "broken", "ua.base": "7\t1\t3\t1\n", "ua.test.xz": "7\t2\t4\t2\n",
			}, Options{Fold: "ua"}, Dataset{
				Name: "ml-100k", Items: items("1", "2"), Users: users("7"),
				Interactions: []data.Interaction{act("7", "1", data.Rating, 3, unix(1))},
				Test:         []data.Interaction{act("7", "2", data.Rating, 4, unix(2))},
			},
		},
		"movielens 1m": {
			"movielens", map[string]string{
				"movies.dat": "1::Toy Story (1995)::Animation|Comedy\n", "users.dat": "7::F::1::10::48067\n", "ratings.dat": "7::1::5::978300760\n",
			}, Options{}, Dataset{
				Name: "ml-1m", Items: []data.Item{{ID: "1", Title: "Toy Story (1995)", Categories: []string{"Animation", "Comedy"}}},
				Users:        []data.User{{ID: "7", Traits: map[string]any{"age": 1.0, "gender": "F", "occupation": "K-12 student", "zip": "48067"}}},
				Interactions: []data.Interaction{act("7", "1", data.Rating, 5, unix(978300760))},
			},
		},
		"movielens 1m without times": {
			"movielens", map[string]string{
				"movies.dat": "1::A::B\n", "users.dat": "", "ratings.csv": "user,item,rating,timestamp\n7,1,5,\n7,1,4,9\n",
			}, Options{}, Dataset{
				Name: "ml-1m", Items: []data.Item{{ID: "1", Title: "A", Categories: []string{"B"}}}, Users: users("7"),
				Interactions: []data.Interaction{act("7", "1", data.Rating, 5, none), act("7", "1", data.Rating, 4, unix(9))},
				MissingTimes: 1,
			},
		},
		"lightgcn": {
			"lightgcn", map[string]string{"train.txt": "0 5 6 5\n1\n0 6\n", "test.txt": "0 7\n2 5\n"}, Options{}, Dataset{
				Items: items("5", "6", "7"), Users: users("0", "1", "2"),
				Interactions: []data.Interaction{act("0", "5", data.View, 0, none), act("0", "6", data.View, 0, none)},
				Test:         []data.Interaction{act("0", "7", data.View, 0, none), act("2", "5", data.View, 0, none)},
				MissingTimes: 4, Duplicates: 2,
			},
		},
		"ncf": {
			"ncf", map[string]string{
				"x.train.rating": "0\t1\t4\t9\n0\t2\t1\t0\n0\t1\t4\t9\n", "x.test.rating": "0\t3\t5\t10\n", "x.test.negative.gz": "(0,3)\t4\t1\n",
			}, Options{}, Dataset{
				Name: "x", Items: items("1", "2", "3", "4"), Users: users("0"),
				Interactions: []data.Interaction{act("0", "1", data.View, 0, unix(9)), act("0", "2", data.View, 0, none)},
				Test:         []data.Interaction{act("0", "3", data.View, 0, unix(10))},
				Negatives:    map[data.UserID][]data.ItemID{"0": {"4", "1"}},
				MissingTimes: 1, Duplicates: 1,
			},
		},
		"ncf by the name of a member": {
			"ncf", map[string]string{
				"y.train.rating": "broken", "x.train.rating": "0\t1\t4\t9\n", "x.test.rating": "0\t3\t5\t10\n", "x.test.negative": "(0,3)\t4\n",
			}, Options{Path: "x.test.rating"}, Dataset{
				Name: "x", Items: items("1", "3", "4"), Users: users("0"),
				Interactions: []data.Interaction{act("0", "1", data.View, 0, unix(9))},
				Test:         []data.Interaction{act("0", "3", data.View, 0, unix(10))},
				Negatives:    map[data.UserID][]data.ItemID{"0": {"4"}},
			},
		},
		"sessions": {
			"sessions", map[string]string{"train_sessions.txt": "1 2 1\n\n3\n", "test.txt": "1 2\t3\n"}, Options{}, Dataset{
				Items: items("1", "2", "3"), Users: users("session-1", "session-3"),
				Interactions: []data.Interaction{
					{User: "session-1", Item: "1", Kind: data.Click, Session: "session-1"}, {User: "session-1", Item: "2", Kind: data.Click, Session: "session-1"},
					{User: "session-1", Item: "1", Kind: data.Click, Session: "session-1"}, {User: "session-3", Item: "3", Kind: data.Click, Session: "session-3"},
				},
				Sessions: [][]data.ItemID{{"1", "2", "1"}, {"3"}}, TestSessions: []SessionCase{{Prefix: []data.ItemID{"1", "2"}, Target: "3"}},
				MissingTimes: 4,
			},
		},
		"sequences": {
			"sequences", map[string]string{"Beauty.txt": "1 10 11 12 10\n2 11 12\n", "Beauty_item2attributes.json": `{"10":[3,4],"11":["x"],"99":[1]}`},
			Options{}, Dataset{
				Name: "Beauty", Items: []data.Item{{ID: "10", Tags: []string{"3", "4"}}, {ID: "11", Tags: []string{"x"}}, {ID: "12"}}, Users: users("1", "2"),
				Interactions: []data.Interaction{act("1", "10", data.View, 0, none), act("1", "11", data.View, 0, none), act("2", "11", data.View, 0, none), act("2", "12", data.View, 0, none)},
				Validation:   []data.Interaction{act("1", "12", data.View, 0, none)},
				Test:         []data.Interaction{act("1", "10", data.View, 0, none)},
				MissingTimes: 6,
			},
		},
		"citeulike": {
			"citeulike", map[string]string{
				"mult.dat": "2 0:2 1:1\n0\n1 2:1\n", "vocabulary.dat": "deep\nnetwork\n\u00a0\n", "users.dat": "broken",
				"cvae_cf-train-10-users.dat": "1 0\n2 2 0\n", "cvae_cf-test-10-users.dat": "1 1\n0 \n",
			}, Options{}, Dataset{
				Items: []data.Item{{ID: "0", Text: "deep deep network"}, {ID: "1"}, {ID: "2"}}, Users: users("0", "1"),
				Interactions: []data.Interaction{act("0", "0", data.Wishlist, 0, none), act("1", "2", data.Wishlist, 0, none), act("1", "0", data.Wishlist, 0, none)},
				Test:         []data.Interaction{act("0", "1", data.Wishlist, 0, none)},
				MissingTimes: 4,
			},
		},
		"citeulike unsplit": {
			"citeulike", map[string]string{"mult.dat": "0\n", "vocabulary.dat": "", "users.dat": "1 0\n"}, Options{}, Dataset{
				Items: items("0"), Users: users("0"), Interactions: []data.Interaction{act("0", "0", data.Wishlist, 0, none)}, MissingTimes: 1,
			},
		},
		"retailrocket": {
			"retailrocket", map[string]string{"events.csv": "timestamp,visitorid,event,itemid,transactionid\n1433221332117,7,view,9,\n1433221332118,7,transaction,9,4\n1433221332119,7,addtocart,8,\n"},
			Options{}, Dataset{
				Items: items("9", "8"), Users: users("7"),
				Interactions: []data.Interaction{
					act("7", "9", data.View, 0, time.UnixMilli(1433221332117).UTC()), act("7", "9", data.Purchase, 0, time.UnixMilli(1433221332118).UTC()),
					act("7", "8", data.AddToCart, 0, time.UnixMilli(1433221332119).UTC()),
				},
			},
		},
		"retailrocket with tabs and short names": {
			"retailrocket", map[string]string{"x.tsv.gz": "event\titem\tuser\ttimestamp\nview\t9\t7\t1433221332117\n"}, Options{Path: "x.tsv.gz"}, Dataset{
				Name: "x", Items: items("9"), Users: users("7"), Interactions: []data.Interaction{act("7", "9", data.View, 0, time.UnixMilli(1433221332117).UTC())},
			},
		},
		"csv": {
			"csv", map[string]string{"x.csv": "\xef\xbb\xbfUser,item,kind,value,time\nann,lamp,,,2026-01-02\nann,lamp,,4,\n\nbob,\"a,b\",purchase,9.5,1700000000\n"}, Options{}, Dataset{
				Items: items("lamp", "a,b"), Users: users("ann", "bob"),
				Interactions: []data.Interaction{
					act("ann", "lamp", data.View, 0, time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)), act("ann", "lamp", data.Rating, 4, none),
					act("bob", "a,b", data.Purchase, 9.5, unix(1700000000)),
				},
				MissingTimes: 1,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := put(t, test.files)
			opt := test.opt
			opt.Path = filepath.Join(dir, test.opt.Path)
			got, err := Read(t.Context(), test.format, opt)
			if err != nil {
				t.Fatal(err)
			}
			if test.want.Format = test.format; test.want.Name == "" {
				test.want.Name = filepath.Base(dir)
			}
			if diff := cmp.Diff(test.want, *got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestJSONLReadsEventsAndCalls(t *testing.T) {
	now := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	canonical := `{"v":1,"id":"m1","source":"shop","type":"track","name":"Product Added","ids":{"user":"ann"},"profile":"elsewhere",` +
		`"t":{"event":"2026-01-01T00:00:00Z","received":"2026-01-01T00:00:00Z"},"items":[{"id":"lamp"}]}`
	call := `{"type":"track","event":"Product Viewed","anonymousId":"x","timestamp":"2026-01-02T00:00:00Z","sentAt":"2020-01-01T00:00:00Z","properties":{"product_id":"desk"}}`
	tick := `{"v":1,"id":"k","type":"system","name":"tick","t":{"received":"2026-01-01T00:00:00Z"}}`
	dir := put(t, map[string]string{"x.jsonl": strings.Join([]string{canonical, canonical, call, call, tick}, "\n")})
	ds, err := Read(t.Context(), "jsonl", Options{Path: dir, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	if len(ds.Events) != 3 || ds.Duplicates != 1 || ds.Skipped != 1 {
		t.Fatalf("%d events, %d duplicates, %d skipped; want 3, 1, 1", len(ds.Events), ds.Duplicates, ds.Skipped)
	}
	if e := ds.Events[0]; e.ID != "m1" || e.Source != "shop" || e.Profile != "" {
		t.Errorf("the event reads as %+v", e)
	}
	if a, b := ds.Events[1], ds.Events[2]; a.ID == "" || b.ID != a.ID+"#2" {
		t.Errorf("equal calls are called %q and %q", a.ID, b.ID)
	}
	if got, want := ds.Events[1].Times.Event, time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC); !got.Equal(want) {
		t.Errorf("the call happened at %v, want %v: when it was sent says nothing about when the file was read", got, want)
	}
	if len(ds.Interactions) != 3 || ds.Interactions[1].User != "anon:x" || ds.Interactions[0].Kind != data.AddToCart {
		t.Errorf("interactions: %+v", ds.Interactions)
	}
}

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

func TestReadingStopsWhenTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	dir := put(t, map[string]string{"x.csv": "user,item\n" + strings.Repeat("a,b\n", 5000)})
	opt := Options{Path: dir, Progress: func(done, total int64) { cancel() }}
	if _, err := Read(ctx, "csv", opt); !errors.Is(err, context.Canceled) {
		t.Errorf("error = %v, want context.Canceled", err)
	}
}

func TestProgressEndsWhole(t *testing.T) {
	dir := put(t, map[string]string{"train.txt": "1 2\n", "test.txt.gz": "1 3\n"})
	var done, total int64
	if _, err := Read(t.Context(), "lightgcn", Options{Path: dir, Progress: func(d, n int64) { done, total = d, n }}); err != nil {
		t.Fatal(err)
	}
	if done != total || total < 8 {
		t.Errorf("progress ended at %d of %d", done, total)
	}
}

func TestEveryFormatDescribesItself(t *testing.T) {
	for _, f := range Formats() {
		if !strings.HasPrefix(Describe(f), f+":") {
			t.Errorf("Describe(%q) = %q", f, Describe(f))
		}
	}
	if got := strings.Join(Formats(), " "); got != "citeulike csv jsonl lightgcn movielens ncf retailrocket sequences sessions" {
		t.Errorf("Formats = %s", got)
	}
}

func TestBadLinesMarshalForReports(t *testing.T) {
	b, err := json.Marshal(BadLine{File: "x.csv", Line: 2, Reason: "no"})
	if err != nil || string(b) != `{"file":"x.csv","line":2,"reason":"no"}` {
		t.Errorf("%s, %v", b, err)
	}
}
