package load

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// HoldProcessor keeps one more of Go's processors taken, by a thread that sleeps in a
// system call that the scheduler is not told of, until release is called. A program
// that waits for the network between any two requests is idle thousands of times a
// second, and every time the runtime's monitor goes to sleep, is woken by the next
// system call and looks around every 20 µs for a while: a third of what a slow
// request cost this side (perf: sysmon). With a processor that is never idle the
// monitor looks around every 10 ms.
func HoldProcessor() (release func()) {
	var over atomic.Bool
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + 1)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		runtime.LockOSThread() // not unlocked: the thread ends with the goroutine
		nap := syscall.NsecToTimespec(int64(holdNap))
		for !over.Load() {
			// The runtime's signal ends the nap early where it wants the processor.
			syscall.RawSyscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&nap)), 0, 0)
			runtime.Gosched() // a collection waits for everybody, and the loop has no other stop
		}
	}()
	return func() {
		over.Store(true)
		<-ended
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) - 1)
	}
}

// holdNap bounds how long release waits.
const holdNap = 20 * time.Millisecond
