package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kindred/serving/ingest"
)

// apiKeyVariable is the environment variable of the API key for commands that ask a running server.
const apiKeyVariable = "KINDRED_API_KEY"

// deadFlags are the flags of `kindred dead-letters`.
type deadFlags struct {
	addr, kind, reason, source, from, before string
	limit                                    int
	dry                                      bool
}

func newDeadLetters(g *globals) *cobra.Command {
	var f deadFlags
	c := &cobra.Command{
		Use:   "dead-letters",
		Short: "List what was not accepted and why, and try it again after a fix",
		Long: "Without --addr the data directory is read, which no server may be running on; with it, a running server is asked, with the\n" +
			"admin key in " + apiKeyVariable + ". A call that is tried again keeps its message id and its time, so it counts once; what is\n" +
			"refused again stays, with the new reason.",
		Example: "  kindred dead-letters list --data kindred-data --kind plan.quarantine\n" +
			"  kindred dead-letters replay --addr 127.0.0.1:8080 --kind plan.quarantine --dry-run",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	list := &cobra.Command{
		Use: "list", Short: "List dead letters, oldest first, one JSON object a line", Args: noArgs,
		Example: "  kindred dead-letters list --data kindred-data --source shop --limit 20",
		RunE:    func(cmd *cobra.Command, _ []string) error { return g.listDead(cmd.Context(), f) },
	}
	replay := &cobra.Command{
		Use: "replay", Short: "Try dead letters again, and say what became of them", Args: noArgs,
		Example: "  kindred dead-letters replay --data kindred-data --kind plan.quarantine",
		RunE:    func(cmd *cobra.Command, _ []string) error { return g.replayDead(cmd.Context(), f) },
	}
	flags := c.PersistentFlags()
	flags.StringVar(&f.addr, "addr", "", "HOST:PORT of a running server to ask instead of the data directory")
	flags.StringVar(&f.kind, "kind", "", "only of this kind, such as plan.quarantine")
	flags.StringVar(&f.reason, "reason", "", "only with this in the reason")
	flags.StringVar(&f.source, "source", "", "only of this source")
	flags.StringVar(&f.from, "from", "", "only what came at this time or later, as 2026-11-20T12:00:00Z")
	flags.StringVar(&f.before, "before", "", "only what came before this time")
	list.Flags().IntVar(&f.limit, "limit", 100, "how many")
	replay.Flags().BoolVar(&f.dry, "dry-run", false, "say what would become of them, and change nothing")
	c.AddCommand(list, replay)
	return c
}

// which are the letters that the flags name.
func (f deadFlags) which() (w ingest.Which, err error) {
	w = ingest.Which{Kind: f.kind, Reason: f.reason, Source: f.source}
	for _, bound := range []struct {
		flag, text string
		at         *int64
	}{{"from", f.from, &w.From}, {"before", f.before, &w.Before}} {
		if bound.text == "" {
			continue
		}
		t, err := time.Parse(time.RFC3339, bound.text)
		if err != nil {
			return w, usagef("--%s is %q; write a time as 2026-11-20T12:00:00Z", bound.flag, bound.text)
		}
		*bound.at = t.UnixMilli()
	}
	return w, nil
}

// said are the filters that were given, by the names that the API has for them.
func (f deadFlags) said() map[string]string {
	all := map[string]string{"kind": f.kind, "reason": f.reason, "source": f.source, "from": f.from, "before": f.before}
	maps.DeleteFunc(all, func(_, value string) bool { return value == "" })
	return all
}

// ask asks a running server, and decodes its answer.
func (g *globals) ask(ctx context.Context, method, addr, path string, body, into any) error {
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		in = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://"+addr+path, in)
	if err != nil {
		return usageError{err}
	}
	r.Header.Set("Content-Type", "application/json")
	for _, v := range g.environ {
		if key, ok := strings.CutPrefix(v, apiKeyVariable+"="); ok {
			r.Header.Set("X-API-Key", key)
		}
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s %s: %s: %.300s", method, path, answer.Status, b)
	}
	return json.Unmarshal(b, into)
}

// offline opens the data directory as a server would and calls fn.
func (g *globals) offline(ctx context.Context, fn func(*server) error) (err error) {
	c, err := g.load()
	if err != nil {
		return err
	}
	if err := mustExist(c.Data); err != nil {
		return err
	}
	n, err := newNode(c, g.logger(c))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, n.close()) }()
	s := &server{node: n, owner: newOwner("dead-letters")}
	if _, err := s.build(); err != nil {
		return err
	}
	if err := s.live.Poll(ctx); err != nil { // events get the catalog's facets
		n.log.Warn("the current model does not load", "error", err)
	}
	return fn(s)
}

