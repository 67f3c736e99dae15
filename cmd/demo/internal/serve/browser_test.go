package serve

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

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
	b := newBrowser(t)
	b.visit(h.http.URL)
	return b
}

// newBrowser opens an empty tab.
func newBrowser(t *testing.T) *browser {
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
	b.do(log.Enable())
	return b
}

// visit goes to the page of a server, and waits until it is alive.
func (b *browser) visit(url string) {
	b.Helper()
	b.do(chromedp.Navigate(url + "/"))
	b.see("figures that are live", `document.querySelector("#link").textContent === "live" && document.querySelector("#state").textContent !== "–"`)
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

// figures waits until the page has shown figures so many times more.
func (b *browser) figures(times int) {
	b.Helper()
	b.see("new figures", fmt.Sprintf(`new Promise(done => {
		let left = %d;
		new MutationObserver((_, o) => {
			if (--left > 0) return;
			o.disconnect();
			done(true);
		}).observe(document.querySelector("#elapsed"), { childList: true });
	})`, times))
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
