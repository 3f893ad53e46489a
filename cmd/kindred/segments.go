package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"

	"github.com/spf13/cobra"
)

// newSegments asks a running server about its segment rules.
func newSegments(g *globals) *cobra.Command {
	var addr, file, version string
	c := &cobra.Command{
		Use:   "segments",
		Short: "Check, try, publish and roll back the segment rules of a running server",
		Long: "The server at --addr is asked, with the admin key in " + apiKeyVariable + ". Rules come from --file, or are the server's draft\n" +
			"or the --version.",
		Example: "  kindred segments check --addr 127.0.0.1:8080 --file rules.yaml\n  kindred segments publish --addr 127.0.0.1:8080 --file rules.yaml",
		Args:    noArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	c.PersistentFlags().StringVar(&addr, "addr", "127.0.0.1:8080", "HOST:PORT of the running server")
	c.PersistentFlags().StringVar(&file, "file", "", "rules, YAML or JSON")
	c.PersistentFlags().StringVar(&version, "version", "", "a version, draft or live")
	ask := func(cmd *cobra.Command, method, path string, body any) error {
		var out json.RawMessage
		if err := g.ask(cmd.Context(), method, addr, path, body, &out); err != nil {
			return err
		}
		if err := printJSON(g.out, out); err != nil {
			return err
		}
		var verdict struct{ OK *bool }
		if json.Unmarshal(out, &verdict) == nil && verdict.OK != nil && !*verdict.OK {
			return errors.New("the rules have mistakes")
		}
		return nil
	}
	for _, x := range []struct{ name, short string }{
		{"check", "Say what is wrong with rules, and where"},
		{"preview", "Say who would be in the segments now"},
		{"diff", "Say who would enter and leave"},
		{"publish", "Make rules live; those of a file become the draft first"},
	} {
		c.AddCommand(&cobra.Command{Use: x.name, Short: x.short, Args: noArgs, Example: "  kindred segments " + x.name + " --file rules.yaml",
			RunE: func(cmd *cobra.Command, _ []string) error {
				body := map[string]any{}
				if file != "" && version != "" {
					return usagef("--file and --version exclude each other")
				}
				if version != "" {
					body["version"] = version
				}
				if file != "" {
					text, err := os.ReadFile(file)
					if err != nil {
						return err
					}
					body["text"] = string(text)
					if x.name == "publish" {
						var put struct{ Version string }
						if err := g.ask(cmd.Context(), http.MethodPut, addr, "/v1/segments", body, &put); err != nil {
							return err
						}
						body = map[string]any{"version": put.Version}
					}
				}
				return ask(cmd, http.MethodPost, "/v1/segments/"+x.name, body)
			}})
	}
	c.AddCommand(
		&cobra.Command{Use: "rollback", Short: "Make the version before live again", Args: noArgs, Example: "  kindred segments rollback",
			RunE: func(cmd *cobra.Command, _ []string) error {
				return ask(cmd, http.MethodPost, "/v1/segments/rollback", nil)
			}},
		&cobra.Command{Use: "history", Short: "List the versions that were live", Args: noArgs, Example: "  kindred segments history",
			RunE: func(cmd *cobra.Command, _ []string) error {
				return ask(cmd, http.MethodGet, "/v1/segments/history", nil)
			}},
	)
	return c
}
