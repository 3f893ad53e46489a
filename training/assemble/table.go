package assemble

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"kindred/data"
	"kindred/model/vocab"
)

// NoTime is the At of an act whose time is unknown.
const NoTime = math.MinInt64

// Act is an interaction by rows.
type Act struct {
	Person int32
	Item   int32
	Kind   data.Kind
	Value  float32 // the rating; the price of a purchase
	At     int64   // Unix ms, or NoTime
}

// Timed reports whether the act's time is known.
func (a Act) Timed() bool { return a.At != NoTime }

// Table is a set of interactions by rows.
type Table struct {
	Items  *vocab.Vocab // item ids
	People *vocab.Vocab // profile ids, user ids or session numbers
	// Acts are sorted by person, then time, then item id (see Sort); acts without a
	// time come first and keep the order in which they were added.
	Acts []Act

	place []int32 // of each item row in the order of ids
}

// Builder collects interactions for a Table. The zero value is not ready; use NewBuilder.
type Builder struct {
	people, items map[string]int32 // provisional rows by first appearance
	personKeys    []string
	itemKeys      []string
	acts          []Act
}

// NewBuilder returns an empty builder.
func NewBuilder() *Builder {
	return &Builder{people: map[string]int32{}, items: map[string]int32{}}
}

// Item adds an item to the catalogue, whether or not somebody used it.
func (b *Builder) Item(id data.ItemID) { intern(b.items, &b.itemKeys, string(id)) }

// Person adds a person, whether or not they did anything.
func (b *Builder) Person(key string) { intern(b.people, &b.personKeys, key) }

// Add adds one interaction of the person called key.
func (b *Builder) Add(key string, i data.Interaction) {
	b.acts = append(b.acts, Act{
		Person: intern(b.people, &b.personKeys, key),
		Item:   intern(b.items, &b.itemKeys, string(i.Item)),
		Kind:   i.Kind, Value: float32(i.Value), At: millis(i.At),
	})
}

// Len is the number of acts added so far.
func (b *Builder) Len() int { return len(b.acts) }

// Key is what a person is called: the profile where there is one, else the user.
func Key(i data.Interaction) string {
	if i.Profile != "" {
		return string(i.Profile)
	}
	return string(i.User)
}

// Table sorts what was added. The builder must not be used afterwards. The error
// names an empty id.
func (b *Builder) Table() (*Table, error) {
	t := &Table{Acts: b.acts}
	var err error
	var personRow, itemRow []int32
	if t.People, personRow, err = rows(b.personKeys); err != nil {
		return nil, fmt.Errorf("people: %w", err)
	}
	if t.Items, itemRow, err = rows(b.itemKeys); err != nil {
		return nil, fmt.Errorf("items: %w", err)
	}
	for i := range t.Acts {
		a := &t.Acts[i]
		a.Person, a.Item = personRow[a.Person], itemRow[a.Item]
	}
	t.place = places(t.Items)
	t.Sort(t.Acts)
	*b = Builder{}
	return t, nil
}

// Sort puts acts into the order of Acts. Item ids that are whole numbers are in
// the order of the numbers, before all others, so that protocols which order by
// (time, item id) agree with programs that read ids as numbers; others are in
// bytewise order.
func (t *Table) Sort(acts []Act) {
	slices.SortStableFunc(acts, func(a, b Act) int {
		c := cmp.Compare(a.Person, b.Person)
		if c == 0 {
			c = cmp.Compare(a.At, b.At)
		}
		if c == 0 && a.Timed() {
			c = cmp.Compare(t.place[a.Item], t.place[b.Item])
		}
		return c
	})
}

// Part is a table over the same people and items with only these acts.
func (t *Table) Part(acts []Act) *Table {
	return &Table{Items: t.Items, People: t.People, Acts: acts, place: t.place}
}

// places numbers the item rows in the order of ids.
func places(items *vocab.Vocab) []int32 {
	order := make([]int32, items.Len())
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return compareIDs(items.Key(a), items.Key(b)) })
	place := make([]int32, len(order))
	for i, row := range order {
		place[row] = int32(i)
	}
	return place
}

// compareIDs orders whole numbers by value before all other ids, and these bytewise.
func compareIDs(a, b string) int {
	na, nb := isNumber(a), isNumber(b)
	switch {
	case na && nb:
		x, y := strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y), cmp.Compare(a, b))
	case na:
		return -1
	case nb:
		return 1
	}
	return cmp.Compare(a, b)
}

// isNumber reports whether the id consists of decimal digits.
func isNumber(id string) bool {
	return id != "" && strings.Trim(id, "0123456789") == ""
}

// rows makes the vocab of the keys and says which row each key got.
func rows(keys []string) (*vocab.Vocab, []int32, error) {
	v, err := vocab.New(keys)
	if err != nil {
		return nil, nil, err
	}
	to := make([]int32, len(keys))
	for i, k := range keys {
		to[i], _ = v.Row(k)
	}
	return v, to, nil
}

// intern gives a key its number by first appearance.
func intern(numbers map[string]int32, keys *[]string, key string) int32 {
	n, ok := numbers[key]
	if !ok {
		n = int32(len(*keys))
		numbers[key] = n
		*keys = append(*keys, key)
	}
	return n
}

// millis is the time in Unix ms, NoTime for the zero time.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return NoTime
	}
	return t.UnixMilli()
}

// ByPerson cuts acts, sorted by person, into one slice a person, of length
// people; a person without acts has an empty one.
func ByPerson(acts []Act, people int) [][]Act {
	out := make([][]Act, people)
	for i := 0; i < len(acts); {
		j := i
		for j < len(acts) && acts[j].Person == acts[i].Person {
			j++
		}
		out[acts[i].Person] = acts[i:j:j]
		i = j
	}
	return out
}

// Act joins an interaction to the table's rows. Its person and item must be in
// the vocabs; a name that is not panics.
func (t *Table) Act(i data.Interaction) Act {
	person, known := t.People.Row(Key(i))
	item, used := t.Items.Row(string(i.Item))
	if !known || !used {
		panic(fmt.Sprintf("assemble: person %q or item %q is not in the table", Key(i), i.Item))
	}
	return Act{Person: person, Item: item, Kind: i.Kind, Value: float32(i.Value), At: millis(i.At)}
}
