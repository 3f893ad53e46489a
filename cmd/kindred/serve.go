package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"kindred/data"
	"kindred/model/kernel"
)

// serveFlags are the flags that `serve` and `demo` share.
type serveFlags struct {
	addr     string
	roles    string
	insecure bool
}

func (f *serveFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.addr, "addr", "", "HOST:PORT to listen on, port 0 for a free one (default from the configuration: 127.0.0.1:8080)")
	flags.StringVar(&f.roles, "roles", "", "what this process does (default api,stream,train; the embedded stores run all three)")
	flags.BoolVar(&f.insecure, "insecure", false, "allow an address that others can reach without API keys")
}

// sets are the flags as settings, weaker than --set.
func (f *serveFlags) sets() []string {
	var sets []string
	if f.addr != "" {
		sets = append(sets, "http.addr="+f.addr)
	}
	if f.roles != "" {
		sets = append(sets, "roles="+f.roles)
	}
	if f.insecure {
		sets = append(sets, "http.insecure=true")
	}
	return sets
}

func newServe(g *globals) *cobra.Command {
	var f serveFlags
	c := &cobra.Command{
		Use:   "serve",
		Short: "Take in events, fold them, train on schedule, and answer requests",
		Example: "  kindred serve --data kindred-data --addr 127.0.0.1:8080\n" +
			"  KINDRED_SCHEDULE_CRON=\"0 */6 * * *\" kindred serve --data kindred-data",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			g.sets = append(f.sets(), g.sets...)
			c, err := g.load()
			if err != nil {
				return err
			}
			n, err := newNode(c, g.logger(c))
			if err != nil {
				return err
			}
			return errors.Join(g.serve(cmd.Context(), n), n.close())
		},
	}
	f.add(c)
	return c
}

// serve runs the node until ctx ends.
func (g *globals) serve(ctx context.Context, n *node) error {
	var effective strings.Builder
	if err := n.cfg.Print(&effective); err != nil {
		return err
	}
	n.log.Info("starting", "version", version, "data", n.cfg.Data, "partitions", n.store.Partitions(), "kernel", kernel.Current())
	n.log.Debug("effective configuration", "yaml", effective.String())

	l, err := net.Listen("tcp", n.cfg.HTTP.Addr)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	return n.serve(ctx, l, func(s *server) { g.greet(ctx, s, l.Addr().String()) })
}

// greet says where the server listens and what is worth trying.
func (g *globals) greet(ctx context.Context, s *server, addr string) {
	base := "http://" + addr
	fmt.Fprintf(g.out, "listening on %s\n", base)
	user, item := s.somebody(ctx), s.someItem(ctx)
	key := ""
	if len(s.cfg.HTTP.Keys) > 0 {
		key = ` -H "Authorization: Bearer $KEY"`
	}
	curls(g.out, base, key, user, item)
}

// curls prints three requests worth trying.
func curls(w io.Writer, base, key, user, item string) {
	fmt.Fprintf(w, `
Open %[1]s in a browser, or try:
  curl -s%[2]s '%[1]s/v1/recommendations/%[3]s?n=5'
  curl -s%[2]s -X POST %[1]s/v1/track -H 'Content-Type: application/json' -d '{"userId":"%[3]s","event":"Product Viewed","properties":{"product_id":"%[4]s"}}'
  curl -s%[2]s '%[1]s/v1/items/%[5]s/similar?n=5'

`, base, key, url.PathEscape(user), item, url.PathEscape(item))
}

// somebody is the id of some known user, or one that nobody has used.
func (s *server) somebody(ctx context.Context) string {
	users, err := s.store.ScanIndex(ctx, data.IDUser, "", 1)
	if err != nil || len(users) == 0 {
		return "ann"
	}
	return users[0].ID
}

// someItem is the id of some item of the catalog.
func (s *server) someItem(ctx context.Context) string {
	items, err := s.catalog.Items(ctx, "", 1)
	if err != nil || len(items) == 0 {
		return "lamp"
	}
	return string(items[0].ID)
}
