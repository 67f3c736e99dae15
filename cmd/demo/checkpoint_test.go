package main

import (
	"os"
	"strings"
	"testing"
)

// appendTo appends to a file.
func appendTo(t *testing.T, path, text string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err == nil {
		_, err = f.WriteString(text)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// shipOn ships a.log to out with a checkpoint, and wants that in the output.
func shipOn(t *testing.T, at func(string) string, want string, said ...string) {
	t.Helper()
	code, _, stderr := call("", "ship", "-in", at("a.log"), "-out", at("out"), "-checkpoint", at("keep"))
	if got := textOf(t, at("out")); code != exitOK || got != want {
		t.Fatalf("code %d, %q, want %q: %s", code, got, want, stderr)
	}
	for _, s := range said {
		if !strings.Contains(stderr, s) {
			t.Errorf("no %q in %s", s, stderr)
		}
	}
	if n := strings.Count(stderr, "\n"); n != 1+len(said) {
		t.Errorf("%d lines: %s", n, stderr)
	}
}

func TestCheckpoint(t *testing.T) {
	at := folder(t, map[string]string{"a.log": "1\n2\n3", "out": "before"})
	shipOn(t, at, "before\n1\n2\n")
	shipOn(t, at, "before\n1\n2\n")
	appendTo(t, at("a.log"), "\n4\n")
	appendTo(t, at("out"), "written after the checkpoint\nand to")
	shipOn(t, at, "before\n1\n2\n3\n4\n")

	// An output that is not what it was is not cut.
	if err := os.Truncate(at("out"), 8); err != nil {
		t.Fatal(err)
	}
	appendTo(t, at("a.log"), "5\n")
	shipOn(t, at, "before\n1\n5\n", "it was cut since")
	if err := os.Rename(at("out"), at("out.1")); err != nil {
		t.Fatal(err)
	}
	appendTo(t, at("a.log"), "6\n")
	appendTo(t, at("out"), "not ours")
	shipOn(t, at, "not ours\n6\n", "is not the file that it was")
}

func TestACheckpointThatDoesNotFit(t *testing.T) {
	at := folder(t, map[string]string{"a.log": "1\n"})
	shipOn(t, at, "1\n")
	code, _, stderr := call("", "ship", "-in", at("a.log"), "-out", at("other"), "-checkpoint", at("keep"))
	if code != exitRuntime || !strings.Contains(stderr, "is of a shipment to "+at("out")+" and not to "+at("other")) {
		t.Errorf("code %d: %s", code, stderr)
	}
	if err := os.WriteFile(at("keep"), []byte(textOf(t, at("keep"))[1:]), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, stderr = call("", "ship", "-in", at("a.log"), "-out", at("out"), "-checkpoint", at("keep"))
	if code != exitRuntime || !strings.Contains(stderr, "is not a checkpoint") || textOf(t, at("out")) != "1\n" {
		t.Errorf("code %d: %s", code, stderr)
	}
}

// TestNoCheckpointOfALoss ships to a full device: the lines are not noted as
// delivered.
func TestNoCheckpointOfALoss(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip(err)
	}
	at := folder(t, map[string]string{"a.log": "1\n2\n"})
	for range 2 {
		code, _, stderr := call("", "ship", "-in", at("a.log"), "-out", "/dev/full", "-checkpoint", at("keep"))
		if code != exitLoss || !strings.Contains(stderr, "LOST 2") {
			t.Errorf("code %d: %s", code, stderr)
		}
	}
	// Dead letters are delivered.
	code, _, stderr := call("", "ship", "-in", at("a.log"), "-out", "/dev/full", "-checkpoint", at("keep"), "-dead", at("dead"))
	if code != exitOK || len(letters(t, at("dead"))) != 2 {
		t.Errorf("code %d: %s", code, stderr)
	}
	code, _, stderr = call("", "ship", "-in", at("a.log"), "-out", "/dev/full", "-checkpoint", at("keep"))
	if code != exitOK || !strings.Contains(stderr, "read 0 events") {
		t.Errorf("code %d: %s", code, stderr)
	}
}

func TestACheckpointToTheConsole(t *testing.T) {
	at := folder(t, map[string]string{"a.log": "1\n", "b.log": "2\n"})
	for _, want := range []string{"1\n2\n", ""} {
		code, stdout, stderr := call("", "ship", "-in", at("*.log"), "-out", "-", "-checkpoint", at("keep"), "-parse", "none")
		if code != exitOK || stdout != want {
			t.Errorf("code %d, %q: %s", code, stdout, stderr)
		}
	}
}

func TestACheckpointThatCannotBeWritten(t *testing.T) {
	at := folder(t, map[string]string{"a.log": "1\n"})
	code, _, stderr := call("", "ship", "-in", at("a.log"), "-out", "-", "-checkpoint", at("no/such"))
	if code != exitRuntime || !strings.Contains(stderr, "no/such") {
		t.Errorf("code %d: %s", code, stderr)
	}
}
