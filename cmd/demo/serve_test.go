//go:build unix

package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"
)

// served starts demo serve and returns it with the address it has printed.
func served(t *testing.T, args ...string) (c *child, stdout *bufio.Reader, url string) {
	t.Helper()
	c = start(t, append([]string{"serve", "-addr", "127.0.0.1:0", "-rate", "1000"}, args...)...)
	stdout = bufio.NewReader(c.stdout)
	line, err := stdout.ReadString('\n')
	if err != nil || !strings.HasPrefix(line, "http://127.0.0.1:") {
		t.Fatalf("read %q, %v", line, err)
	}
	return c, stdout, strings.TrimSpace(line)
}

// events opens the stream of figures.
func events(t *testing.T, url string) *bufio.Reader {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"events", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return bufio.NewReader(resp.Body)
}

func TestServeListensAndEndsWithTheVerdict(t *testing.T) {
	for _, s := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		c, stdout, url := served(t)
		stream := events(t, url)
		if line, err := stream.ReadString('\n'); err != nil || !strings.HasPrefix(line, "retry: ") {
			t.Errorf("read %q, %v", line, err)
		}
		c.signal(s)
		rest, err := io.ReadAll(stream) // it ends in good order, with the outcome
		if err != nil || !strings.Contains(string(rest), "the books balance") {
			t.Errorf("the stream ended without an outcome: %v", err)
		}
		verdict, err := io.ReadAll(stdout)
		if text := strings.Join(strings.Fields(string(verdict)), " "); err != nil || !strings.Contains(text, "lost 0; the books balance") {
			t.Errorf("%q, %v", text, err)
		}
		c.verdict(exitOK, "draining")
	}
}

func TestServeExitCodes(t *testing.T) {
	c, _, url := served(t, "-fail-rate", "1", "-fallback", "none", "-breaker", "0", "-duration", "50ms", "-interval", "1ms", "-latency", "0s")
	stream := events(t, url)
	for line := ""; !strings.Contains(line, `"outcome"`); {
		var err error
		if line, err = stream.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	c.signal(syscall.SIGTERM)
	c.end(exitLoss)

	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	start(t, "serve", "-addr", l.Addr().String()).verdict(exitRuntime, "address already in use")
	start(t, "serve", "-addr", "0.0.0.0:0").verdict(exitUsage, "-public")
}
