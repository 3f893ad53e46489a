package dataset

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kindred/data"
)

// Options say what to read and how much of it may be bad.
type Options struct {
	// Path is the directory that holds the files, or the one file, or one of the
	// files: its directory is then searched for the others.
	Path string
	// MaxBad is how many bad lines are put up with. One more fails the reading.
	MaxBad int
	// Fold chooses one of the splits that ml-100k brings: u1 to u5, ua, ub.
	Fold string
	// P chooses citeulike's split by the number of training items a person keeps;
	// 0 takes 10, else 1, else no split, whatever is there.
	P int
	// Now is when the reading happens, for jsonl: calls later than it are clamped
	// to it, and calls without a time happened then.
	Now time.Time
	// Progress, if set, is told now and then how many bytes of how many are read.
	// The bytes are those on disk, compressed where the files are.
	Progress func(done, total int64)
}

// Dataset is one data set in memory, with the ids of its files.
type Dataset struct {
	Name   string // "ml-100k", or the file's or directory's name
	Format string

	Items        []data.Item        // every item that any file names, in the order of first mention
	Users        []data.User        // every person that any file names, in the order of first mention; Traits where told
	Interactions []data.Interaction // Profile unset, User set; At zero where unknown; in file order
	Test         []data.Interaction // the files' own test part, or nil
	Validation   []data.Interaction // sequences: the item before the last, or nil
	Negatives    map[data.UserID][]data.ItemID
	Sessions     [][]data.ItemID // sessions: the training sessions, in file order
	TestSessions []SessionCase

	// Events are the messages of a jsonl file, whole; Interactions are derived
	// from them. Nil for all other formats.
	Events []data.Event

	Bad          []BadLine // lines left out, at most MaxBad
	MissingTimes int       // rows of Interactions, Test and Validation with At zero
	Duplicates   int       // rows left out because an equal one came before; see the format
	Skipped      int       // jsonl: system events, which only a server writes
}

// SessionCase asks what comes after Prefix; the files say Target.
type SessionCase struct {
	Prefix []data.ItemID
	Target data.ItemID
}

// BadLine is a line that could not be read, and why.
type BadLine struct {
	File   string `json:"file"`
	Line   int    `json:"line"` // 1-based
	Reason string `json:"reason"`
}

// String is "file:line: reason".
func (b BadLine) String() string { return fmt.Sprintf("%s:%d: %s", b.File, b.Line, b.Reason) }

// BadLinesError is the refusal of files with more bad lines than allowed.
type BadLinesError struct {
	MaxBad int
	Lines  []BadLine // the first of them
	More   bool      // reading stopped there, so there may be more
}

// Error lists the first bad lines.
func (e *BadLinesError) Error() string {
	var b strings.Builder
	lines := "lines"
	if len(e.Lines) == 1 {
		lines = "line"
	}
	fmt.Fprintf(&b, "%d bad %s", len(e.Lines), lines)
	if e.More {
		b.WriteString(" so far")
	}
	fmt.Fprintf(&b, ", %d allowed:", e.MaxBad)
	const most = 10
	for i, line := range e.Lines {
		if i == most {
			fmt.Fprintf(&b, "\n  … and %d others", len(e.Lines)-most)
			break
		}
		b.WriteString("\n  " + line.String())
	}
	return b.String()
}

// format is one way to lay out files.
type format struct {
	read func(ctx context.Context, r *reader) error
	help string
}

// formats are all formats by name.
func formats() map[string]format {
	return map[string]format{
		"movielens":    {readMovieLens, helpMovieLens},
		"lightgcn":     {readLightGCN, helpLightGCN},
		"ncf":          {readNCF, helpNCF},
		"sessions":     {readSessions, helpSessions},
		"sequences":    {readSequences, helpSequences},
		"citeulike":    {readCiteULike, helpCiteULike},
		"retailrocket": {readRetailRocket, helpRetailRocket},
		"csv":          {readCSV, helpCSV},
		"jsonl":        {readJSONL, helpJSONL},
	}
}

// Formats are the names that Read knows, sorted.
func Formats() []string { return slices.Sorted(maps.Keys(formats())) }

// Describe is what --help says about a format: its files, columns and choices. It
// is "" for a format that Read does not know.
func Describe(format string) string { return formats()[format].help }

// Read reads a data set, whole, into memory. The error is a *BadLinesError, a
// failure of the files themselves with file and line, or the context's; then there
// is no data set. Cost is one pass over the files.
func Read(ctx context.Context, format string, opt Options) (*Dataset, error) {
	f, ok := formats()[format]
	switch {
	case !ok:
		return nil, fmt.Errorf("read dataset: format %q is unknown; use one of %s", format, strings.Join(Formats(), ", "))
	case opt.Path == "":
		return nil, fmt.Errorf("read dataset: no path given")
	case opt.MaxBad < 0:
		return nil, fmt.Errorf("read dataset: max bad is %d; it must be 0 or more", opt.MaxBad)
	case opt.Fold != "" && format != "movielens":
		return nil, fmt.Errorf("read dataset: fold %q applies to movielens only, not to %s", opt.Fold, format)
	case opt.P != 0 && format != "citeulike":
		return nil, fmt.Errorf("read dataset: p %d applies to citeulike only, not to %s", opt.P, format)
	}
	r, err := newReader(format, opt)
	if err != nil {
		return nil, fmt.Errorf("read dataset: %w", err)
	}
	if err := f.read(ctx, r); err != nil {
		return nil, fmt.Errorf("read %s from %s: %w", format, opt.Path, err)
	}
	ds, err := r.finish()
	if err != nil {
		return nil, fmt.Errorf("read %s from %s: %w", format, opt.Path, err)
	}
	return ds, nil
}
