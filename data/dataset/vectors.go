package dataset

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Vectors are people as rows of numbers, for clusters.
type Vectors struct {
	Columns []string
	X       []float64 // row-major
}

// Rows is the number of people.
func (v *Vectors) Rows() int { return len(v.X) / len(v.Columns) }

// ReadVectors reads a public set of people as numbers from the directory: "wholesale" (UCI
// wholesale customers: channel, region and the six spend columns) or "cdnow" (the CDNOW purchases: by customer the
// days from the last one to 1998-06-30, their number, and the dollars), people by rising id. A
// line that cannot be read is an error.
func ReadVectors(ctx context.Context, name, dir string) (*Vectors, error) {
	var v *Vectors
	var err error
	switch name {
	case "wholesale":
		v, err = readWholesale(ctx, dir)
	case "cdnow":
		v, err = readCDNOW(ctx, dir)
	default:
		return nil, fmt.Errorf("read vectors: there is no set %q; use wholesale or cdnow", name)
	}
	if err != nil {
		return nil, fmt.Errorf("read vectors: %w", err)
	}
	if len(v.X) == 0 {
		return nil, fmt.Errorf("read vectors: %s holds nobody", dir)
	}
	return v, nil
}

// Only is the named columns of v, in this order. A name that v does not have is an error.
func (v *Vectors) Only(columns ...string) (*Vectors, error) {
	out := &Vectors{Columns: columns}
	var at []int
	for _, name := range columns {
		i := slices.Index(v.Columns, name)
		if i < 0 {
			return nil, fmt.Errorf("there is no column %q; there are %s", name, strings.Join(v.Columns, ", "))
		}
		at = append(at, i)
	}
	for row := range slices.Chunk(v.X, len(v.Columns)) {
		for _, i := range at {
			out.X = append(out.X, row[i])
		}
	}
	return out, nil
}

// tableLines calls fn with the words of every line but the first, a title.
func tableLines(ctx context.Context, dir, name string, words func(string) []string, fn func(fields []string) error) error {
	f, err := locate(dir)
	if err != nil {
		return err
	}
	m, err := f.need(name)
	if err != nil {
		return err
	}
	file, err := os.Open(m.path)
	if err != nil {
		return err
	}
	defer file.Close()
	plain, err := decompress(file, m.name)
	if err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	lines := bufio.NewScanner(plain)
	for n := 1; lines.Scan(); n++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if n == 1 || strings.TrimSpace(lines.Text()) == "" {
			continue
		}
		if err := fn(words(lines.Text())); err != nil {
			return fmt.Errorf("%s:%d: %w", m.name, n, err)
		}
	}
	return lines.Err()
}

func readWholesale(ctx context.Context, dir string) (*Vectors, error) {
	v := &Vectors{Columns: []string{"channel", "region", "fresh", "milk", "grocery", "frozen", "detergents_paper", "delicassen"}}
	const first = 1 // after the customer
	comma := func(line string) []string { return strings.Split(strings.TrimSpace(line), ",") }
	return v, tableLines(ctx, dir, "wholesale_customers.csv", comma, func(fields []string) error {
		if len(fields) != first+len(v.Columns) {
			return fmt.Errorf("%d fields; want %d", len(fields), first+len(v.Columns))
		}
		for _, text := range fields[first:] {
			spent, err := strconv.ParseFloat(text, 64)
			if err != nil {
				return err
			}
			v.X = append(v.X, spent)
		}
		return nil
	})
}

// cdnowEnd is the day that recency is counted to.
var cdnowEnd = time.Date(1998, 6, 30, 0, 0, 0, 0, time.UTC)

func readCDNOW(ctx context.Context, dir string) (*Vectors, error) {
	type buyer struct {
		id               string
		last             time.Time
		purchases, spent float64
	}
	by := map[string]*buyer{}
	err := tableLines(ctx, dir, "CDNOW_master.txt", strings.Fields, func(fields []string) error {
		if len(fields) != 4 {
			return fmt.Errorf("%d fields; want 4", len(fields))
		}
		day, err := time.Parse("20060102", fields[1])
		if err != nil {
			return err
		}
		spent, err := strconv.ParseFloat(fields[3], 64)
		if err != nil {
			return err
		}
		b := by[fields[0]]
		if b == nil {
			b = &buyer{id: fields[0]}
			by[fields[0]] = b
		}
		b.purchases, b.spent = b.purchases+1, b.spent+spent
		if day.After(b.last) {
			b.last = day
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var people []*buyer
	for _, b := range by {
		people = append(people, b)
	}
	slices.SortFunc(people, func(a, b *buyer) int { return cmp.Compare(a.id, b.id) })
	v := &Vectors{Columns: []string{"recency", "frequency", "monetary"}}
	for _, b := range people {
		v.X = append(v.X, cdnowEnd.Sub(b.last).Hours()/24, b.purchases, b.spent)
	}
	return v, nil
}
