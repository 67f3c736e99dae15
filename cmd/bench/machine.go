package main

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// machine describes what was measured on, and what.
type machine struct {
	CPU        string    `json:"cpu"`
	Cores      int       `json:"cores"`
	GOMAXPROCS int       `json:"gomaxprocs"`
	Go         string    `json:"go"`
	Kernel     string    `json:"kernel"`
	Load       string    `json:"load"` // averages when it began
	Begun      time.Time `json:"begun"`
	ClockNS    int64     `json:"clock_ns"`   // two readings
	HarnessNS  float64   `json:"harness_ns"` // for each event, without a peer
	Versions   []string  `json:"versions"`
}

// peers are the modules whose versions count.
var peers = []string{
	"code.cloudfoundry.org/go-diodes", "github.com/phuslu/log", "github.com/rs/zerolog",
	"go.opentelemetry.io/otel/sdk/log", "go.uber.org/zap",
}

func describe() machine {
	m := machine{
		CPU: runtime.GOARCH, Cores: runtime.NumCPU(), GOMAXPROCS: runtime.GOMAXPROCS(0), Go: runtime.Version(),
		Kernel: runtime.GOOS, Begun: time.Now().UTC().Truncate(time.Second), ClockNS: clockCost(), HarnessNS: harnessCost(),
	}
	for line := range strings.Lines(read("/proc/cpuinfo")) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			m.CPU = strings.TrimSpace(value)
			break
		}
	}
	if release := read("/proc/sys/kernel/osrelease"); release != "" {
		m.Kernel += " " + strings.TrimSpace(release)
	}
	if f := strings.Fields(read("/proc/loadavg")); len(f) >= 3 {
		m.Load = strings.Join(f[:3], " ")
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		m.Versions = versions(info.Deps)
	}
	return m
}

func versions(deps []*debug.Module) (v []string) {
	for _, d := range deps {
		if slices.Contains(peers, d.Path) {
			v = append(v, d.Path+" "+d.Version)
		}
	}
	return v
}

// read returns a file's text, or nothing: not every system has these.
func read(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return string(text)
}

// harnessCost is what the producers' loop itself takes.
func harnessCost() float64 {
	const n = 1_000_000
	return float64(drive(encoding(func() {}), work{producers: 1, events: n}).took) / n
}

// lines are the description in words.
func (m machine) lines() []string {
	load := ""
	if m.Load != "" {
		load = ", load average at the start " + m.Load
	}
	return []string{
		fmt.Sprintf("%s, %d cores, GOMAXPROCS %d, %s, %s%s.", m.CPU, m.Cores, m.GOMAXPROCS, m.Go, m.Kernel, load),
		fmt.Sprintf("The clock's own cost in a latency is %d ns, the harness's in each event %.1f ns; neither is taken off.", m.ClockNS, m.HarnessNS),
		"Versions: " + strings.Join(m.Versions, ", ") + ".",
	}
}
