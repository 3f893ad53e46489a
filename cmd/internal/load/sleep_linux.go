package load

import (
	"syscall"
	"time"
)

// sleep blocks the thread, not only the goroutine: its resolution is the kernel's,
// not that of the scheduler's poller, which is a millisecond.
func sleep(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	syscall.Nanosleep(&t, nil) // a signal may end it early; the caller looks at the clock
}
