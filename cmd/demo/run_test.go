package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/penstock-go/penstock/cmd/demo/internal/golden"
	"github.com/penstock-go/penstock/cmd/demo/internal/lab"
	"github.com/penstock-go/penstock/cmd/demo/internal/sweep"
	"github.com/penstock-go/penstock/cmd/demo/internal/term"
)

func TestRunReportsAndBalances(t *testing.T) {
	code, stdout, stderr := call("", "run", "-duration", "1200ms", "-rate", "20000", "-batch", "16", "-outage", "200ms/300ms", "-retry", "2",
		"-retry-wait", "1ms", "-breaker", "2", "-cooldown", "50ms", "-fallback", "memory", "-panic-rate", "0.01", "-latency", "50us")
	if code != exitOK || !strings.Contains(stdout, "the books balance") || !strings.Contains(stdout, "to the fallback") || !strings.Contains(stdout, "breaker opened") {
		t.Errorf("code %d\n%s", code, stdout)
	}
	if !strings.Contains(stderr, "s in ") || !strings.Contains(stderr, "breaker ") || strings.Contains(stdout+stderr, "\x1b") {
		t.Errorf("stderr %q", stderr)
	}
	golden.Fits(t, stdout+stderr, term.Width)
}

func TestRunAsJSON(t *testing.T) {
	for _, clock := range []string{"real", "virtual"} {
		code, stdout, stderr := call("", "run", "-duration", "200ms", "-rate", "500", "-json", "-quiet", "-clock", clock)
		var o lab.Outcome
		if err := json.Unmarshal([]byte(stdout), &o); err != nil || code != exitOK || stderr != "" {
			t.Fatalf("code %d, %v\n%s%s", code, err, stdout, stderr)
		}
		if o.Clock != clock || o.Books != "" || o.Stats.Delivered == 0 || o.Stats.Delivered != o.Counted.Sink || o.Settings.Rate != 500 {
			t.Errorf("%+v", o)
		}
	}
}

func TestRunQuietly(t *testing.T) {
	code, stdout, stderr := call("", "run", "-duration", "50ms", "-quiet")
	if code != exitOK || stderr != "" || strings.Count(stdout, "\n") > 2 || !strings.HasPrefix(stdout, "offered ") {
		t.Errorf("code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestRunsThatLoseEventsSaySo(t *testing.T) {
	code, stdout, _ := call("", "run", "-duration", "100ms", "-fail-rate", "1", "-quiet")
	if code != exitLoss || !strings.Contains(stdout, "LOST") {
		t.Errorf("code %d, %s", code, stdout)
	}
	code, stdout, _ = call("", "run", "-duration", "100ms", "-rate", "0", "-queue", "16", "-batch", "16", "-sink", "slow", "-quiet")
	if code != exitOK || !strings.Contains(stdout, "as drop-oldest allows, lost 0") {
		t.Errorf("code %d, %s", code, stdout)
	}
}

func TestVerdictsHaveCodes(t *testing.T) {
	lossy := lab.Outcome{}
	lossy.Stats.Lost.Failed = 1
	for want, o := range map[int]lab.Outcome{exitOK: {}, exitRuntime: {Books: "wrong"}, exitLoss: lossy} {
		if got := verdictCode(&o); got != want {
			t.Errorf("%d, want %d", got, want)
		}
	}
	if got := verdictCode(&lab.Outcome{Closing: "it failed"}); got != exitRuntime {
		t.Error(got)
	}
}

func TestSweepWritesAndResumes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	code, stdout, stderr := call("", "sweep", "-sweep", "batch=1,64", "-sweep", "overflow=wait,drop-oldest", "-rounds", "1", "-duration", "20ms",
		"-rate", "1000", "-out", dir, "-goal", "no loss")
	if code != exitOK || !strings.Contains(stdout, "no loss") || !strings.Contains(stderr, "4/4 ") {
		t.Errorf("code %d\n%s%s", code, stdout, stderr)
	}
	golden.Fits(t, strings.ReplaceAll(stdout, dir, ""), term.Width)
	for _, name := range []string{"sweep.json", "sweep.csv", "sweep.html", "throughput-batch.svg", "p99.9-batch-overflow.svg", "loss-overflow.svg"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
	file := filepath.Join(dir, "sweep.json")
	code, stdout, stderr = call("", "sweep", "-resume", file, "-goal", "p99.9 under 1h", "-json", "-quiet")
	var r sweep.Result
	if err := json.Unmarshal([]byte(stdout), &r); err != nil || code != exitOK || stderr != "" || len(r.Runs) != 4 || !strings.Contains(r.Advice, "under 1h") {
		t.Errorf("code %d, %v, %s%s", code, err, stdout, stderr)
	}
	if code, _, stderr = call("", "sweep", "-resume", filepath.Join(dir, "sweep.csv")); code != exitRuntime || !strings.Contains(stderr, "sweep.csv") {
		t.Errorf("code %d, %s", code, stderr)
	}
}
