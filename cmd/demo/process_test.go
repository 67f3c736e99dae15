//go:build unix

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/penstock-go/penstock/cmd/demo/internal/sweep"
	"github.com/penstock-go/penstock/pipeline"
)

// child is a run of the built command. All waiting on it is reading its pipes,
// which ends at the latest when the deadline kills it.
type child struct {
	t      *testing.T
	cmd    *exec.Cmd
	stdin  *os.File
	stdout *os.File
	stderr *bufio.Reader
}

func start(t *testing.T, args ...string) *child {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	c := &child{t: t, cmd: exec.CommandContext(ctx, binary, args...)}
	var ends []*os.File
	pipe := func() (r, w *os.File) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close(); w.Close() })
		return r, w
	}
	in, stdin := pipe()
	stdout, out := pipe()
	stderr, errs := pipe()
	ends = append(ends, in, out, errs)
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = in, out, errs
	c.stdin, c.stdout, c.stderr = stdin, stdout, bufio.NewReader(stderr)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range ends {
		f.Close()
	}
	return c
}

func (c *child) write(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.stdin, s); err != nil {
		c.t.Fatal(err)
	}
}

// expect reads exactly want from the standard output.
func (c *child) expect(want string) {
	c.t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c.stdout, got); err != nil || string(got) != want {
		c.t.Fatalf("read %q, %v; want %q", got, err, want)
	}
}

// line reads a line of the standard error that contains want.
func (c *child) line(want string) {
	c.t.Helper()
	line, err := c.stderr.ReadString('\n')
	if err != nil || !strings.Contains(line, want) {
		c.t.Fatalf("read %q, %v; want %q", line, err, want)
	}
}

func (c *child) signal(s os.Signal) {
	c.t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		c.t.Fatal(err)
	}
}

// end waits for the process to end with code, and returns what was left on
// its standard error.
func (c *child) end(code int) string {
	c.t.Helper()
	rest, err := io.ReadAll(c.stderr)
	if err != nil {
		c.t.Error(err)
	}
	var failed *exec.ExitError
	if err := c.cmd.Wait(); err != nil && !errors.As(err, &failed) {
		c.t.Fatal(err)
	}
	if got := c.cmd.ProcessState.ExitCode(); got != code {
		c.t.Errorf("exit code %d (%v), want %d: %s", got, c.cmd.ProcessState, code, rest)
	}
	return string(rest)
}

func (c *child) verdict(code int, want ...string) {
	c.t.Helper()
	got := c.end(code)
	for _, w := range want {
		if !strings.Contains(got, w) {
			c.t.Errorf("no %q in %q", w, got)
		}
	}
}

func TestProcessExitCodes(t *testing.T) {
	start(t, "-h").end(exitOK)
	start(t, "ship", "-h").end(exitOK)
	start(t, "-nosuch").verdict(exitUsage, "-nosuch")
	start(t, "nosuch").verdict(exitUsage, "nosuch")
	start(t, "ship", "-in", "-", "-out", "-", "-overflow", "x").verdict(exitUsage, "-overflow")
	start(t, "ship", "-in", "/no/such/file", "-out", "-").verdict(exitRuntime, "/no/such/file")
	start(t, "ship", "-in", t.TempDir(), "-out", "-").verdict(exitRuntime, "is a directory")
	start(t, "-duration", "80ms", "-dir", t.TempDir()).verdict(exitOK, "8/8")
}

func TestProcessShipsFilesByteForByte(t *testing.T) {
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
	for name, want := range samples() {
		if err := os.WriteFile(in, want, 0o600); err != nil {
			t.Fatal(err)
		}
		start(t, "ship", "-in", in, "-out", out).verdict(exitOK, "nothing lost")
		if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes of %d, %v", name, len(got), len(want), err)
		}
	}
}

func TestSignalDrains(t *testing.T) {
	for _, s := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		c := start(t, "ship", "-in", "-", "-out", "-", "-interval", "1ms")
		c.write("one\r\ntwo\n")
		c.expect("one\r\ntwo\n")
		c.signal(s)
		c.line(s.String() + ": draining")
		c.verdict(exitOK, s.String(), "read 2 events", "delivered 2", "nothing lost")
	}
}

func TestSignalDeliversWhatWaitsForItsBatch(t *testing.T) {
	c := start(t, "ship", "-in", "-", "-out", "-", "-interval", "1h", "-batch", "2")
	c.write("one\ntwo\nthree\nno end")
	c.expect("one\ntwo\n") // all four came in one read: they are in the pipeline
	c.signal(syscall.SIGTERM)
	c.expect("three\nno end")
	c.verdict(exitOK, "read 4 events", "delivered 4", "nothing lost")
}

