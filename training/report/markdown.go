package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Markdown writes report.md: tables that line up in a terminal and on any page
// that renders Markdown. The best value of a row is bold.
func Markdown(w io.Writer, r *Report) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "# %s\n\n%s\n\n", plain(r.title()), plain(r.lead()))
	for _, f := range r.facts() {
		fmt.Fprintf(out, "- %s: %s\n", plain(f.Name), plain(f.Value))
	}
	if text := protocolText(r.Protocol); text != "" {
		fmt.Fprintf(out, "\n%s\n", text)
	}
	if g := r.Gate; g != nil {
		fmt.Fprintf(out, "\n## Gate: %s\n\n", g.verdict())
		list(out, g.Reasons)
	}
	if len(r.Notes) > 0 {
		fmt.Fprint(out, "\n## Notes\n\n")
		list(out, r.Notes)
	}
	fmt.Fprint(out, "\n## Quality\n\n")
	quality := r.quality()
	writeTable(out, quality)
	fmt.Fprint(out, "\nValues are means over people; ± is half of the bootstrap 95 % interval. The best of a row is bold.\n")
	if names := r.baselines(); len(names) > 0 {
		fmt.Fprintf(out, "Baselines: %s.\n", plain(strings.Join(names, ", ")))
	}
	if t := r.popularity(); len(t.Rows) > 0 {
		fmt.Fprintf(out, "\n## Popularity bias\n\n")
		writeTable(out, t)
	}
	if len(r.Slices) > 0 {
		fmt.Fprint(out, "\n## Slices\n")
		for _, t := range r.sliceTables() {
			fmt.Fprintf(out, "\n### %s\n\n", plain(t.Caption))
			writeTable(out, t)
		}
	}
	if c := r.Clusters; c != nil {
		fmt.Fprintf(out, "\n## Clusters: %d by %s\n\n", c.Chosen, plain(c.Algorithm))
		writeTable(out, c.points())
		if len(c.Groups) > 0 {
			fmt.Fprintln(out)
			writeTable(out, c.groups())
		}
	}
	fmt.Fprint(out, "\n## Cost\n\n")
	writeTable(out, r.cost())
	if r.Command != "" {
		fmt.Fprintf(out, "\n## Again\n\n    %s\n", strings.ReplaceAll(r.Command, "\n", "\n    "))
	}
	if r.Machine != "" || r.Version != "" {
		fmt.Fprintf(out, "\n%s\n", plain(strings.TrimSpace(r.Machine+"  "+r.Version)))
	}
	return out.Flush()
}

func (g *Gate) verdict() string {
	if g.Passed {
		return "passed"
	}
	return "refused"
}

func list(w io.Writer, lines []string) {
	for _, line := range lines {
		fmt.Fprintf(w, "- %s\n", plain(line))
	}
}

// writeTable writes a table whose columns line up.
func writeTable(w io.Writer, t table) {
	lines := [][]string{make([]string, len(t.Head))}
	for i, h := range t.Head {
		lines[0][i] = plain(h.Text)
	}
	for _, r := range t.Rows {
		line := []string{plain(r.Name)}
		for _, c := range r.Cells {
			line = append(line, markdownCell(c))
		}
		lines = append(lines, line)
	}
	width := make([]int, len(t.Head))
	for _, line := range lines {
		for i, s := range line {
			width[i] = max(width[i], utf8.RuneCountInString(s), 3)
		}
	}
	for n, line := range lines {
		for i, s := range line {
			pad := strings.Repeat(" ", width[i]-utf8.RuneCountInString(s))
			if i == 0 {
				fmt.Fprintf(w, "| %s%s |", s, pad)
			} else {
				fmt.Fprintf(w, " %s%s |", pad, s)
			}
		}
		fmt.Fprintln(w)
		if n == 0 {
			for i, wide := range width {
				if i == 0 {
					fmt.Fprintf(w, "|%s|", strings.Repeat("-", wide+2))
				} else {
					fmt.Fprintf(w, "%s:|", strings.Repeat("-", wide+1))
				}
			}
			fmt.Fprintln(w)
		}
	}
}

func markdownCell(c cell) string {
	s := plain(c.Text)
	if c.Best {
		s = "**" + s + "**"
	}
	if c.Half != "" {
		s += " ±" + c.Half
	}
	return s
}

// plain keeps text from being taken for markup or for the end of a table cell.
func plain(s string) string {
	return strings.NewReplacer("\n", " ", "|", `\|`, "*", `\*`, "`", "\\`", "<", "&lt;", "[", `\[`).Replace(s)
}
