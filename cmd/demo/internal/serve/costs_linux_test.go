package serve

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

var costs = flag.Bool("costs", false, "have TestCosts measure what the page costs, for some minutes")

// TestCosts measures the built command with the page open and without, and
// prints what it finds. The bounds are those that docs/demo.md states.
//
//	go test ./internal/serve -run Costs -costs -v
func TestCosts(t *testing.T) {
	if !*costs {
		t.Skip("-costs measures")
	}
	binary := build(t)
	t.Run("paint", func(t *testing.T) { measurePaint(t, binary) })
	t.Run("idle", func(t *testing.T) { measureIdle(t, binary) })
	t.Run("throughput", func(t *testing.T) { measureThroughput(t, binary) })
}

// build builds the command.
func build(t *testing.T) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "demo")
	if out, err := exec.Command("go", "build", "-o", binary, "../..").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// measured is a demo serve of its own process.
type measured struct {
	*testing.T
	cmd *exec.Cmd
	url string
}

func begin(t *testing.T, binary string, args ...string) *measured {
	t.Helper()
	m := &measured{T: t, cmd: exec.CommandContext(t.Context(), binary, append([]string{"serve", "-addr", "127.0.0.1:0"}, args...)...)}
	m.cmd.Stderr = os.Stderr
	out, err := m.cmd.StdoutPipe()
	if err == nil {
		err = m.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = m.cmd.Process.Kill()
		_ = m.cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	m.url = strings.TrimSuffix(strings.TrimSpace(line), "/")
	return m
}

func (m *measured) post(what, body string) {
	m.Helper()
	resp, err := http.Post(m.url+"/api/"+what, "application/json", strings.NewReader(body))
	if err != nil {
		m.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		text, _ := io.ReadAll(resp.Body)
		m.Fatalf("%s: %s", what, text)
	}
}

func (m *measured) state() (f figures) {
	m.Helper()
	resp, err := http.Get(m.url + "/api/state")
	if err != nil {
		m.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&f); err != nil {
		m.Fatal(err)
	}
	return f
}

// cpu is the processor time that the process has used.
func (m *measured) cpu() time.Duration {
	m.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", m.cmd.Process.Pid))
	if err != nil {
		m.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name comes before, in brackets
	ticks := 0
	for _, f := range strings.Fields(rest)[11:13] { // utime and stime
		n, err := strconv.Atoi(f)
		if err != nil {
			m.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / 100) // USER_HZ is 100 on all that Go runs on
}

// share is the part of one core that the process uses over a while.
func (m *measured) share(while time.Duration) float64 {
	m.Helper()
	began, used := time.Now(), m.cpu()
	<-time.After(while)
	return float64(m.cpu()-used) / float64(time.Since(began))
}

// throughput is events per second that were delivered over a while.
func (m *measured) throughput(while time.Duration) float64 {
	m.Helper()
	before := m.state()
	<-time.After(while)
	after := m.state()
	return float64(after.Stats.Delivered-before.Stats.Delivered) / (after.Elapsed - before.Elapsed).Seconds()
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

func measurePaint(t *testing.T, binary string) {
	m := begin(t, binary)
	b := newBrowser(t)
	var paints, lives []float64
	for range 9 {
		var paint, live float64
		b.do(chromedp.Navigate("about:blank"))
		b.visit(m.url)
		b.see("a paint", `performance.getEntriesByName("first-contentful-paint").length > 0`)
		b.do(chromedp.Evaluate(`performance.getEntriesByName("first-contentful-paint")[0].startTime`, &paint),
			chromedp.Evaluate(`performance.getEntriesByName("first figures")[0].startTime`, &live))
		paints, lives = append(paints, paint), append(lives, live)
	}
	t.Logf("first paint after %.0f ms, first figures after %.0f ms (medians of %d; the slowest %.0f and %.0f ms)",
		median(paints), median(lives), len(paints), slices.Max(paints), slices.Max(lives))
	if median(lives) > 1000 { // the slowest may have met a machine that was busy with something else
		t.Error("more than a second")
	}
}

func measureIdle(t *testing.T, binary string) {
	const while = 10 * time.Second
	m := begin(t, binary)
	b := newBrowser(t)
	note := func(what string, limit float64) {
		t.Helper()
		used := m.share(while)
		t.Logf("%-58s %5.2f %% of a core", what, 100*used)
		if used > limit {
			t.Errorf("%s: more than %.0f %% of a core", what, 100*limit)
		}
	}
	note("20,000 events/s, no page", 1)
	b.visit(m.url)
	note("20,000 events/s, page open", 1)
	m.post("knobs", `{"stalled":true}`)
	note("20,000 events/s, sink stalled, page open", 1)
	m.post("knobs", `{"stalled":false,"rate":1}`)
	note("1 event/s, page open", 0.02)
	m.post("close", `{}`)
	b.see("the end", `document.querySelector("#state").textContent === "closed"`)
	note("closed, page open", 0.02)
	b.do(chromedp.Navigate("about:blank"))
	note("closed, no page", 0.02)
}

func measureThroughput(t *testing.T, binary string) {
	const pairs, while = 7, 3 * time.Second
	for _, load := range []struct {
		name string
		args []string
	}{
		{"flat out, memory, producers wait", []string{"-rate", "0", "-latency", "0", "-overflow", "wait"}},
		{"20,000 events/s, as served without flags", nil},
	} {
		m := begin(t, binary, load.args...)
		b := newBrowser(t)
		var with, without, losses []float64
		for range pairs {
			b.do(chromedp.Navigate("about:blank"))
			without = append(without, m.throughput(while))
			b.visit(m.url)
			b.figures(2) // the page is there; that it had to be loaded is not counted
			with = append(with, m.throughput(while))
			losses = append(losses, 1-with[len(with)-1]/without[len(without)-1])
		}
		loss := median(losses)
		t.Logf("%-40s %.2fM/s without the page, %.2fM/s with it; loss %.1f %% (medians of %d pairs; from %.1f to %.1f %%)", load.name,
			median(without)/1e6, median(with)/1e6, 100*loss, pairs, 100*slices.Min(losses), 100*slices.Max(losses))
		if loss > 0.05 {
			t.Errorf("%s: more than 5 %%", load.name)
		}
	}
}
