package plan

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

	"kindred/data"
	"kindred/serving/ingest/reload"
	"kindred/serving/ingest/stage"
)

// Stage checks events against the plan that is in force. It is safe for concurrent use.
type Stage struct {
	cfg    Config
	now    atomic.Pointer[loaded]
	report *report
}

var _ stage.Stage = (*Stage)(nil)

type loaded struct {
	plan  *Plan
	stamp reload.Stamp
}

// New reads the plan that cfg names.
func New(cfg Config) (*Stage, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Stage{cfg: cfg, report: newReport(cfg)}
	if _, err := s.Refresh(); err != nil {
		return nil, err
	}
	return s, nil
}

// Plan is the plan in force, or nil where there is none.
func (s *Stage) Plan() *Plan {
	if l := s.now.Load(); l != nil {
		return l.plan
	}
	return nil
}

// Swap puts a plan into force that comes from elsewhere than the files; they are taken
// again when they change.
func (s *Stage) Swap(p *Plan) {
	next := &loaded{plan: p}
	if l := s.now.Load(); l != nil {
		next.stamp = l.stamp
	}
	s.now.Store(next)
}

// ReasonPrefix begins the reason of every dead letter of this package; behind it stand the
// event's ref, a colon and the violations.
const ReasonPrefix = "tracking plan: "

// Refused takes the reason of a dead letter apart: the event that it was, where it was this
// package that refused it. What the plan says of its bytes today is Plan.Check's to tell.
func Refused(reason string) (ref string, ok bool) {
	rest, ok := strings.CutPrefix(reason, ReasonPrefix)
	if !ok {
		return "", false
	}
	ref, _, ok = strings.Cut(rest, ": ")
	return ref, ok
}

// Apply writes the event's status into it, counts, and refuses what the plan's modes refuse.
func (s *Stage) Apply(e *data.Event, from *stage.Caller) stage.Verdict {
	l := s.now.Load()
	if l == nil || l.plan == nil || e.Type == data.System {
		return stage.Verdict{}
	}
	r := l.plan.judge(e)
	e.Schema = r.json
	if !from.Again {
		s.report.note(e, &r)
	}
	if r.Mode != Quarantine && r.Mode != Reject {
		return stage.Verdict{}
	}
	var b strings.Builder
	b.WriteString(ReasonPrefix)
	b.WriteString(r.Ref)
	for i, v := range r.Violations {
		if i == 0 {
			b.WriteString(": ")
		} else {
			b.WriteString("; ")
		}
		if v.Path != "" {
			b.WriteString(v.Path + " ")
		}
		b.WriteString(v.Message)
	}
	return stage.Verdict{Fate: stage.Refuse, Kind: "plan." + string(r.Mode), Reason: b.String()}
}

// Refresh reads the plan again where its files have changed, and reports whether they
// have. With an error the former plan stays in force.
func (s *Stage) Refresh() (changed bool, err error) {
	if s.cfg.Path == "" {
		return false, nil
	}
	paths, stamp, err := files(s.cfg.Path)
	if err != nil {
		return false, fmt.Errorf("tracking plan: %w", err)
	}
	if l := s.now.Load(); l != nil && l.stamp == stamp {
		return false, nil
	}
	p, err := load(paths)
	if err != nil {
		return false, fmt.Errorf("tracking plan: %w", err)
	}
	s.now.Store(&loaded{p, stamp})
	return true, nil
}

// Run refreshes until ctx is done, and tells report what became of it where something did.
func (s *Stage) Run(ctx context.Context, report func(changed bool, err error)) error {
	return reload.Every(ctx, s.cfg.Refresh, s.Refresh, report)
}

// Load reads a plan file or directory.
func Load(path string) (*Plan, error) {
	paths, _, err := files(path)
	if err != nil {
		return nil, err
	}
	return load(paths)
}

func load(paths []string) (*Plan, error) {
	var all []File
	for _, path := range paths {
		b, _, err := reload.IfChanged(path, MaxFileBytes, "")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		file, err := ParseFile(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if file.Plan == "" {
			file.Plan = filepath.Base(path)
		}
		all = append(all, file)
	}
	return Compile(all...)
}

// maxFiles bounds the files of one plan.
const maxFiles = 1000

// files are the plan's files in the order of their names, and what tells that they changed.
func files(path string) (paths []string, stamp reload.Stamp, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, "", err
	}
	if !info.IsDir() {
		stamp, err = reload.StampOf(path)
		return []string{path}, stamp, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, "", err
	}
	for _, entry := range entries {
		switch filepath.Ext(entry.Name()) {
		case ".yaml", ".yml", ".json":
		default:
			continue
		}
		full := filepath.Join(path, entry.Name())
		if info, err := os.Stat(full); err != nil || info.IsDir() {
			continue
		}
		if paths = append(paths, full); len(paths) > maxFiles {
			return nil, "", fmt.Errorf("%s has more than %d files", path, maxFiles)
		}
	}
	if len(paths) == 0 {
		return nil, "", errors.New(path + " has no *.yaml, *.yml or *.json file")
	}
	stamp, err = reload.StampOf(paths...)
	return paths, stamp, err
}
