package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// binary is the command, built once.
var binary string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "penstock-demo-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "demo.exe")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%s%v\n", out, err)
		return 1
	}
	return m.Run()
}

// call runs the command without a process.
func call(stdin string, args ...string) (code int, stdout, stderr string) {
	var out, err bytes.Buffer
	code = run(process{strings.NewReader(stdin), &out, &err, nil}, args)
	return code, out.String(), err.String()
}

func TestHelpGoesToStdout(t *testing.T) {
	for _, args := range [][]string{{"-h"}, {"--help"}, {"ship", "-h"}, {"replay", "-h"}, {"run", "-h"}, {"virtual", "-h"}, {"sweep", "-h"}, {"serve", "-h"}} {
		code, stdout, stderr := call("", args...)
		if code != exitOK || stderr != "" || !strings.HasPrefix(stdout, "Usage: ") || !strings.Contains(stdout, "  -queue ") {
			t.Errorf("%v: code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

func TestUsageErrors(t *testing.T) {
	for args, want := range map[string]string{
		"nosuch":                                    `unknown command "nosuch"`,
		"-nosuch":                                   "-nosuch",
		"-duration 5ms":                             "-duration is 5ms",
		"-duration x":                               "-duration",
		"-producers 0":                              "-producers",
		"-producers 1,,2":                           "-producers",
		"-rate -1":                                  "-rate is -1",
		"-queue 0":                                  "-queue is 0",
		"-queue 10 -batch 11":                       "-batch is 11, want 1 to 10",
		"-seed 1 extra":                             `unexpected argument "extra"`,
		"ship":                                      "-in is missing",
		"ship -in -":                                "-out is missing",
		"ship -in - -out - extra":                   `unexpected argument "extra"`,
		"ship -in - -out - -overflow maybe":         "want one of wait, drop-oldest, drop-newest",
		"ship -in - -out - -queue -1":               "-queue is -1",
		"ship -in - -out - -queue 10 -batch 11":     "-batch is 11, want 1 to 10",
		"ship -in - -out - -queue-bytes 1":          "-queue-bytes is 1",
		"ship -in - -out - -interval 0s":            "-interval is 0s",
		"ship -in - -out - -timeout -1s":            "-timeout is -1s",
		"ship -in - -out - -stats xml":              "want one of none, text, json",
		"ship -in main.go -out main.go -timeout 1s": "the same file",
		"run -sink nosuch":                          "want one of discard, memory",
		"run -queue 10 -batch 11":                   "-batch is 11, want 1 to 10",
		"run -clock sundial":                        "want one of real, virtual",
		"run -clock virtual -rate 0":                "-rate is 0",
		"run extra":                                 `unexpected argument "extra"`,
		"virtual -workers 2":                        "-workers is 2, want 1",
		"serve -addr :0":                            "which other machines may reach",
		"serve -addr 192.0.2.1:0":                   "which other machines may reach",
		"serve -addr 127.0.0.1":                     "missing port",
		"serve -workers 0":                          "-workers is 0",
		"sweep -queue 100":                          "batch=256: -batch is 256, want 1 to 100",
		"sweep -sweep nosuch=1":                     `no setting "nosuch"`,
		"sweep -sweep batch=1 -rounds 0":            "-rounds is 0",
		"sweep -sweep batch=1 -goal fast":           "-goal",
		"sweep -sweep batch=0,1":                    "batch=0: -batch is 0",
		"sweep -resume x.json -batch 1":             "-batch cannot be given with -resume",
		"ship -in a,,b -out -":                      "has an empty name",
		"ship -in - -out - -follow":                 "not for the standard input",
		"ship -in main.go -out - -poll 0s":          "-poll is 0s",
		"ship -in - -out - -max-line 0":             "-max-line is 0",
		"ship -in - -out - -max-line 16777217":      "-max-line is 16777217",
		"ship -in - -out - -checkpoint-every -1s":   "-checkpoint-every is -1s",
		"ship -in - -out - -parse xml":              "want one of none, json, logfmt, auto",
		"ship -in - -out - -format xml":             "want one of json, text, clef, console",
		"ship -in - -out - -queue-bytes 300000 -max-line 80000": "want 320000 or more, four times -max-line",
		"replay":                       "-in is missing",
		"replay -in a -in b -out -":    "-in is more than one file",
		"replay -in - -out - -queue 0": "-queue is 0",
	} {
		code, stdout, stderr := call("", strings.Fields(args)...)
		if code != exitUsage || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: code %d, stdout %q, stderr %q, want %q", args, code, stdout, stderr, want)
		}
	}
	if info, err := os.Stat("main.go"); err != nil || info.Size() == 0 {
		t.Error("an input that is also the output was emptied")
	}
}

func TestFilesThatCannotBeOpened(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "no", "such")
	for _, args := range [][]string{
		{"-dir", missing},
		{"ship", "-in", missing, "-out", "-"},
		{"ship", "-in", "-", "-out", missing},
		{"replay", "-in", missing, "-out", "-"},
		{"run", "-sink", "file", "-dir", missing},
		{"virtual", "-duration", "1s", "-svg", missing},
		{"sweep", "-resume", missing},
	} {
		code, _, stderr := call("", args...)
		if code != exitRuntime || !strings.Contains(stderr, missing) {
			t.Errorf("%v: code %d, stderr %q", args, code, stderr)
		}
	}
}
