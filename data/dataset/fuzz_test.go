package dataset

import (
	"bufio"
	"encoding/csv"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// encoding/csv is the twin of splitCSV for records that end on their line.
func TestSplitCSVAgreesWithEncodingCSV(t *testing.T) {
	parts := []string{`a`, `"`, `""`, `,`, ` `, `"b,c"`, `é`}
	rapid.Check(t, func(t *rapid.T) {
		line := strings.Join(rapid.SliceOfN(rapid.SampledFrom(parts), 1, 10).Draw(t, "parts"), "")
		want, err := csv.NewReader(strings.NewReader(line)).Read()
		got, reason := splitCSV(nil, line, ',')
		if (err == nil) != (reason == "") || err == nil && !slices.Equal(got, want) {
			t.Fatalf("splitCSV(%q) = %q, %q; encoding/csv says %q, %v", line, got, reason, want, err)
		}
	})
}

// goodRow fails when a parser lets through what Stage could not write.
func goodRow(t *testing.T, w row, reason string) {
	t.Helper()
	if reason != "" {
		return
	}
	if bad := w.names(); bad != "" {
		t.Fatalf("accepted a row whose %s", bad)
	}
	if w.value-w.value != 0 {
		t.Fatalf("accepted the value %v", w.value)
	}
	if !w.at.IsZero() && (w.at.Year() < 1970 || w.at.Year() > 2261) {
		t.Fatalf("accepted the time %v", w.at)
	}
}

func goodNames(t *testing.T, names []string, reason string) {
	t.Helper()
	for _, name := range names {
		if bad := checkName("name", name); reason == "" && bad != "" {
			t.Fatal(bad)
		}
	}
}

func FuzzMovieLensLine(f *testing.F) {
	f.Add("196\t242\t3\t881250949")
	f.Add("1::1193::5::978300760")
	f.Add(`1,"a ""b"", c",4.5,964982703`)
	f.Add("1|L\xe9on (1994)|01-Jan-1994||http://x|0|1|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0|0")
	f.Add("1|24|M|technician|85711")
	f.Add("1::F::1::10::48067")
	f.Add("1::Toy Story (1995)::Animation|Comedy")
	f.Fuzz(func(t *testing.T, raw string) {
		line, reason := lineText([]byte(raw), true)
		if reason != "" {
			t.Fatal(reason)
		}
		w, reason := parseTabRating(line)
		goodRow(t, w, reason)
		w, reason = parseRating(strings.Split(line, "::"))
		goodRow(t, w, reason)
		if fields, bad := splitCSV(nil, line, ','); bad == "" {
			w, reason = parseRating(fields)
			goodRow(t, w, reason)
		}
		it, reason := parseItem100K(line)
		goodNames(t, []string{string(it.ID)}, reason)
		it, reason = parseItem1M(line)
		goodNames(t, []string{string(it.ID)}, reason)
		u, reason := parseUser100K(line)
		goodNames(t, []string{string(u.ID)}, reason)
		u, reason = parseUser1M(line)
		goodNames(t, []string{string(u.ID)}, reason)
	})
}

func FuzzItemList(f *testing.F) {
	f.Add("0 5 6 7")
	f.Add("21553 20071\t8762")
	f.Fuzz(func(t *testing.T, line string) {
		user, items, reason := parseItemList(1, line, firstIsUser)
		goodNames(t, append(items, user), reason)
		items, reason = parseSession(line)
		goodNames(t, items, reason)
		items, target, reason := parseSessionCase(line)
		goodNames(t, append(items, target), reason)
	})
}

func FuzzNCFLine(f *testing.F) {
	f.Add("0\t25\t5\t978824351")
	f.Add("(0,25)\t1064\t174")
	f.Fuzz(func(t *testing.T, line string) {
		w, reason := parseNCFRating(line)
		goodRow(t, w, reason)
		user, item, negatives, reason := parseNegatives(line)
		goodNames(t, append(negatives, user, item), reason)
	})
}

func FuzzBag(f *testing.F) {
	f.Add("3 0:2 1:1 2:1")
	f.Add("0")
	f.Fuzz(func(t *testing.T, line string) {
		text, reason := parseBag(line, []string{"deep", "network", ""})
		if reason == "" && len(text) > maxTextRepeats*len(line)*len("network ") {
			t.Fatalf("%d bytes of text from %d", len(text), len(line))
		}
	})
}

func FuzzTable(f *testing.F) {
	f.Add("user,item,kind,value,time", `ann,"a ""lamp""",view,,2026-01-02`)
	f.Add("timestamp\tvisitorid\tevent\titemid", "1433221332117\t7\tview\t9")
	f.Fuzz(func(t *testing.T, header, line string) {
		known := map[string]string{
			"user": "user", "visitorid": "user", "item": "item", "itemid": "item", "kind": "kind", "event": "kind",
			"value": "value", "time": "time", "timestamp": "time",
		}
		column, separator, err := parseHeader(header, known, []string{"user", "item"})
		if err != nil {
			return
		}
		names, _ := splitCSV(nil, header, separator)
		fields, reason := splitCSV(nil, line, separator)
		if reason != "" || len(fields) != len(names) {
			return
		}
		c := cells{column: column, fields: fields}
		w, reason := parseCSVRow(c)
		goodRow(t, w, reason)
		w, reason = parseRetailRocket(c)
		goodRow(t, w, reason)
	})
}

func FuzzMessage(f *testing.F) {
	f.Add([]byte(`{"type":"track","event":"x","userId":1,"timestamp":"2026-11-20T11:00:00Z"}`))
	f.Add([]byte(`{"v":1,"id":"m","type":"page","t":{"event":"2026-01-01T00:00:00Z","received":"2026-01-01T00:00:00Z"}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		for _, now := range []time.Time{noon, {}} {
			e, _, err := parseMessage(line, now)
			if err == nil && (e.ID == "" || e.Profile != "") {
				t.Fatalf("accepted %+v", e)
			}
		}
	})
}

func FuzzAttributes(f *testing.F) {
	f.Add([]byte(`{"10":[3,4],"11":["x"]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		byItem, err := parseAttributes(b)
		for item, tags := range byItem {
			if err != nil || slices.Contains(tags, "") {
				t.Fatalf("item %q: %q, %v", item, tags, err)
			}
		}
	})
}

func FuzzLines(f *testing.F) {
	f.Add("a\r\nb\n\nc")
	f.Fuzz(func(t *testing.T, text string) {
		var got []string
		in := lineReader{r: bufio.NewReaderSize(strings.NewReader(text), 16)}
		for {
			line, tooLong, err := in.next()
			if err != nil || tooLong {
				break
			}
			got = append(got, string(line))
		}
		want := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		if text == "" {
			want = nil
		}
		for i := range want {
			want[i] = strings.TrimSuffix(want[i], "\r")
		}
		if !slices.Equal(got, want) {
			t.Fatalf("lines of %q = %q, want %q", text, got, want)
		}
	})
}
