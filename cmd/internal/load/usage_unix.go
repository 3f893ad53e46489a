//go:build unix

package load

import "syscall"

// ProcessCPU is the processor time that this process has used, in seconds, user and
// system, all threads; 0 where the system does not say.
func ProcessCPU() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}
