//go:build unix

package main

import (
	"os"
	"syscall"
	"testing"
)

// TestProcessFollows waits for a file that is not there yet, and goes on
// through each way of rotating it until a signal comes.
func TestProcessFollows(t *testing.T) {
	for _, s := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		at := folder(t, nil)
		c := start(t, "ship", "-in", at("a.log")+","+at("b*.log"), "-out", "-", "-follow", "-poll", "2ms", "-interval", "1ms")
		appendTo(t, at("a.log"), "1\n2\nthr")
		c.expect("1\n2\n")
		appendTo(t, at("a.log"), "ee\n")
		c.expect("three\n")
		appendTo(t, at("a.log"), "4\n")
		if err := os.Rename(at("a.log"), at("a.log.1")); err != nil {
			t.Fatal(err)
		}
		appendTo(t, at("a.log"), "5\n")
		c.expect("4\n5\n")
		if err := os.Truncate(at("a.log"), 0); err != nil {
			t.Fatal(err)
		}
		c.line("a.log: cut to nothing behind byte 2")
		appendTo(t, at("b1.log"), "b\n")
		c.expect("b\n")
		appendTo(t, at("a.log"), "6\nno end")
		c.expect("6\n")
		c.signal(s)
		c.expect("no end\n")
		c.verdict(exitOK, s.String(), "read 8 events", "nothing lost")
	}
}

// TestProcessGoesOn stops a shipment with a checkpoint by a signal: a line that
// has no end yet is left, and comes whole the next time.
func TestProcessGoesOn(t *testing.T) {
	at := folder(t, map[string]string{"a.log": "1\n2"})
	args := []string{"ship", "-in", at("a.log"), "-out", "-", "-follow", "-poll", "2ms", "-interval", "1ms", "-checkpoint", at("keep")}
	c := start(t, args...)
	c.expect("1\n")
	c.signal(syscall.SIGTERM)
	c.verdict(exitOK, "read 1 events", "; 1 lines without an end left for the next time; nothing lost")
	appendTo(t, at("a.log"), "2\n3\n")
	c = start(t, append(args, "-checkpoint-every", "1h", "-max-line", "4")...)
	c.expect("22\n3\n")
	appendTo(t, at("a.log"), "a long line")
	c.line("is longer than 4 bytes")
	c.expect("a long l")
	c.signal(syscall.SIGTERM)
	c.verdict(exitOK, "nothing lost")
	appendTo(t, at("a.log"), "\n")
	c = start(t, args...)
	c.expect("22\n3\na long line\n") // no checkpoint could be made in the middle of the line
	c.signal(syscall.SIGTERM)
	c.verdict(exitOK, "nothing lost")
}

func TestProcessFollowsAFullDevice(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip(err)
	}
	at := folder(t, map[string]string{"a.log": "1\n"})
	start(t, "ship", "-in", at("a.log"), "-out", "/dev/full", "-follow", "-checkpoint", at("keep"), "-checkpoint-every", "1ms").
		verdict(exitLoss, "LOST 1", "no space left")
	start(t, "ship", "-in", at("a.log"), "-out", "null", "-follow", "-checkpoint", at("keep")).
		verdict(exitRuntime, "and not to null")
}
