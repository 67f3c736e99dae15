package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden holds got against testdata/name.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != strings.ReplaceAll(string(want), "\r\n", "\n") {
		t.Errorf("not what %s says:\n%s", path, got)
	}
}

// fits reports lines that are wider than a terminal shall have to be.
func fits(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 100 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestVirtualTellsTheSameStoryEveryTime(t *testing.T) {
	svg := filepath.Join(t.TempDir(), "story.svg")
	code, stdout, stderr := call("", "virtual", "-svg", svg)
	if code != exitOK || stderr != "" {
		t.Errorf("code %d, stderr %q", code, stderr)
	}
	golden(t, "virtual.txt", stdout)
	fits(t, stdout)
	picture, err := os.ReadFile(svg)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "virtual.svg", string(picture))
}

func TestVirtualInFull(t *testing.T) {
	code, stdout, _ := call("", "virtual", "-all", "-duration", "90s", "-interval", "5s", "-fail-rate", "0.4", "-retry", "0", "-overflow", "drop-newest",
		"-queue", "2", "-batch", "2", "-stall", "30s/29s", "-fallback", "none", "-breaker", "2", "-cooldown", "2s")
	if code != exitLoss {
		t.Errorf("code %d", code)
	}
	golden(t, "virtual_all.txt", stdout)
	fits(t, stdout)
}
