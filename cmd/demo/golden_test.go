package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/penstock-go/penstock/cmd/demo/internal/golden"
	"github.com/penstock-go/penstock/cmd/demo/internal/term"
)

func TestVirtualTellsTheSameStoryEveryTime(t *testing.T) {
	svg := filepath.Join(t.TempDir(), "story.svg")
	code, stdout, stderr := call("", "virtual", "-svg", svg)
	if code != exitOK || stderr != "" {
		t.Errorf("code %d, stderr %q", code, stderr)
	}
	golden.Check(t, "virtual.txt", stdout)
	golden.Fits(t, stdout, term.Width)
	picture, err := os.ReadFile(svg)
	if err != nil {
		t.Fatal(err)
	}
	golden.Check(t, "virtual.svg", string(picture))
}

func TestVirtualInFull(t *testing.T) {
	code, stdout, _ := call("", "virtual", "-all", "-duration", "90s", "-interval", "5s", "-fail-rate", "0.4", "-retry", "0", "-overflow", "drop-newest",
		"-queue", "2", "-batch", "2", "-stall", "30s/29s", "-fallback", "none", "-breaker", "2", "-cooldown", "2s")
	if code != exitLoss {
		t.Errorf("code %d", code)
	}
	golden.Check(t, "virtual_all.txt", stdout)
	golden.Fits(t, stdout, term.Width)
}
