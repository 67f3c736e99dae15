package serve

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

var screenshots = flag.String("screenshots", "", "`directory` that TestScreenshots writes pictures of the page to")

// browser is a tab of a headless Chromium that notes what its console says.
type browser struct {
	*testing.T
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

// open opens the page of a server. Where there is no Chromium the test is skipped.
func open(t *testing.T, h *served) *browser {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium is installed, so the page was not tried in a browser")
	}
	profile, err := os.MkdirTemp("", "penstock-browser-")
	if err != nil {
		t.Fatal(err)
	}
	// Not t.TempDir: a helper process of the browser may outlive it for a moment, and write.
	t.Cleanup(func() { _ = os.RemoveAll(profile) })
	timed, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	alloc, release := chromedp.NewExecAllocator(timed, chromedp.ExecPath(path), chromedp.UserDataDir(profile),
		chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-sync", true), chromedp.Flag("disable-dev-shm-usage", true), chromedp.WindowSize(1360, 900))
	t.Cleanup(release)
	ctx, quit := chromedp.NewContext(alloc)
	t.Cleanup(func() {
		_ = chromedp.Cancel(ctx)
		quit()
	})
	b := &browser{T: t, ctx: ctx}
	chromedp.ListenTarget(ctx, b.note)
	b.do(log.Enable(), chromedp.Navigate(h.http.URL+"/"))
	b.see("figures that are live", `document.querySelector("#link").textContent === "live" && document.querySelector("#state").textContent === "running"`)
	return b
}

// note notes errors and warnings, those about the policy included.
func (b *browser) note(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, e.ExceptionDetails.Error())
	case *runtime.EventConsoleAPICalled:
		b.complaints = append(b.complaints, fmt.Sprint(e.Type, " on the console"))
	case *log.EventEntryAdded:
		b.complaints = append(b.complaints, e.Entry.Text)
	}
}

func (b *browser) do(actions ...chromedp.Action) {
	b.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.Fatal(err)
	}
}

// see waits until a condition on the page holds.
func (b *browser) see(what, condition string) {
	b.Helper()
	if err := chromedp.Run(b.ctx, chromedp.Poll(condition, nil, chromedp.WithPollingTimeout(20*time.Second))); err != nil {
		b.Fatalf("never saw %s: %v", what, err)
	}
}

func (b *browser) quiet() {
	b.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, c := range b.complaints {
		b.Error(c)
	}
}

// number is a figure of the panels, by the name of its row.
func number(table, row string) string {
	return fmt.Sprintf(`Number([...document.querySelectorAll("#%s tr")].find(r => r.cells[0].textContent === %q).cells[2].textContent.replaceAll(",", ""))`, table, row)
}

