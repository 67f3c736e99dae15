package serve

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

var screenshots = flag.String("screenshots", "", "`directory` that TestScreenshots writes the pictures of docs/demo.md to")

// TestScreenshots takes the pictures of docs/demo.md:
//
//	go test ./internal/serve -run Screenshots -screenshots DIR
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("-screenshots says where to")
	}
	t.Run("page", picturePage)
	binary := build(t)
	t.Run("report", func(t *testing.T) { pictureReport(t, binary) })
	t.Run("terminal", func(t *testing.T) { pictureTerminal(t, binary) })
}

// shoot takes a picture of a window of some size. What is to be seen must be there.
func (b *browser) shoot(name, scheme string, width, height int64, settled func()) {
	b.Helper()
	var png []byte
	b.do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}),
		emulation.SetDeviceMetricsOverride(width, height, 1, width < 500))
	settled()
	b.do(chromedp.CaptureScreenshot(&png))
	if err := os.WriteFile(filepath.Join(*screenshots, name+".png"), png, 0o644); err != nil {
		b.Fatal(err)
	}
}

func picturePage(t *testing.T) {
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
	drawn := func() { b.figures(6) } // a second, so that the charts are drawn and dots are on their way again
	b.shoot("serve-light", "light", 1360, 900, drawn)
	b.shoot("serve-dark", "dark", 1360, 900, drawn)
	b.shoot("serve-phone", "light", 390, 1500, drawn)
}

func pictureReport(t *testing.T, binary string) {
	dir := t.TempDir()
	cmd := exec.Command(binary, "sweep", "-sweep", "batch=1,8,64,512", "-sweep", "producers=1,4,16", "-overflow", "wait", "-sink", "memory",
		"-duration", "300ms", "-out", dir, "-goal", "p99.9 under 1ms, no loss", "-quiet")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	files := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer files.Close()
	b := newBrowser(t)
	b.do(chromedp.Navigate(files.URL + "/sweep.html"))
	b.shoot("sweep-report", "light", 1200, 980, func() { b.see("plots", `document.querySelectorAll("svg").length > 3`) })
}

func pictureTerminal(t *testing.T, binary string) {
	args := []string{"run", "-duration", "8s", "-outage", "2s/3s", "-retry", "2", "-breaker", "3", "-fallback", "memory"}
	page := watch(t, binary, args, "time      4.")
	shown := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(page)) }))
	defer shown.Close()
	b := newBrowser(t)
	b.do(chromedp.Navigate(shown.URL))
	b.shoot("run-terminal", "dark", 800, 330, func() { b.see("the text", `document.querySelector("pre") !== null`) })
}
