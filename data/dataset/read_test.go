package dataset

import (
	"bytes"
	"compress/gzip"
	"context"
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
