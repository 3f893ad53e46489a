package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// player is a side that runs as a child process.
type player struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	errs bytes.Buffer
}

// bound gives BLAS one thread inside each of a side's own threads, as implicit asks for.
var bound = []string{"OPENBLAS_NUM_THREADS=1"}

// play starts a side and reads its first answer into setup.
func play(ctx context.Context, setup any, name string, args ...string) (*player, error) {
	p := &player{name: filepath.Base(name)}
	p.cmd = exec.CommandContext(ctx, name, args...)
	p.cmd.Env = append(os.Environ(), bound...)
	p.cmd.Stderr = &p.errs
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := p.read(setup); err != nil {
		return nil, errors.Join(fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err), p.stop())
	}
	return p, nil
}

// ask has one piece of work done; into may be nil.
func (p *player) ask(do string, arg, into any) error {
	line, err := json.Marshal(arg)
	if err != nil {
		return err
	}
	if line, err = json.Marshal(request{do, line}); err != nil {
		return err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return p.because(fmt.Errorf("ask %s to %s: %w", p.name, do, err))
	}
	if err := p.read(into); err != nil {
		return fmt.Errorf("%s, asked to %s: %w", p.name, do, err)
	}
	return nil
}

// read takes the next answer. Lines that are no JSON object are chatter of libraries.
func (p *player) read(into any) error {
	for {
		line, err := p.out.ReadBytes('\n')
		if err != nil {
			return p.because(err)
		}
		if len(line) == 0 || line[0] != '{' {
			continue
		}
		var failed failure
		if json.Unmarshal(line, &failed) == nil && failed.Error != "" {
			return errors.New(failed.Error)
		}
		if into == nil {
			return nil
		}
		return json.Unmarshal(line, into)
	}
}

// because adds what the process said to standard error.
func (p *player) because(err error) error {
	p.in.Close()
	p.cmd.Wait()
	said := strings.TrimSpace(p.errs.String())
	if len(said) > 2000 {
		said = "…" + said[len(said)-2000:]
	}
	if said == "" {
		return err
	}
	return fmt.Errorf("%w: it said: %s", err, said)
}

// stop ends the side by ending its input.
func (p *player) stop() error {
	p.in.Close()
	io.Copy(io.Discard, p.out)
	if err := p.cmd.Wait(); err != nil && p.cmd.ProcessState == nil {
		return err
	}
	return nil
}
