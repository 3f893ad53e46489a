package main

import (
	"fmt"
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress shows how far long stages are: a bar on a terminal, and elsewhere one
// line at the start and end of each stage, so that logs stay readable.
type progress struct {
	out   io.Writer
	live  bool
	stage string
	began time.Time
	bar   *progressbar.ProgressBar
}

func newProgress(out io.Writer) *progress {
	return &progress{out: out, live: isTerminal(out)}
}

// at says that done of total units of the stage are finished. A total below 1 is
// unknown. The stage before is closed when another name arrives.
func (p *progress) at(stage string, done, total int64) {
	if stage != p.stage {
		p.close()
		p.stage, p.began = stage, time.Now()
		if p.live {
			p.bar = progressbar.NewOptions64(max(total, -1),
				progressbar.OptionSetWriter(p.out), progressbar.OptionSetDescription(fmt.Sprintf("%-28s", stage)),
				progressbar.OptionSetWidth(30), progressbar.OptionThrottle(80*time.Millisecond), progressbar.OptionSetRenderBlankState(true))
		} else {
			fmt.Fprintf(p.out, "%s…\n", stage)
		}
	}
	if p.bar != nil && total > 0 {
		p.bar.ChangeMax64(total)
		p.bar.Set64(min(done, total)) // its errors are the terminal's
	}
}

// close ends the current stage.
func (p *progress) close() {
	if p.stage == "" {
		return
	}
	if p.bar != nil {
		p.bar.Finish()
		fmt.Fprintln(p.out)
		p.bar = nil
	} else {
		fmt.Fprintf(p.out, "%s: %.1f s\n", p.stage, time.Since(p.began).Seconds())
	}
	p.stage = ""
}