// stall starts a shipment whose output nobody reads, and returns when it has
// taken more than a pipe holds.
func stall(t *testing.T, args ...string) *child {
	c := start(t, append([]string{"ship", "-in", "-", "-out", "-", "-batch", "1", "-queue", "1000"}, args...)...)
	line := strings.Repeat("x", 1023) + "\n"
	c.write(strings.Repeat(line, 500))
	c.expect(line)
	return c
}

func TestSecondSignalQuits(t *testing.T) {
	c := stall(t, "-timeout", "1h")
	c.signal(syscall.SIGTERM)
	c.line("draining")
	c.signal(os.Interrupt)
	c.verdict(exitQuit, "quitting at once")
}

func TestDrainEndsAtTheTimeout(t *testing.T) {
	c := stall(t, "-timeout", "50ms", "-stats", "json")
	c.signal(syscall.SIGTERM)
	c.line("draining")
	var s pipeline.Stats
	ledger, err := c.stderr.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(ledger, &s)
	}
	if err != nil || s.Lost.Total() == 0 || s.Lost.InDoubt == 0 {
		t.Errorf("%s: %v", ledger, err)
	}
	c.verdict(exitLoss, "LOST", "in doubt", "-timeout of 50ms passed", "stuck in the standard output")
}

func TestClosedOutputIsALoss(t *testing.T) {
	c := start(t, "ship", "-in", "-", "-out", "-", "-interval", "1ms")
	c.stdout.Close()
	c.write("one\n") // the input stays open: the error ends the shipment
	c.verdict(exitLoss, "LOST 1", "broken pipe")
}

func TestFullDeviceIsALoss(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip(err)
	}
	in := filepath.Join(t.TempDir(), "in")
	if err := os.WriteFile(in, []byte("a\nb\nc\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, "ship", "-in", in, "-out", "/dev/full").verdict(exitLoss, "LOST 3", "no space left on device")
}

// TestDropsAreNoLoss fills a pipeline whose output stands still. Under a drop
// policy it takes all input nevertheless, and accounts for what it dropped.
func TestDropsAreNoLoss(t *testing.T) {
	const n = 50_000
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, "%05d %s\n", i, strings.Repeat("x", 93))
	}
	for _, policy := range []string{dropOldest, dropNewest} {
		c := start(t, "ship", "-in", "-", "-out", "-", "-overflow", policy, "-queue", "64", "-stats", "json")
		c.write(lines.String())
		c.stdin.Close()
		out, err := io.ReadAll(c.stdout)
		if err != nil {
			t.Fatal(err)
		}
		var s pipeline.Stats
		ledger, err := c.stderr.ReadBytes('\n')
		if err == nil {
			err = json.Unmarshal(ledger, &s)
		}
		if err != nil {
			t.Fatalf("%s: %v", ledger, err)
		}
		last := fmt.Sprintf("%05d ", n-1)
		switch {
		case s.Offered != n || s.Evicted.Total()+s.Rejected.Full+s.Delivered != n || s.Delivered == n:
			t.Errorf("%s: the books do not fit: %s", policy, ledger)
		case uint64(bytes.Count(out, []byte("\n"))) != s.Delivered || uint64(len(out)) != 100*s.Delivered:
			t.Errorf("%s: %d bytes came out, %d events were delivered", policy, len(out), s.Delivered)
		case policy == dropOldest && !bytes.HasPrefix(out[len(out)-100:], []byte(last)):
			t.Errorf("%s: the newest event is not the last: %s", policy, out[len(out)-100:])
		}
		c.verdict(exitOK, "as "+policy+" allows", "nothing lost")
	}
}