func (g *globals) listDead(ctx context.Context, f deadFlags) error {
	which, err := f.which()
	if err != nil {
		return err
	}
	if f.limit < 1 || f.limit > 1000 {
		return usagef("--limit is %d; use 1 to 1000", f.limit)
	}
	e := json.NewEncoder(g.out)
	e.SetEscapeHTML(false)
	if f.addr != "" {
		query := url.Values{"limit": {strconv.Itoa(f.limit)}}
		for name, value := range f.said() {
			query.Set(name, value)
		}
		var page struct {
			DeadLetters []json.RawMessage `json:"dead_letters"`
		}
		if err := g.ask(ctx, http.MethodGet, f.addr, "/v1/dead-letters?"+query.Encode(), nil, &page); err != nil {
			return err
		}
		for _, l := range page.DeadLetters {
			if err := e.Encode(l); err != nil {
				return err
			}
		}
		return nil
	}
	return g.offline(ctx, func(s *server) error {
		for after, n := uint64(0), 0; ; {
			letters, err := s.store.DeadLetters(ctx, after, pageSize)
			if err != nil {
				return err
			}
			for _, l := range letters {
				if after = l.Seq; !which.Has(&l) {
					continue
				}
				view := map[string]any{"seq": l.Seq, "at": l.At, "source": l.Source, "kind": l.Kind, "reason": l.Reason, "replayable": l.Call != nil, "raw": string(l.Raw)}
				if err := e.Encode(view); err != nil {
					return err
				}
				if n++; n == f.limit {
					return nil
				}
			}
			if len(letters) < pageSize {
				return nil
			}
		}
	})
}

// replayStep is how many letters are tried between two signs of life.
const replayStep = 1000

func (g *globals) replayDead(ctx context.Context, f deadFlags) error {
	which, err := f.which()
	if err != nil {
		return err
	}
	p := newProgress(g.err)
	defer p.close()
	var total ingest.Replayed
	all := func(step func(ingest.Which) (ingest.Replayed, error)) error {
		for {
			r, err := step(which)
			total.Add(r)
			p.at("dead letters tried", int64(total.Matched), 0)
			if err != nil || r.Next == 0 {
				return err
			}
			which.After = r.Next
		}
	}
	if f.addr != "" {
		err = all(func(w ingest.Which) (r ingest.Replayed, err error) {
			body := map[string]any{"after": w.After, "limit": replayStep, "dry_run": f.dry}
			for name, value := range f.said() {
				body[name] = value
			}
			err = g.ask(ctx, http.MethodPost, f.addr, "/v1/dead-letters/replay", body, &r)
			return r, err
		})
	} else {
		err = g.offline(ctx, func(s *server) error {
			return all(func(w ingest.Which) (ingest.Replayed, error) {
				return s.in.Replay(ctx, s.store, w, replayStep, f.dry)
			})
		})
	}
	p.close()
	verb := "tried"
	if f.dry {
		verb = "would be tried"
	}
	fmt.Fprintf(g.out, "%d dead letters %s: %d accepted, %d dropped, %d refused again, %d too old by now, %d no calls\n",
		total.Matched, verb, total.Accepted, total.Dropped, total.Refused, total.Late, total.Unable)
	return err
}
