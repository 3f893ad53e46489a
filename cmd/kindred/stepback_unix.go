//go:build unix && !linux

package main

import (
	"fmt"
	"syscall"
)

// stepBack lowers the priority of this process.
func stepBack() error {
	if err := syscall.Setpriority(syscall.PRIO_PROCESS, 0, 10); err != nil {
		return fmt.Errorf("lower the priority: %w", err)
	}
	return nil
}