func TestExperimentEndsAtASignal(t *testing.T) {
	dir := t.TempDir()
	c := start(t, "-duration", "1h", "-dir", dir, "-rate", "1000", "-producers", "2")
	c.line("1/4 flat out, direct")
	c.signal(os.Interrupt)
	c.line("draining")
	out, err := io.ReadAll(c.stdout)
	if err != nil || !strings.Contains(string(out), "Interrupted (interrupt)") {
		t.Errorf("%s: %v", out, err)
	}
	c.end(exitOK)
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestProcessRunExitCodes(t *testing.T) {
	start(t, "run", "-h").end(exitOK)
	start(t, "run", "-rate", "x").verdict(exitUsage, "-rate")
	start(t, "run", "-sink", "file", "-dir", "/no/such").verdict(exitRuntime, "/no/such")
	start(t, "run", "-duration", "50ms", "-fail-rate", "1", "-rate", "1000").end(exitLoss)
	start(t, "run", "-duration", "10s", "-clock", "virtual", "-rate", "10").end(exitOK)
}

func TestSignalDrainsARun(t *testing.T) {
	c := start(t, "run", "-duration", "1h", "-rate", "1000", "-sink", "slow")
	c.line("lost 0")
	c.signal(os.Interrupt)
	c.end(exitOK)
	out, err := io.ReadAll(c.stdout)
	if err != nil || !strings.Contains(string(out), "the books balance") {
		t.Errorf("%s: %v", out, err)
	}
}

func TestSecondSignalQuitsARun(t *testing.T) {
	c := start(t, "run", "-duration", "1h", "-rate", "1000", "-stall", "100ms/1h", "-drain", "1h")
	c.line("lost 0")
	c.signal(os.Interrupt)
	c.line("draining")
	c.signal(os.Interrupt)
	c.verdict(exitQuit, "quitting at once")
}

func TestSignalKeepsWhatASweepHasMeasured(t *testing.T) {
	dir := t.TempDir()
	c := start(t, "sweep", "-sweep", "batch=1,2", "-duration", "300ms", "-rounds", "1000", "-rate", "1000", "-out", dir)
	c.line("1/2000 ")
	c.line("2/2000 ")
	c.signal(syscall.SIGTERM)
	file := filepath.Join(dir, "sweep.json")
	c.verdict(exitOK, "runs are left. Go on with: demo sweep -resume "+file)
	if r, err := sweep.Load(file); err != nil || len(r.Runs) == 0 || r.Left() != 2000-len(r.Runs) {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestProcessRefusedLinesComeBack ships into a pipe that nobody reads and to a
// full device, and replays what was refused, once in vain.
func TestProcessRefusedLinesComeBack(t *testing.T) {
	const text = "one\r\ntwo \xff\nno end"
	for _, out := range []string{"-", "/dev/full"} {
		if _, err := os.Stat(out); out != "-" && err != nil {
			continue
		}
		dir := t.TempDir()
		dead, again, copied := filepath.Join(dir, "dead"), filepath.Join(dir, "again"), filepath.Join(dir, "copy")
		refused := func(in string, args ...string) *child {
			c := start(t, append(args, "-in", "-", "-out", out)...)
			c.stdout.Close()
			c.write(in)
			c.stdin.Close()
			return c
		}
		refused(text, "ship", "-dead", dead).verdict(exitOK, "read 3 events", "delivered 0", "3 dead letters to "+dead, "nothing lost")
		kept, err := os.ReadFile(dead)
		if err != nil {
			t.Fatal(err)
		}
		refused(string(kept), "replay", "-dead", again).verdict(exitOK, "delivered 0", "3 dead letters to "+again)
		refused(string(kept), "replay").verdict(exitLoss, "LOST 3")
		for _, l := range letters(t, again) {
			if l.Attempts != 2 {
				t.Errorf("%+v", l)
			}
		}
		start(t, "replay", "-in", again, "-out", copied).verdict(exitOK, "delivered 3", "nothing lost")
		if got, err := os.ReadFile(copied); err != nil || string(got) != text {
			t.Errorf("%q, %v", got, err)
		}
	}
}

func TestProcessReplayExitCodes(t *testing.T) {
	start(t, "replay", "-h").end(exitOK)
	start(t, "replay", "-in", "-").verdict(exitUsage, "-out is missing")
	start(t, "replay", "-in", "-", "-out", "-", "-overflow", "wait").verdict(exitUsage, "-overflow")
	start(t, "replay", "-in", "/no/such/file", "-out", "-").verdict(exitRuntime, "/no/such/file")
	start(t, "replay", "-in", "-", "-out", "-", "-dead", t.TempDir()).verdict(exitRuntime, "demo replay: ")
	c := start(t, "replay", "-in", "-", "-out", "-")
	c.write("nonsense\n" + `{"v":1,"event":"a"}` + "\n")
	c.stdin.Close()
	c.verdict(exitRuntime, "line 1: ", "NOT READ 1 lines", "delivered 1")
}

func TestSignalDrainsAReplay(t *testing.T) {
	c := start(t, "replay", "-in", "-", "-out", "-", "-interval", "1h", "-batch", "2")
	c.write(`{"v":1,"event":"one\n"}` + "\n" + `{"v":1,"event":"two\n"}` + "\n" + `{"v":1,"event":"three\n"}` + "\n" + `{"v":1,`)
	c.expect("one\ntwo\n") // all came in one read
	c.signal(syscall.SIGTERM)
	c.expect("three\n")
	c.verdict(exitOK, "read 3 events", "delivered 3", "nothing lost")
}

func TestSecondSignalQuitsAReplay(t *testing.T) {
	c := start(t, "replay", "-in", "-", "-out", "-", "-batch", "1", "-queue", "1000", "-timeout", "1h")
	c.write(strings.Repeat(`{"v":1,"event":"`+strings.Repeat("x", 1023)+`\n"}`+"\n", 500))
	c.expect("x")
	c.signal(syscall.SIGTERM)
	c.line("draining")
	c.signal(os.Interrupt)
	c.verdict(exitQuit, "quitting at once")
}
