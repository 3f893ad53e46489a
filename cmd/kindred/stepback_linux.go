package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// niceness is how far a training process steps back behind the server: at 10, a
// thread gets a tenth of a processor that somebody else wants, and all of one that
// nobody does.
const niceness = 10

// firstToGo makes the kernel end a training process rather than its server when
// memory runs out.
const firstToGo = "500"

// stepBack lowers the priority of this process. On Linux that belongs to a thread,
// and a new thread has it from the one that starts it: the threads that are there
// are gone through until none is left as it was.
func stepBack() error {
	err := os.WriteFile("/proc/self/oom_score_adj", []byte(firstToGo), 0)
	for before := true; before; {
		before = false
		threads, e := os.ReadDir("/proc/self/task")
		if e != nil {
			return errors.Join(err, fmt.Errorf("lower the priority: %w", e))
		}
		for _, t := range threads {
			id, e := strconv.Atoi(t.Name())
			if e != nil {
				continue
			}
			// The kernel says 20 - nice. A thread that is gone is none to mind.
			if now, e := unix.Getpriority(unix.PRIO_PROCESS, id); e != nil || 20-now >= niceness {
				continue
			}
			before = true
			if e := unix.Setpriority(unix.PRIO_PROCESS, id, niceness); e != nil && !errors.Is(e, unix.ESRCH) {
				return errors.Join(err, fmt.Errorf("lower the priority: %w", e))
			}
		}
	}
	return err
}