func TestInABrowser(t *testing.T) {
	s := settings()
	s.Fallback, s.Breaker = "memory", 3
	h := newServed(t, Config{Settings: s})
	b := open(t, h)
	b.see("batches", number("batches", "cut by age")+" > 3")
	b.see("a moving dot", `document.querySelector("#house .dot") !== null`)

	b.do(chromedp.Click("#stall", chromedp.ByID))
	b.see("the stall", `document.querySelector("#stall").getAttribute("aria-pressed") === "true"`)
	b.see("evictions", number("misses", "evicted for newer ones")+" > 0")
	var before float64
	b.do(chromedp.Evaluate(number("misses", "evicted for newer ones"), &before))
	b.see("more evictions", fmt.Sprintf("%s > %v", number("misses", "evicted for newer ones"), before))
	b.do(chromedp.Focus("#stall", chromedp.ByID), chromedp.KeyEvent("\r")) // by the keyboard
	b.see("the sink going on", `document.querySelector("#stall").getAttribute("aria-pressed") === "false"`)

	b.do(chromedp.Evaluate(`(() => { const k = document.querySelector("#k-fail"); k.value = 100; k.dispatchEvent(new Event("input")); k.dispatchEvent(new Event("change")); })()`, nil))
	b.see("the fallback and an open breaker", `document.querySelector("#calls").textContent.includes("open") && /[1-9]/.test(document.querySelector("#house-text").textContent.split("fallback")[1] || "")`)
	b.do(chromedp.Evaluate(`(() => { const k = document.querySelector("#k-fail"); k.value = 0; k.dispatchEvent(new Event("input")); k.dispatchEvent(new Event("change")); })()`, nil))
	b.see("the knob turned back", `document.querySelector("#o-fail").textContent === "0 %"`)
	b.do(chromedp.Click("#flush", chromedp.ByID))
	b.see("the flush", `document.querySelector("#answer").textContent.startsWith("Flushed in")`)

	b.do(chromedp.Click("#close", chromedp.ByID))
	b.see("the verdict", `document.querySelector("#verdict").textContent.includes("the books balance")`)
	b.see("the balance", `document.querySelector("#balance").textContent === "balances" && document.querySelector("#state").textContent === "closed"`)
	b.do(chromedp.Click("#keep", chromedp.ByID))
	b.see("the kept experiment", `document.querySelector("#saved").textContent.includes("balance")`)

	b.do(chromedp.SetValue("#s-overflow", "wait", chromedp.ByID), chromedp.Click("#restart", chromedp.ByID))
	b.see("the second experiment", `document.querySelector("#run").textContent === "2" && document.querySelector("#title").textContent.endsWith("wait")`)
	b.do(chromedp.Click("#keep", chromedp.ByID))
	b.see("both side by side", `document.querySelectorAll("#saved thead th").length === 3 && document.querySelector("#saved .differs") !== null`)
	b.do(emulation.SetDeviceMetricsOverride(375, 800, 1, true))
	b.see("a page as wide as the phone", `document.documentElement.scrollWidth <= 375`)
	b.quiet()
}

func TestPageComesBackAfterABreak(t *testing.T) {
	h := newServed(t, Config{Settings: settings()})
	b := open(t, h)
	h.http.CloseClientConnections()
	b.see("the break", `document.querySelector("#link").textContent === "reconnecting"`)
	b.see("the page come back", `document.querySelector("#link").textContent === "live"`)
}

// TestScreenshots takes the pictures of the documents:
//
//	go test ./internal/serve -run Screenshots -screenshots DIR
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("-screenshots says where to")
	}
	s := settings()
	s.Rate, s.Queue, s.Batch, s.Interval, s.Latency = 20_000, 8192, 512, 100*time.Millisecond, 5*time.Millisecond
	s.Fallback, s.Breaker = "memory", 5
	h := newServed(t, Config{Settings: s})
	b := open(t, h)
	b.see("a flow", number("batches", "cut by size")+" > 300")
	b.do(chromedp.Click("#stall", chromedp.ByID))
	b.see("evictions", number("misses", "evicted for newer ones")+" > 20000")
	b.do(chromedp.Click("#stall", chromedp.ByID))
	h.want(200, "", "POST", "/api/knobs", `{"fail_rate":0.3}`)
	b.see("the fallback", `/[1-9]/.test(document.querySelector("#house-text").textContent.split("fallback")[1] || "")`)
	b.see("a while", number("batches", "cut by size")+" > 800")
	for _, shot := range []struct {
		name, scheme  string
		width, height int64
		scale         float64
	}{{"serve-light", "light", 1360, 900, 1}, {"serve-dark", "dark", 1360, 900, 1}, {"serve-phone", "light", 390, 1500, 1}} {
		var png []byte
		b.do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: shot.scheme}}),
			emulation.SetDeviceMetricsOverride(shot.width, shot.height, shot.scale, shot.width < 500))
		b.see("the next figures", `new Promise(done => setTimeout(() => done(true), 600))`)
		b.do(chromedp.CaptureScreenshot(&png))
		if err := os.WriteFile(filepath.Join(*screenshots, shot.name+".png"), png, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}
