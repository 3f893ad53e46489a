package main

import (
	"bufio"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"kindred/cmd/internal/load"
	"kindred/model/kernel"
)

// cost is what a piece of work took.
type cost struct {
	CPU  float64 `json:"cpu"`  // seconds of all threads, user and system
	Wall float64 `json:"wall"` // seconds
}

// measure runs work and says what it took.
func measure(work func()) cost {
	cpu, began := load.ProcessCPU(), time.Now()
	work()
	return cost{CPU: load.ProcessCPU() - cpu, Wall: time.Since(began).Seconds()}
}

// peakBytes is the most memory that this process had resident, 0 where the system does
// not say. Not getrusage's: that counts what the parent had when it forked, too.
func peakBytes() (peak int64) {
	eachLine("/proc/self/status", func(key, value string) {
		if kb, err := strconv.ParseInt(strings.TrimSuffix(value, " kB"), 10, 64); key == "VmHWM" && err == nil {
			peak = kb << 10
		}
	})
	return peak
}

// Machine is what the figures were measured on.
type Machine struct {
	CPU     string `json:"cpu"`
	Cores   int    `json:"cores"`
	Memory  int64  `json:"memory_bytes"`
	OS      string `json:"os"`
	Go      string `json:"go"`
	Kernels string `json:"kernels"` // the level that is chosen
	Flags   string `json:"cpu_flags"`
	Version string `json:"version"` // of the source
}

// thisMachine describes where this runs.
func thisMachine(version string) Machine {
	m := Machine{
		CPU: "unknown", Cores: runtime.NumCPU(), OS: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(),
		Kernels: kernelLevel(), Version: version,
	}
	eachLine("/proc/cpuinfo", func(key, value string) {
		switch key {
		case "model name":
			m.CPU = value
		case "flags":
			var known []string
			for _, f := range strings.Fields(value) {
				switch f {
				case "fma", "avx2", "avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni":
					known = append(known, f)
				}
			}
			m.Flags = strings.Join(known, " ")
		}
	})
	eachLine("/proc/meminfo", func(key, value string) {
		if kb, err := strconv.ParseInt(strings.TrimSuffix(value, " kB"), 10, 64); key == "MemTotal" && err == nil {
			m.Memory = kb << 10
		}
	})
	return m
}

// kernelLevel is the level of the kernels that runs here.
func kernelLevel() string { return kernel.Current().String() }

// eachLine calls yield for the "key: value" lines of a file, if there is one.
func eachLine(path string, yield func(key, value string)) {
	f, err := os.Open(path)
	if err != nil {
		return
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok {
			yield(strings.TrimSpace(key), strings.TrimSpace(value))
		}
	}
}
