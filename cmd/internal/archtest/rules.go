package archtest

import (
	"fmt"
	"strings"
)

// module is the path that our own imports begin with.
const module = "kindred/"

// room is one rule of the import table: packages at or below From may import,
// of our own, only what is at or below one of May.
type room struct {
	From   string
	May    []string
	Reason string
}

// rooms is searched from the most specific From to the least; the longest match counts.
var rooms = []room{
	{"data", []string{"data"}, "data is a floor: people and things have names here and nothing above it is known"},
	{"model", []string{"model"}, "model is the other floor: rows and matrices, no names, no I/O"},
	{"features", []string{"features", "data", "model"}, "features folds data and may assign a cluster or score a forest"},
	{"training", []string{"training", "features", "model", "data"}, "training never meets serving except in an artifact and a store"},
	{"serving", []string{"serving", "features", "model", "data"}, "serving never meets training except in an artifact and a store"},
	{"serving/live", []string{"serving/live", "features", "model", "data"}, "inside serving: httpapi -> recommend -> live, never back"},
	{"serving/recommend", []string{"serving/recommend", "serving/live", "serving/online", "features", "model", "data"}, "inside serving: httpapi -> recommend -> live, never back"},
	{"cmd", []string{"cmd", "serving", "training", "features", "model", "data"}, "cmd wires everything"},
}

// home is a library, or one of our own packages, that only some packages may import.
type home struct {
	Import string // import path prefix
	Only   []string
	Reason string
}

var homes = []home{
	{"github.com/gin-gonic/gin", []string{"serving/httpapi"}, "the HTTP framework has one home"},
	{"github.com/danielgtaylor/huma", []string{"serving/httpapi"}, "the HTTP framework has one home"},
	{"github.com/cockroachdb/pebble", []string{"data/embedded"}, "the embedded log and profiles are the only user of pebble"},
	{"modernc.org/sqlite", []string{"data/embedded"}, "the embedded catalog is the only user of SQLite"},
	{"github.com/parquet-go/parquet-go", []string{"data/lake"}, "Parquet is the lake's format and nobody else's"},
	{"github.com/segmentio/kafka-go", []string{"data/kafka"}, "the log on a real broker has one home"},
	{"github.com/jackc/pgx", []string{"data/postgres"}, "PostgreSQL has one home"},
	{"github.com/redis/go-redis", []string{"data/redis"}, "Redis has one home"},
	{"github.com/RoaringBitmap/roaring", []string{"serving/members"}, "sets of people have one home"},
	{"cel.dev/cel-go", []string{"features/expr"}, "one wrapper says what an expression may read and cost"},
	{"github.com/santhosh-tekuri/jsonschema", []string{"serving/ingest/plan"}, "schemas are bounded before they are compiled"},
	{"github.com/oschwald/maxminddb-golang", []string{"serving/ingest/clean"}, "places are looked up in one place"},
	{"github.com/mileusna/useragent", []string{"serving/ingest/clean"}, "devices are told in one place"},
	{"github.com/chromedp/chromedp", []string{"serving/ingest/compat"}, "a browser is for tests only"},
	{"github.com/sjwhitworth/golearn", []string{"training/describe"}, "golearn panics and cannot be seeded: offline only, in a child process"},
	{"github.com/sjwhitworth/golearn", []string{"training/describe"}, "it can panic and has no limits: only what runs in a child process of its own may use it"},
	{"gonum.org/v1/plot", []string{"training/report"}, "plots are for reports"},
	{"github.com/spf13/cobra", []string{"cmd/kindred"}, "the command line is main's business"},
	{module + "data/embedded", []string{"data/embedded", "cmd"}, "cmd alone chooses the stores"},
	{module + "data/kafka", []string{"data/kafka", "cmd"}, "cmd alone chooses the stores"},
	{module + "data/postgres", []string{"data/postgres", "cmd"}, "cmd alone chooses the stores"},
	{module + "data/redis", []string{"data/redis", "cmd"}, "cmd alone chooses the stores"},
	{"net/http", []string{"serving", "cmd"}, "data, model, features and training speak to no network"},
}

// pure is what packages of the model room, except Only, may not import: it does no I/O.
var pure = []home{
	{"os", []string{"model/kernel"}, "model does no I/O; its kernels read one environment variable"},
	{"net", nil, "model does no I/O"},
	{"database/sql", nil, "model does no I/O"},
	{"math/rand", nil, "model draws from math/rand/v2 sources seeded by configuration"},
}

// check judges one import of a file in package dir (slash-separated, relative to
// the module's root); test says whether the file is a test. It returns "" or the
// broken rule with its reason.
func check(dir, path string, test bool) string {
	if strings.HasPrefix(path, module) {
		if broken := checkRoom(dir, strings.TrimPrefix(path, module)); broken != "" && !test {
			return broken
		}
	}
	for _, h := range homes {
		if under(path, h.Import) && !underAny(dir, h.Only) && !test {
			return fmt.Sprintf("%s imports %s; only %s may: %s", dir, path, strings.Join(h.Only, ", "), h.Reason)
		}
	}
	if under(dir, "model") && !test {
		for _, h := range pure {
			if path == h.Import && !underAny(dir, h.Only) {
				return fmt.Sprintf("%s imports %s: %s", dir, path, h.Reason)
			}
		}
	}
	return ""
}

func checkRoom(dir, path string) string {
	best := room{}
	for _, r := range rooms {
		if under(dir, r.From) && len(r.From) > len(best.From) {
			best = r
		}
	}
	if best.From == "" {
		return fmt.Sprintf("%s is in no room of the import table", dir)
	}
	if !underAny(path, best.May) {
		return fmt.Sprintf("%s imports %s; %s may import %s: %s", dir, path, best.From, strings.Join(best.May, ", "), best.Reason)
	}
	return ""
}

// under reports whether path is prefix or lies below it.
func under(path, prefix string) bool {
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

func underAny(path string, prefixes []string) bool {
	for _, p := range prefixes {
		if under(path, p) {
			return true
		}
	}
	return false
}
